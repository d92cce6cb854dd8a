import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { toSqlTime } from '../../db/values.ts';
import { storedText } from '../database-query.ts';
import { AdminSite, addressOf, adminRoutes, type Things } from './admin-site.ts';
import { formFor, rowOf } from './admin-table.ts';
import type { AdminVisitor } from './admin-visitor.ts';
import { PASSWORD, type Reply, token } from './attack.ts';

const PAGES = await adminRoutes();

/** The pages that ask who it is. */
const GUARDED = PAGES.filter(({ access }) => access !== 'anyone');

const COOKIE = 'jotgate_admin';

let site: AdminSite;
let superuser: AdminVisitor;
let things: Things;

before(async () => {
  site = await AdminSite.start({ LOGIN_FAILURES_PER_ACCOUNT: '0' });
  superuser = await site.visitor('superuser');
  things = await site.things();
});
after(() => site.end());

const keyOf = (visitor: AdminVisitor) => visitor.cookies.get(COOKIE) ?? '';

/** Somebody who has nothing but the key of a session. */
async function holderOf(key: string): Promise<AdminVisitor> {
  const holder = await site.visitor('anonymous');
  holder.cookies.set(COOKIE, key);
  return holder;
}

/** An account of staff that nobody else uses, logged in. */
let accounts = 0;
async function someone(extra: { is_superuser?: boolean } = {}) {
  accounts += 1;
  const user = await site.account({ username: `someone${accounts}`, is_staff: true, ...extra });
  await site.grant(user.username, 'view_%');
  return { user, visitor: await logIn(user.username) };
}

async function logIn(username: string, password = PASSWORD): Promise<AdminVisitor> {
  const visitor = await site.visitor('anonymous');
  const { status } = await visitor.logIn(username, password);
  assert.equal(status, 303, username);
  return visitor;
}

/** That every guarded page sends somebody to the log-in, and takes nothing from him. */
async function assertOutside(visitor: AdminVisitor, what: string): Promise<void> {
  await site.changesNothing(what, async () => {
    for (const { path, post } of GUARDED) {
      const address = addressOf(path, things);
      const replies: Reply[] = [await visitor.get(address)];
      if (post !== undefined) {
        await visitor.get('/admin/login/');
        replies.push(await visitor.post(address, await formFor(path, things, superuser)));
      }
      for (const { status, headers, body } of replies) {
        assert.equal(status, 303, `${what}: ${address}`);
        assert.match(String(headers.location), /^\/admin\/login\/\?next=/, `${what}: ${address}`);
        assert.equal(body, '', `${what}: ${address}`);
      }
    }
  });
}

