import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import bcrypt from 'bcrypt';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { authenticate } from './authenticate.ts';
import { hashPassword } from './hashers.ts';
import { createUser, findUserByUsername, setPassword } from './users.ts';

const NOW = new Date('2026-03-04T05:06:07.089Z');
const ROUNDS = 5;
const SETTINGS = settingsOf({ BCRYPT_ROUNDS: String(ROUNDS) });
let db: Database;

before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

async function newUser(
  username: string,
  extra: { is_active?: boolean; passwordHash?: string; rounds?: number } = {},
) {
  const passwordHash =
    extra.passwordHash ??
    (await hashPassword('right', settingsOf({ BCRYPT_ROUNDS: String(extra.rounds ?? ROUNDS) })));
  return createUser(db, { username, is_active: extra.is_active ?? true, passwordHash }, NOW);
}

test('the right password gives the user, under any spelling of the name', async () => {
  const user = await newUser('josé');
  for (const username of ['josé', 'jose\u0301']) {
    assert.deepEqual(await authenticate(db, { username, password: 'right' }, SETTINGS), user);
  }
});

test('anything else gives nobody', async () => {
  await newUser('inactive', { is_active: false });
  await newUser('unusable', { passwordHash: '!right' });
  await newUser('nonsense', { passwordHash: 'right' });
  await newUser('Capital');
  for (const [username, password] of [
    ['nobody', 'right'],
    ['Capital', 'wrong'],
    ['Capital', ''],
    ['capital', 'right'],
    ['inactive', 'right'],
    ['unusable', 'right'],
    ['unusable', '!right'],
    ['nonsense', 'right'],
    ['', ''],
  ] as const) {
    assert.equal(await authenticate(db, { username, password }, SETTINGS), null, `${username} ${password}`);
  }
});

test('a right password is hashed anew when the cost was raised', async () => {
  await newUser('old', { rounds: 4 });
  assert.equal(await authenticate(db, { username: 'old', password: 'wrong' }, SETTINGS), null);
  assert.match((await findUserByUsername(db, 'old'))?.password ?? '', /\$04\$/);
  const user = await authenticate(db, { username: 'old', password: 'right' }, SETTINGS);
  assert.match(user?.password ?? '', /^bcrypt_sha256\$\$2b\$05\$/);
  assert.deepEqual(user, await findUserByUsername(db, 'old'));
});

test('a right password is hashed anew by the first hasher, in whatever way of Django it was hashed', async () => {
  const stored = 'pbkdf2_sha1$20000$saltsaltsalt$ekYWsWZfYilxFu4urlZ8nDtNsrY=';
  await newUser('shared', { passwordHash: stored });
  const logIn = (password: string, hashers: string) => {
    const settings = settingsOf({ PASSWORD_HASHERS: hashers, BCRYPT_ROUNDS: String(ROUNDS) });
    return authenticate(db, { username: 'shared', password }, settings);
  };
  assert.equal(await logIn('pw-Fixture-123', 'bcrypt_sha256'), null);
  assert.equal(await logIn('wrong', 'bcrypt_sha256,pbkdf2_sha1'), null);
  assert.equal((await findUserByUsername(db, 'shared'))?.password, stored);
  for (const [hashers, format] of [
    ['bcrypt_sha256,pbkdf2_sha1', /^bcrypt_sha256\$\$2b\$05\$/],
    ['pbkdf2_sha256,bcrypt_sha256', /^pbkdf2_sha256\$1000000\$/],
    ['scrypt,pbkdf2_sha256', /^scrypt\$16384\$/],
    ['argon2,scrypt', /^argon2\$argon2id\$/],
  ] as const) {
    const user = await logIn('pw-Fixture-123', hashers);
    assert.match(user?.password ?? '', format);
    assert.deepEqual(user, await findUserByUsername(db, 'shared'));
    assert.deepEqual(await logIn('pw-Fixture-123', hashers), user);
  }
});

test('logins at the same time, each of which would hash anew, are all let in', async () => {
  await newUser('busy', { rounds: 4 });
  const users = await Promise.all(
    Array.from({ length: 6 }, () => authenticate(db, { username: 'busy', password: 'right' }, SETTINGS)),
  );
  const stored = await findUserByUsername(db, 'busy');
  for (const user of users) assert.deepEqual(user, stored);
});

/** Lets something happen while a login compares the password. */
function duringCheck(context: TestContext, action: () => Promise<unknown>): void {
  const compare = bcrypt.compare;
  context.mock.method(bcrypt, 'compare', async (data: string, stored: string) => {
    const matches = await compare(data, stored);
    await action();
    return matches;
  });
}

test('a password changed while it is checked is of no use any more', async (context) => {
  const changed = await hashPassword('new', SETTINGS);
  for (const rounds of [ROUNDS, 4]) {
    const user = await newUser(`changed${rounds}`, { rounds });
    duringCheck(context, () => setPassword(db, user.id, changed));
    assert.equal(await authenticate(db, { username: user.username, password: 'right' }, SETTINGS), null);
    assert.equal((await findUserByUsername(db, user.username))?.password, changed);
    context.mock.restoreAll();
  }
});

test('an account closed while its password is checked is not let in', async (context) => {
  const user = await newUser('closed');
  duringCheck(context, () =>
    db.updateTable('auth_user').set({ is_active: 0 }).where('id', '=', user.id).execute(),
  );
  assert.equal(await authenticate(db, { username: 'closed', password: 'right' }, SETTINGS), null);
});

test('an account deleted while its password is checked is not let in', async (context) => {
  const user = await newUser('deleted');
  duringCheck(context, () => db.deleteFrom('auth_user').where('id', '=', user.id).execute());
  assert.equal(await authenticate(db, { username: 'deleted', password: 'right' }, SETTINGS), null);
});
