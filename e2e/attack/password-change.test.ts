import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { queryDatabase } from '../database-query.ts';
import { settingsOf } from '../settings-of.ts';
import { AdminVisitor } from './admin-visitor.ts';
import { Attack, PASSWORD } from './attack.ts';

const ROUNDS = 5;
const NEW = 'Correct-horse-7';

let attack: Attack;

before(async () => {
  attack = await Attack.start({
    BCRYPT_ROUNDS: String(ROUNDS),
    CHECK_SESSION: 'true',
    LOGIN_FAILURES_PER_ACCOUNT: '0',
    LOGIN_FAILURES_PER_ADDRESS: '0',
  });
  // Without a superuser there is no log-in to the admin.
  await attack.server.createUser({
    username: 'root',
    password: PASSWORD,
    is_staff: true,
    is_superuser: true,
  });
});
after(() => attack.end());

/** A member of the staff that nobody else uses, logged in to the admin twice. */
async function someone(username: string) {
  await attack.server.createUser({ username, password: PASSWORD, is_staff: true });
  const [visitor, other] = [new AdminVisitor(attack), new AdminVisitor(attack)];
  for (const each of [visitor, other]) assert.equal((await each.logIn(username)).status, 303);
  return { username, visitor, other, tokens: await attack.logIn(username) };
}

async function hashOf(username: string): Promise<string> {
  const { databaseUrl } = attack.server;
  const [row] = await queryDatabase<{ password: string }>(
    databaseUrl,
    'select password from auth_user where username = ?',
    username,
  );
  return row?.password ?? '';
}

/** Sends the form of the change of one's own password. */
async function change(visitor: AdminVisitor, old: string, others: Record<string, string> = {}) {
  await visitor.get('/admin/password_change/');
  const form = { old_password: old, new_password1: NEW, new_password2: NEW, ...others };
  return visitor.post('/admin/password_change/', form);
}

const statusOf = async (username: string, password: string) =>
  (await attack.send('/api/token/', { body: { username, password } })).status;
const meAt = async (access: string) =>
  (await attack.send('/api/me/', { method: 'GET', headers: { authorization: `Bearer ${access}` } })).status;
const refreshStatus = async (refresh: string) =>
  (await attack.send('/api/token/refresh/', { body: { refresh } })).status;

test('case 24: changing a password needs the current one', () =>
  attack.case(24, async () => {
    const { username, visitor, other } = await someone('grace');
    const before = await hashOf(username);
    for (const old of ['', 'wrong', NEW, `${PASSWORD} `, PASSWORD.toUpperCase(), before]) {
      const { status } = await change(visitor, old);
      assert.equal(status, 200, 'the form again');
    }
    await visitor.get('/admin/password_change/');
    const form = { new_password1: NEW, new_password2: NEW };
    assert.equal((await visitor.post('/admin/password_change/', form)).status, 200);
    assert.equal(await hashOf(username), before);
    assert.deepEqual([await statusOf(username, PASSWORD), await statusOf(username, NEW)], [200, 401]);
    for (const each of [visitor, other]) assert.ok(await each.isIn());
  }));

test('case 24: it ends the other sessions in the admin, keeps this one, and those of tokens unless it is asked to', () =>
  attack.case(24, async () => {
    const { username, visitor, other, tokens } = await someone('kim');
    const before = await hashOf(username);
    assert.equal((await change(visitor, PASSWORD)).status, 303);
    assert.deepEqual([await visitor.isIn(), await other.isIn()], [true, false]);
    assert.deepEqual([await statusOf(username, PASSWORD), await statusOf(username, NEW)], [401, 200]);
    assert.deepEqual([await meAt(tokens.access), await refreshStatus(tokens.refresh)], [200, 200]);
    const hash = await hashOf(username);
    assert.match(hash, new RegExp(`^bcrypt_sha256\\$\\$2b\\$0${ROUNDS}\\$[./A-Za-z0-9]{53}$`));
    const saltOf = (text: string) => text.slice(-53, -31);
    assert.notEqual(saltOf(hash), saltOf(before));
  }));

test('case 24: when it is asked to, it ends the sessions of tokens by the next request, and of nobody else', () =>
  attack.case(24, async () => {
    const { username, visitor, tokens } = await someone('lee');
    const another = await attack.logIn(username);
    const bystander = await attack.logIn('ada');
    assert.equal((await change(visitor, PASSWORD, { end_sessions: 'on' })).status, 303);
    assert.ok(await visitor.isIn());
    for (const { access, refresh } of [tokens, another]) {
      assert.deepEqual([await meAt(access), await refreshStatus(refresh)], [401, 401]);
    }
    assert.deepEqual([await meAt(bystander.access), await refreshStatus(bystander.refresh)], [200, 200]);
    const ends = await queryDatabase<{ end_reason: string }>(
      attack.server.databaseUrl,
      'select distinct end_reason from jotgate_session where user_id = (select id from auth_user where username = ?)',
      username,
    );
    assert.deepEqual(ends, [{ end_reason: 'password' }], 'and says so where the session is looked at');
    const later = await attack.logIn(username, NEW);
    assert.equal(await meAt(later.access), 200);
  }));

test('case 24: of two changes at the same time by the same old password one is made', () =>
  attack.case(24, async () => {
    const { username, visitor, other } = await someone('robin');
    for (const each of [visitor, other]) await each.get('/admin/password_change/');
    const passwords = [`${NEW}1`, `${NEW}2`];
    const replies = await Promise.all(
      [visitor, other].map((each, index) => {
        const password = passwords[index] ?? '';
        const form = { old_password: PASSWORD, new_password1: password, new_password2: password };
        return each.post('/admin/password_change/', form);
      }),
    );
    const statuses = await Promise.all(passwords.map((password) => statusOf(username, password)));
    assert.deepEqual(statuses.toSorted(), [200, 401]);
    const winner = statuses.indexOf(200);
    // The other finds its old password to be wrong, or its session over.
    assert.equal(replies[winner]?.headers.location, '/admin/');
    assert.notEqual(replies[1 - winner]?.headers.location, '/admin/');
    assert.equal(await statusOf(username, PASSWORD), 401);
  }));

test('case 24: a hash costs 12 rounds where nobody says otherwise', () => {
  const { BCRYPT_ROUNDS, PASSWORD_HASHERS } = settingsOf({ BCRYPT_ROUNDS: '' });
  assert.ok(BCRYPT_ROUNDS >= 12);
  assert.equal(PASSWORD_HASHERS[0], 'bcrypt_sha256');
});