describe('case 28: sessions', () => {
  test('a log-in makes a new key, and takes none that was there before', () =>
    site.attack.case(28, async () => {
      const mine = keyOf(await logIn('staff'));
      for (const chosen of ['chosen', 'A'.repeat(43), mine, keyOf(superuser)]) {
        const visitor = await site.visitor('anonymous');
        visitor.cookies.set(COOKIE, chosen);
        await visitor.get('/admin/login/');
        await visitor.post('/admin/login/', { username: 'viewer', password: PASSWORD });
        assert.notEqual(keyOf(visitor), chosen);
        assert.ok(await visitor.isIn());
        const holder = await holderOf(chosen);
        assert.equal(await holder.isIn(), false, 'the key from before is one of a session now');
      }
      superuser = await site.visitor('superuser');
    }));
  test('keys are long, each is another one, and the database has none of them', () =>
    site.attack.case(28, async () => {
      const keys = new Set<string>();
      for (let times = 0; times < 5; times += 1) keys.add(keyOf(await logIn('staff')));
      assert.equal(keys.size, 5);
      const stored = await storedText(site.attack.server.databaseUrl);
      for (const key of keys) {
        assert.match(key, /^[\w-]{43,}$/);
        assert.ok(!stored.includes(key));
        assert.ok(stored.includes(createHash('sha256').update(key).digest('hex')));
      }
    }));
  test('what is no key opens nothing', () =>
    site.attack.case(28, async () => {
      const hash = createHash('sha256').update(keyOf(superuser)).digest('hex');
      for (const key of [
        '',
        ' ',
        hash,
        '1',
        "' OR 1=1 --",
        '%00',
        '%',
        '%E0%A4%A',
        `${keyOf(superuser)}x`,
        keyOf(superuser).slice(0, -1),
        keyOf(superuser).toUpperCase(),
        `"${keyOf(superuser)}x"`,
        'x'.repeat(8_000),
        '__proto__',
        'null',
      ]) {
        const reply = await site.attack.send('/admin/', {
          method: 'GET',
          headers: { accept: 'text/html', cookie: `${COOKIE}=${key}` },
        });
        assert.ok([303, 431].includes(reply.status), `${key.slice(0, 20)}: ${reply.status}`);
      }
    }));
  test('a cookie that was copied is dead after the log-out', () =>
    site.attack.case(28, async () => {
      const { visitor } = await someone();
      const copy = await holderOf(keyOf(visitor));
      assert.ok(await copy.isIn());
      assert.equal((await visitor.post('/admin/logout/')).status, 303);
      assert.equal(visitor.cookies.has(COOKIE), false);
      await assertOutside(copy, 'after the log-out');
    }));
  test('who logs in again in the same browser ends the session before', () =>
    site.attack.case(28, async () => {
      const { user, visitor } = await someone();
      const copy = await holderOf(keyOf(visitor));
      await visitor.post('/admin/login/', { username: user.username, password: PASSWORD });
      assert.ok(await visitor.isIn());
      assert.equal(await copy.isIn(), false);
    }));

  /** When a session was last used, and when it began, in seconds before now. */
  const ages: readonly (readonly [idle: number, age: number, isAlive: boolean])[] = [
    [0, 0, true],
    [3_590, 3_590, true],
    [3_601, 3_601, false],
    [60, 43_190, true],
    [0, 43_201, false],
  ];
  for (const [idle, age, isAlive] of ages) {
    test(`${idle} s after its last request and ${age} s after the log-in it is ${isAlive ? 'alive' : 'over'}`, () =>
      site.attack.case(28, async () => {
        const { user, visitor } = await someone();
        const ago = (seconds: number) => toSqlTime(new Date(Date.now() - seconds * 1_000));
        await site.db
          .updateTable('jotgate_admin_session')
          .set({ last_seen_at: ago(idle), created_at: ago(age) })
          .where('user_id', '=', user.id)
          .execute();
        const copy = await holderOf(keyOf(visitor));
        if (isAlive) assert.ok(await copy.isIn());
        else await assertOutside(copy, `${idle}, ${age}`);
      }));
  }
  test('the timeouts are settings', async () => {
    const brief = await AdminSite.start({ ADMIN_SESSION_IDLE_TIMEOUT: '60', ADMIN_SESSION_LIFETIME: '2m' });
    try {
      await brief.attack.case(28, async () => {
        for (const [idle, age, isAlive] of [
          [50, 110, true],
          [61, 61, false],
          [1, 121, false],
        ] as const) {
          const visitor = await brief.visitor('staff');
          const ago = (seconds: number) => toSqlTime(new Date(Date.now() - seconds * 1_000));
          const times = { last_seen_at: ago(idle), created_at: ago(age) };
          await brief.db.updateTable('jotgate_admin_session').set(times).execute();
          assert.equal(await visitor.isIn(), isAlive, `${idle}, ${age}`);
        }
      });
    } finally {
      await brief.end();
    }
  });

  /** What ends the sessions of somebody, whoever does it. */
  const ends: Readonly<Record<string, (user: { id: number; username: string }) => Promise<unknown>>> = {
    'is demoted by another program': ({ id }) => setFields(id, { is_staff: 0 }),
    'is switched off by another program': ({ id }) => setFields(id, { is_active: 0 }),
    'is given another password by another program': ({ id }) => setFields(id, { password: '!other' }),
    'is deleted by another program': ({ id }) =>
      site.db.transaction().execute(async (trx) => {
        await trx.deleteFrom('auth_user_user_permissions').where('user_id', '=', id).execute();
        await trx.deleteFrom('auth_user').where('id', '=', id).execute();
      }),
    'is demoted': (user) => change(user.id, ({ is_staff: _, ...form }) => form),
    'is switched off': (user) => change(user.id, ({ is_active: _, ...form }) => form),
    'is switched off with others': (user) => bulk(user.id, 'deactivate'),
    'is given another password': (user) =>
      superuser.post(`/admin/auth/user/${user.id}/password/`, {
        usable_password: 'true',
        password1: 'pw-Another-456',
        password2: 'pw-Another-456',
      }),
    'is deprived of the password': (user) =>
      superuser.post(`/admin/auth/user/${user.id}/password/`, { usable_password: 'false', confirmed: '1' }),
    'is deleted': (user) => superuser.post(`/admin/auth/user/${user.id}/delete/`),
    'is deleted with others': (user) => bulk(user.id, 'delete_selected'),
    'changes the password elsewhere': async ({ username }) => {
      const elsewhere = await logIn(username);
      const reply = await elsewhere.post('/admin/password_change/', {
        old_password: PASSWORD,
        new_password1: 'pw-Another-456',
        new_password2: 'pw-Another-456',
      });
      assert.ok(await elsewhere.isIn(), 'the session that changed it goes on');
      return reply;
    },
  };
  for (const [name, end] of Object.entries(ends)) {
    test(`are over by the next request when somebody ${name}`, () =>
      site.attack.case(28, async () => {
        const { user, visitor } = await someone();
        const other = await logIn(user.username);
        const reply = (await end(user)) as Partial<Reply> | undefined;
        if (reply?.body !== undefined) assert.equal(reply.status, 303, reply.body.slice(0, 3_000));
        await assertOutside(visitor, name);
        assert.equal(await other.isIn(), false);
      }));
  }
  test('who comes to be staff later is in only by logging in', () =>
    site.attack.case(28, async () => {
      const { id } = await site.account({ username: 'rising' });
      const visitor = await site.visitor('anonymous');
      await visitor.logIn('rising');
      await setFields(id, { is_staff: 1 });
      assert.equal(await visitor.isIn(), false);
      await visitor.logIn('rising');
      assert.ok(await visitor.isIn());
    }));
  test('a permission that is taken away is gone by the next request', () =>
    site.attack.case(28, async () => {
      const { user, visitor } = await someone();
      assert.equal((await visitor.get('/admin/auth/user/')).status, 200);
      await site.db.deleteFrom('auth_user_user_permissions').where('user_id', '=', user.id).execute();
      assert.equal((await visitor.get('/admin/auth/user/')).status, 403);
      const { user: other, visitor: ruler } = await someone({ is_superuser: true });
      assert.equal((await ruler.get('/admin/createsuperuser/')).status, 200);
      await setFields(other.id, { is_superuser: 0 });
      assert.equal((await ruler.get('/admin/createsuperuser/')).status, 403);
    }));

  const setFields = (id: number, fields: object) =>
    site.db.updateTable('auth_user').set(fields).where('id', '=', id).execute();

  async function change(
    id: number,
    edit: (form: Record<string, string[]>) => Record<string, string[]>,
  ): Promise<Reply> {
    const path = `/admin/auth/user/${id}/change/`;
    return superuser.post(path, edit(await superuser.formOn(path)));
  }

  const bulk = (id: number, action: string) =>
    superuser.post('/admin/auth/user/', {
      action,
      _selected_action: String(id),
      confirmed: '1',
      counted: '1',
    });
});

