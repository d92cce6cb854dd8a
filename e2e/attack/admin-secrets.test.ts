import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { TEST_KEY } from '../settings-of.ts';
import { AdminSite, addressOf, adminRoutes, type Things } from './admin-site.ts';
import { formFor } from './admin-table.ts';
import { AdminVisitor } from './admin-visitor.ts';
import { Attack, PASSWORD, type Reply } from './attack.ts';

const PAGES = await adminRoutes();

const ENTERED = 'pw-Entered-789';

let site: AdminSite;
let superuser: AdminVisitor;
let things: Things;
let pair: { refresh: string; access: string };

before(async () => {
  site = await AdminSite.start({
    LOG_LEVEL: 'trace',
    CHECK_REVOKE_TOKEN: 'true',
    LOGIN_FAILURES_PER_ACCOUNT: '0',
  });
  superuser = await site.visitor('superuser');
  things = await site.things();
  pair = await site.attack.logIn(things.user.username);
  // Hashes of all kinds, and one that is none.
  for (const [name, password] of Object.entries({
    pbkdf2: 'pbkdf2_sha256$1000000$saltsaltsalt$ZmFrZWhhc2hmYWtlaGFzaGZha2VoYXNoZmFrZWhhc2g=',
    argon2: 'argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$ZmFrZWhhc2hmYWtlaGFzaGZha2U',
    scrypt: 'scrypt$16384$saltsaltsalt$8$5$ZmFrZWhhc2hmYWtlaGFzaGZha2VoYXNoZmFrZWhhc2g=',
    bcrypt: 'bcrypt$$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234',
    md5: 'md5$saltsaltsalt$0123456789abcdef0123456789abcdef',
    clear: 'hunter2-in-the-clear',
    unusable: '!RandomTextOfAnUnusablePassword1234567890',
  })) {
    const { id } = await site.account({ username: name });
    await site.db.updateTable('auth_user').set({ password }).where('id', '=', id).execute();
  }
});
after(() => site.end());

/** What no page may show: every stored hash, whole or what is secret in it, and all that opens anything. */
async function secrets(): Promise<string[]> {
  const users = await site.db.selectFrom('auth_user').select('password').execute();
  const sessions = await site.db
    .selectFrom('jotgate_admin_session')
    .select(['key_hash', 'password_mark'])
    .execute();
  return [
    ...users.flatMap(({ password }) => [password, password.split('$').at(-1) ?? password]),
    ...sessions.flatMap(({ key_hash, password_mark }) => [key_hash, password_mark]),
    TEST_KEY,
    PASSWORD,
    ENTERED,
    superuser.cookies.get('jotgate_admin') ?? '',
    ...[pair.access, pair.refresh].map((token) => token.split('.')[2] ?? ''),
  ].filter((secret) => secret.length >= 8);
}