describe('case 30: a token is no session, and a session no token', () => {
  test('a token of a superuser opens no page, wherever it is put', () =>
    site.attack.case(30, async () => {
      const { id } = await site.user('superuser');
      const pair = await site.attack.logIn('superuser');
      const own = ['access', 'refresh', 'sliding'].map((type) =>
        token({ token_type: type, user_id: String(id) }),
      );
      for (const jwt of [pair.access, pair.refresh, ...own]) {
        const bearer = await site.visitor('anonymous');
        const authorization = `Bearer ${jwt}`;
        for (const { path } of GUARDED) {
          const address = addressOf(path, things);
          for (const reply of [
            await bearer.get(address, { authorization }),
            await bearer.get(`${address}?token=${jwt}&access=${jwt}&_token=${jwt}`),
            await bearer.get(address, { cookie: `${COOKIE}=${jwt}; sessionid=${jwt}; access=${jwt}` }),
          ]) {
            assert.equal(reply.status, 303, address);
            assert.match(String(reply.headers.location), /^\/admin\/login\//);
          }
        }
      }
    }));
  test('nor does anything with it', () =>
    site.attack.case(30, async () => {
      const { access } = await site.attack.logIn('superuser');
      const bearer = await site.visitor('anonymous');
      await site.changesNothing('a bearer', async () => {
        for (const { path, post } of GUARDED) {
          if (post === undefined) continue;
          const form = { ...(await formFor(path, things, superuser)), _token: access };
          const headers = { authorization: `Bearer ${access}` };
          for (const token of [bearer.token, null]) {
            const { status, headers: got } = await bearer.post(addressOf(path, things), form, {
              headers,
              token,
            });
            assert.equal(status, token === null ? 403 : 303, path);
            if (token !== null) assert.match(String(got.location), /^\/admin\/login\//);
          }
        }
      });
    }));
  test('the cookie of a superuser is no credential of the API', () =>
    site.attack.case(30, async () => {
      const cookie = [...superuser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const key = keyOf(superuser);
      for (const accept of ['application/json', 'text/html']) {
        const me = (headers: Record<string, string>) =>
          site.attack.send('/api/me/', { method: 'GET', headers: { accept, ...headers } });
        assert.equal((await me({ cookie })).status, 401);
        assert.equal((await me({ authorization: `Bearer ${key}` })).status, 401);
        assert.equal((await me({ cookie, authorization: `Bearer ${key}` })).status, 401);
      }
      for (const [path, field] of [
        ['/api/token/verify/', 'token'],
        ['/api/token/refresh/', 'refresh'],
        ['/api/token/blacklist/', 'refresh'],
      ] as const) {
        const withKey = await site.attack.send(path, { headers: { cookie }, body: { [field]: key } });
        assert.equal(withKey.status, 401, path);
        const without = await site.attack.send(path, { headers: { cookie }, body: {} });
        assert.equal(without.status, 400, path);
      }
      const login = await site.attack.send('/api/token/', {
        headers: { cookie },
        body: { username: 'superuser' },
      });
      assert.equal(login.status, 400);
    }));
});

describe('case 35: cookies and headers', () => {
  let secure: AdminSite;
  const HTTPS = { 'x-forwarded-proto': 'https' };

  before(async () => {
    secure = await AdminSite.start({ TRUST_PROXY: '127.0.0.1' });
  });
  after(() => secure.end());

  function assertCookies(reply: Reply, isSecure: boolean, what: string): void {
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) {
      const [pair = '', ...attributes] = line.split('; ');
      const names = attributes.map((attribute) => attribute.toLowerCase());
      assert.ok(names.includes('httponly'), `${what}: ${line}`);
      assert.ok(names.includes('samesite=lax') || names.includes('samesite=strict'), `${what}: ${line}`);
      assert.ok(names.includes('path=/'), `${what}: ${line}`);
      assert.ok(!names.some((name) => name.startsWith('domain')), `${what}: ${line}`);
      assert.equal(names.includes('secure'), isSecure, `${what}: ${line}`);
      assert.equal(pair.startsWith('__Host-'), isSecure, `${what}: ${line}`);
    }
  }

  function assertHeaders({ status, headers }: Reply, what: string): void {
    assert.equal(headers['cache-control'], 'no-store', `${what}: ${status} may be kept`);
    assert.equal(headers['x-content-type-options'], 'nosniff', `${what}: ${status} may be sniffed`);
    assert.equal(headers['x-powered-by'], undefined, what);
    if (!String(headers['content-type'] ?? '').startsWith('text/html')) return;
    assert.equal(headers['content-type'], 'text/html; charset=utf-8', what);
    const policy = new Map(
      String(headers['content-security-policy'])
        .split(';')
        .map((directive) => directive.trim().split(/ (.*)/) as [string, string]),
    );
    for (const directive of ['default-src', 'object-src', 'base-uri', 'frame-ancestors'])
      assert.equal(policy.get(directive), "'none'", `${what} ${directive}`);
    for (const directive of ['script-src', 'style-src', 'img-src', 'connect-src', 'form-action'])
      assert.ok(["'self'", "'none'"].includes(policy.get(directive) ?? "'none'"), `${what} ${directive}`);
    assert.match(String(headers['referrer-policy']), /^(same-origin|no-referrer|strict-origin.*)$/, what);
    assert.match(String(headers['x-frame-options']), /^DENY$/i, what);
  }

  test('of every page, for everybody, whatever comes', () =>
    site.attack.case(35, async () => {
      const visitors = [await site.visitor('anonymous'), await site.visitor('staff'), superuser];
      for (const { path } of [...PAGES, { path: '/admin/nowhere/' }]) {
        const address = path === '/admin/nowhere/' ? path : addressOf(path, things);
        for (const visitor of visitors) {
          for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS']) {
            const reply = await visitor.send(method, address, {});
            assertHeaders(reply, `${method} ${address}`);
            assertCookies(reply, false, `${method} ${address}`);
            assert.equal(reply.headers['strict-transport-security'], undefined);
          }
          assertHeaders(await visitor.get(address.slice(0, -1)), address.slice(0, -1));
        }
      }
    }));
  test('of what is done', () =>
    site.attack.case(35, async () => {
      for (const { path } of PAGES.filter((page) => rowOf(page.path).form !== undefined)) {
        const fresh = await site.things();
        const visitor = await site.visitor('superuser');
        const address = addressOf(path, fresh);
        const reply = await visitor.post(address, await formFor(path, fresh, visitor));
        assertHeaders(reply, `POST ${address}`);
        assertCookies(reply, false, `POST ${address}`);
        const next = await visitor.get('/admin/');
        assertCookies(next, false, 'the page after');
      }
    }));
  test('over https every cookie is secure and bound to the host, and browsers come back by https', () =>
    secure.attack.case(35, async () => {
      const visitor = await secure.visitor('anonymous');
      visitor.cookies.clear();
      const page = await visitor.get('/admin/login/', HTTPS);
      assertCookies(page, true, 'the log-in');
      assert.match(String(page.headers['strict-transport-security']), /max-age=\d{7,}/);
      const credentials = { username: 'superuser', password: PASSWORD };
      const origin = secure.attack.server.url.replace('http:', 'https:');
      const reply = await visitor.post('/admin/login/', credentials, { headers: { ...HTTPS, origin } });
      assert.equal(reply.status, 303);
      assertCookies(reply, true, 'logged in');
      assert.ok(visitor.cookies.has(`__Host-${COOKIE}`));
      const index = await visitor.get('/admin/', HTTPS);
      assert.equal(index.status, 200);
      assertHeaders(index, 'the index');
      assert.match(String(index.headers['strict-transport-security']), /max-age=\d{7,}/);
      assertCookies(await visitor.post('/admin/logout/', {}, { headers: HTTPS }), true, 'logged out');
    }));
  test('a cookie without the prefix, which plain http could have set, is none over https', () =>
    secure.attack.case(35, async () => {
      const visitor = await secure.visitor('superuser');
      assert.ok(await visitor.isIn());
      const { status } = await visitor.get('/admin/', HTTPS);
      assert.equal(status, 303);
    }));
  test('who is not behind a proxy that is trusted cannot say that it was https', () =>
    site.attack.case(35, async () => {
      const visitor = await site.visitor('anonymous');
      const reply = await visitor.get('/admin/login/', { ...HTTPS, forwarded: 'proto=https' });
      assertCookies(reply, false, 'the log-in');
      assert.equal(reply.headers['strict-transport-security'], undefined);
    }));
});