async function assertKeepsSecrets(reply: Reply, what: string): Promise<void> {
  const text = reply.body.replaceAll('&#39;', "'").replaceAll('<wbr>', '');
  for (const secret of await secrets()) {
    assert.ok(!text.includes(secret), `${what} shows ${secret.slice(0, 12)}…`);
    assert.ok(!String(reply.headers.location ?? '').includes(secret), what);
  }
  const plain = text.replace(/<[^>]*>/g, ' ');
  for (const [shown] of plain.matchAll(/[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g)) {
    const { status } = await site.attack.send('/api/token/verify/', { body: { token: shown } });
    assert.equal(status, 401, `${what} shows a token that is of use`);
  }
}

describe('case 34: no page, log line or export shows a secret', () => {
  test('a page that shows one is found out', async () => {
    const page = (body: string): Reply => ({ status: 200, headers: {}, body });
    for (const secret of [pair.access, things.user.password, TEST_KEY])
      await assert.rejects(assertKeepsSecrets(page(`<p>${secret}</p>`), ''));
  });
  test('what is opened', () =>
    site.attack.case(34, async () => {
      const viewer = await site.visitor('viewer');
      const manager = await site.visitor('manager');
      for (const { path } of PAGES) {
        const address = addressOf(path, things);
        for (const visitor of [superuser, manager, viewer])
          await assertKeepsSecrets(await visitor.get(address), address);
      }
    }));
  test('the form of every account, with the hash as a masked summary', () =>
    site.attack.case(34, async () => {
      for (const { id, username } of await site.db
        .selectFrom('auth_user')
        .select(['id', 'username'])
        .execute()) {
        for (const page of ['change', 'password', 'delete', 'history', 'revoke']) {
          const address = `/admin/auth/user/${id}/${page}/`;
          await assertKeepsSecrets(await superuser.get(address), `${address} of ${username}`);
        }
      }
      const { id } = await site.user('pbkdf2');
      const { body } = await superuser.get(`/admin/auth/user/${id}/change/`);
      assert.match(body, /pbkdf2_sha256[\s\S]*1000000[\s\S]*saltsa?\*{4,}[\s\S]*ZmFrZW\*{8,}/);
    }));
  test('every token that was given out', () =>
    site.attack.case(34, async () => {
      for (const { id } of await site.db
        .selectFrom('token_blacklist_outstandingtoken')
        .select('id')
        .execute()) {
        const address = `/admin/token_blacklist/outstandingtoken/${id}/change/`;
        await assertKeepsSecrets(await superuser.get(address), address);
      }
    }));
  test('what is sent, right or wrong, is not given back', () =>
    site.attack.case(34, async () => {
      const passwords = {
        password: ENTERED,
        password1: ENTERED,
        password2: `${ENTERED}x`,
        old_password: ENTERED,
        new_password1: ENTERED,
        new_password2: `${ENTERED}x`,
      };
      for (const { path, post } of PAGES) {
        if (post === undefined) continue;
        const fresh = await site.things();
        const visitor = await site.visitor('superuser');
        const form = await formFor(path, fresh, visitor);
        for (const one of [passwords, { ...form, ...passwords }, form]) {
          const reply = await visitor.post(addressOf(path, fresh), one);
          await assertKeepsSecrets(reply, `POST ${path}`);
          const { location } = reply.headers;
          if (location !== undefined)
            await assertKeepsSecrets(await visitor.get(String(location)), `after ${path}`);
        }
      }
      superuser = await site.visitor('superuser');
      await superuser.post('/admin/token_blacklist/blacklistedtoken/add/', { jti: pair.refresh });
    }));
  test('the history of all that, on its pages and in the exports', () =>
    site.attack.case(34, async () => {
      for (let page = 1; page <= 3; page += 1)
        await assertKeepsSecrets(await superuser.get(`/admin/history/?p=${page}`), `history ${page}`);
      for (const { id } of await site.db.selectFrom('jotgate_event').select('id').limit(200).execute())
        await assertKeepsSecrets(await superuser.get(`/admin/history/${id}/`), `event ${id}`);
      for (const { path } of PAGES.filter((page) => page.path.endsWith('/export/'))) {
        const reply = await superuser.get(path);
        assert.ok(reply.body.length > 200, path);
        await assertKeepsSecrets(reply, path);
      }
    }));
  test('what was tried as a username is not kept where it may be a password', () =>
    site.attack.case(34, async () => {
      const visitor = await site.visitor('anonymous');
      await visitor.post('/admin/login/', { username: 'my-Secret-Pass-1', password: 'staff' });
      const rows = await site.db.selectFrom('jotgate_event').selectAll().execute();
      assert.ok(rows.some(({ kind }) => kind === 'admin_login_refused'));
      assert.ok(!JSON.stringify(rows).includes('my-Secret-Pass-1'));
    }));
  test('the log, at its most talkative', () =>
    site.attack.case(34, async () => {
      const key = superuser.cookies.get('jotgate_admin') ?? '';
      const csrf = superuser.cookies.get('jotgate_csrf') ?? '';
      await superuser.get(
        `/admin/?csrfmiddlewaretoken=${superuser.token}&password=${ENTERED}&jotgate_admin=${key}`,
      );
      await superuser.get(`/admin/setup/?key=${key}`);
      await superuser.get(`/admin/login/?next=${encodeURIComponent(`/admin/?password=${ENTERED}`)}`);
      // Logs go out behind the event loop's back.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const log = site.attack.server.stdout() + site.attack.server.stderr();
      assert.ok(log.includes('/admin/'), 'requests are logged at all');
      for (const secret of [...(await secrets()), key, csrf, superuser.token]) {
        for (const trace of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex')])
          assert.ok(!log.includes(trace), `${secret.slice(0, 12)}… stands in the log`);
      }
    }));
});

describe('case 34: the address of the set-up', () => {
  let folder: string;
  let attack: Attack;
  let key: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'jotgate-setup-'));
    // Nobody has an account there.
    attack = await Attack.resume(folder, { LOG_LEVEL: 'trace' });
    key = /\/admin\/setup\/\?key=([\w-]{20,})/.exec(attack.server.stdout())?.[1] ?? '';
    assert.notEqual(key, '', attack.server.stdout());
  });
  afterEach(async () => {
    await attack.end();
    rmSync(folder, { recursive: true });
  });

  test('is told once to the terminal, and to nobody else; the database has a hash of it', () =>
    attack.case(34, async () => {
      assert.equal(attack.server.stdout().split(key).length, 2);
      const { database } = attack.server;
      for (const end of ['', '-wal']) assert.ok(!readFileSync(`${database}${end}`, 'latin1').includes(key));
      const visitor = new AdminVisitor(attack);
      assert.equal((await visitor.get(`/admin/setup/?key=${key}`)).status, 200);
      for (const wrong of ['', key.slice(1), `${key}x`, key.toUpperCase(), '%', `x&key=${key}`])
        assert.equal((await visitor.get(`/admin/setup/?key=${wrong}`)).status, 404, wrong);
      for (const other of ['/admin/', '/admin/login/', '/admin/setup/', '/', '/api/'])
        assert.ok(!(await visitor.get(other)).body.includes(key), other);
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.ok(!attack.server.stderr().includes(key), 'it stands in the log');
    }));
  test('makes one superuser, of however many who come at the same time', () =>
    attack.case(34, async () => {
      const visitors = Array.from({ length: 20 }, () => new AdminVisitor(attack));
      await Promise.all(visitors.map((visitor) => visitor.get(`/admin/setup/?key=${key}`)));
      const passwords = { password1: ENTERED, password2: ENTERED };
      const replies = await Promise.all(
        visitors.map((visitor, index) =>
          visitor.post('/admin/setup/', { key, username: `root${index}`, email: '', ...passwords }),
        ),
      );
      const statuses = replies.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [303, ...Array<number>(19).fill(404)]);
      const winner = visitors[replies.findIndex(({ status }) => status === 303)] as AdminVisitor;
      assert.ok(await winner.isIn());
      assert.equal((await winner.get(`/admin/setup/?key=${key}`)).status, 404);
      const again = { key, username: 'again', email: '', ...passwords };
      assert.equal((await winner.post('/admin/setup/', again)).status, 404);
    }));
});
