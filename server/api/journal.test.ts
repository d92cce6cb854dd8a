import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { buildApp } from '../app.ts';
import { START, START_SECOND, signed } from '../tokens/tokens.fixture.ts';
import { hashPassword } from '../users/hashers.ts';
import { createUser } from '../users/users.ts';

const PASSWORD = 'pw-Fixture-123';
const OTHER_KEY = 'another-key-'.repeat(6);
let db: Database;
let app: FastifyInstance;

before(async () => {
  db = await newDatabase();
  const passwordHash = await hashPassword(PASSWORD, settingsOf());
  for (const [username, is_active] of [
    ['ada', true],
    ['off', false],
  ] as const) {
    await createUser(db, { username, passwordHash, is_active }, new Date());
  }
  app = await buildApp({ db, settings: settingsOf(), now: () => START });
  await app.ready();
});
after(async () => {
  await app.close();
  await db.destroy();
});

let ids = 0;

function token(type: string, changes: object = {}, key = TEST_KEY): string {
  ids += 1;
  const claims = {
    token_type: type,
    exp: START_SECOND + 600,
    iat: START_SECOND - 1,
    jti: `id${ids}`,
    user_id: '1',
  };
  return signed({ ...claims, ...changes }, key);
}

interface Recorded {
  kind: string;
  reason: string;
  actor: string;
  object: string;
}

interface Ask {
  method?: string;
  url: string;
  body?: object;
  headers?: Record<string, string>;
  form?: string;
}

/** Makes a request and gives what was recorded of it. */
async function ask(
  to: FastifyInstance,
  { method = 'POST', url, body, headers = {}, form }: Ask,
): Promise<Recorded[]> {
  const before = await rowsAfter(0);
  const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const payload = form ?? (body === undefined ? undefined : JSON.stringify(body));
  await to.inject({
    method: method as 'GET',
    url,
    headers: { 'user-agent': 'Tester/1', ...(payload !== undefined && { 'content-type': type }), ...headers },
    ...(payload !== undefined && { payload }),
  });
  await to.journal.flush();
  const rows = await rowsAfter(before.at(-1)?.id ?? 0);
  for (const row of rows) {
    assert.deepEqual(
      [row.via, row.address, row.user_agent, row.at, row.count, row.changes],
      ['api', '127.0.0.1', 'Tester/1', '2026-03-04 05:06:07.250000', 1, '[]'],
    );
  }
  return rows.map((row) => ({
    kind: row.kind,
    reason: row.reason,
    actor: row.actor_id === null ? '' : `${row.actor_id} ${row.actor_name}`,
    object: row.object_type === '' ? '' : `${row.object_type} ${row.object_id} ${row.object_name}`,
  }));
}

function rowsAfter(id: number) {
  return db.selectFrom('jotgate_event').selectAll().where('id', '>', id).orderBy('id').execute();
}

interface Scenario {
  name: string;
  ask: () => Ask;
  /** Null where nothing is recorded. */
  recorded: Partial<Recorded> | null;
}

const obtain =
  (body: object): (() => Ask) =>
  () => ({ url: '/api/token/', body });
const refresh =
  (make: () => string): (() => Ask) =>
  () => ({ url: '/api/token/refresh/', body: { refresh: make() } });
const verify =
  (make: () => string): (() => Ask) =>
  () => ({ url: '/api/token/verify/', body: { token: make() } });
const blacklist =
  (make: () => string): (() => Ask) =>
  () => ({
    url: '/api/token/blacklist/',
    body: { refresh: make() },
  });
const me =
  (make: () => string): (() => Ask) =>
  () => ({
    method: 'GET',
    url: '/api/me/',
    headers: { authorization: make() },
  });
const expired = { exp: START_SECOND };

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a login',
    ask: obtain({ username: 'ada', password: PASSWORD }),
    recorded: { kind: 'login', actor: '1 ada' },
  },
  {
    name: 'a login by another Unicode form of the name',
    ask: obtain({ username: ' ａda ', password: PASSWORD }),
    recorded: { kind: 'login', actor: '1 ada' },
  },
  {
    name: 'a login for a sliding token',
    ask: () => ({ url: '/api/token/sliding/', body: { username: 'ada', password: PASSWORD } }),
    recorded: { kind: 'login', actor: '1 ada' },
  },
  {
    name: 'a wrong password: nobody has proved to be ada, it is about her account',
    ask: obtain({ username: 'ada', password: 'wrong-secret' }),
    recorded: { kind: 'login_refused', reason: 'no_active_account', object: 'user 1 ada' },
  },
  {
    name: 'an account that is switched off',
    ask: obtain({ username: 'off', password: PASSWORD }),
    recorded: { kind: 'login_refused', reason: 'no_active_account', object: 'user 2 off' },
  },
  {
    name: 'a password typed into the field for the name, of which nothing is kept',
    ask: obtain({ username: 'hunter2-secret', password: 'x' }),
    recorded: { kind: 'login_refused', reason: 'no_active_account' },
  },
  {
    name: 'a name longer than any',
    ask: obtain({ username: 'secret'.repeat(1_000), password: 'x' }),
    recorded: { kind: 'login_refused', reason: 'no_active_account' },
  },
  { name: 'fields that are missing', ask: obtain({ username: 'ada' }), recorded: null },
  {
    name: 'a method that there is none of',
    ask: () => ({ method: 'GET', url: '/api/token/' }),
    recorded: null,
  },
  { name: 'OPTIONS', ask: () => ({ method: 'OPTIONS', url: '/api/token/' }), recorded: null },
  {
    name: 'a refresh',
    ask: refresh(() => token('refresh')),
    recorded: { kind: 'refreshed', actor: '1 ada' },
  },
  {
    name: 'a refresh, the user named by a number',
    ask: refresh(() => token('refresh', { user_id: 1 })),
    recorded: { kind: 'refreshed', actor: '1 ada' },
  },
  {
    name: 'a refresh for no one in particular',
    ask: refresh(() => token('refresh', { user_id: undefined })),
    recorded: { kind: 'refreshed' },
  },
  {
    name: 'a sliding refresh',
    ask: () => ({
      url: '/api/token/sliding/refresh/',
      body: { token: token('sliding', { refresh_exp: START_SECOND + 60 }) },
    }),
    recorded: { kind: 'refreshed', actor: '1 ada' },
  },
  {
    name: 'a refresh with an expired token',
    ask: refresh(() => token('refresh', expired)),
    recorded: { kind: 'refresh_refused', reason: 'token_expired', object: 'user 1 ada' },
  },
  {
    name: 'a refresh with an access token',
    ask: refresh(() => token('access')),
    recorded: { kind: 'refresh_refused', reason: 'token_wrong_type', object: 'user 1 ada' },
  },
  {
    name: 'a refresh for one who is switched off',
    ask: refresh(() => token('refresh', { user_id: '2' })),
    recorded: { kind: 'refresh_refused', reason: 'token_user_inactive', object: 'user 2 off' },
  },
  {
    name: 'a refresh for one who is gone: the id remains',
    ask: refresh(() => token('refresh', { user_id: '99' })),
    recorded: { kind: 'refresh_refused', reason: 'token_user_inactive', object: 'user 99 ' },
  },
  {
    name: 'a refresh with a token that another key signed: what it says does not count',
    ask: refresh(() => token('refresh', {}, OTHER_KEY)),
    recorded: { kind: 'refresh_refused', reason: 'token_invalid' },
  },
  {
    name: 'a refresh with noise',
    ask: refresh(() => 'noise-secret'),
    recorded: { kind: 'refresh_refused', reason: 'token_invalid' },
  },
  { name: 'a verification', ask: verify(() => token('access')), recorded: null },
  {
    name: 'a verification of an expired token',
    ask: verify(() => token('access', expired)),
    recorded: { kind: 'verify_refused', reason: 'token_expired', object: 'user 1 ada' },
  },
  {
    name: 'a verification of a forged token',
    ask: verify(() => token('access', {}, OTHER_KEY)),
    recorded: { kind: 'verify_refused', reason: 'token_invalid' },
  },
  {
    name: 'a revocation: by whom, and which token',
    ask: blacklist(() => token('refresh', { jti: 'revoke-me' })),
    recorded: { kind: 'token_blacklisted', actor: '1 ada', object: 'outstandingtoken 4 revoke-me' },
  },
  {
    name: 'a verification of a revoked token',
    ask: verify(() => token('refresh', { jti: 'revoke-me' })),
    recorded: { kind: 'verify_refused', reason: 'token_blacklisted_at_verify', object: 'user 1 ada' },
  },
  {
    name: 'a second revocation',
    ask: blacklist(() => token('refresh', { jti: 'revoke-me' })),
    recorded: { kind: 'blacklist_refused', reason: 'token_blacklisted', object: 'user 1 ada' },
  },
  { name: 'a protected endpoint, opened', ask: me(() => `Bearer ${token('access')}`), recorded: null },
  { name: 'a protected endpoint, without a token', ask: me(() => ''), recorded: null },
  {
    name: 'a protected endpoint, with a scheme that is not ours',
    ask: me(() => 'Basic YTpi'),
    recorded: null,
  },
  {
    name: 'a protected endpoint, with an expired token',
    ask: me(() => `Bearer ${token('access', expired)}`),
    recorded: { kind: 'bearer_refused', reason: 'token_expired', object: 'user 1 ada' },
  },
  {
    name: 'a protected endpoint, with a forged token',
    ask: me(() => `Bearer ${token('access', {}, OTHER_KEY)}`),
    recorded: { kind: 'bearer_refused', reason: 'token_invalid' },
  },
  {
    name: 'a protected endpoint, by one who is switched off',
    ask: me(() => `Bearer ${token('access', { user_id: '2' })}`),
    recorded: { kind: 'bearer_refused', reason: 'bearer_user_inactive', object: 'user 2 off' },
  },
  {
    name: 'a protected endpoint, by one who is gone',
    ask: me(() => `Bearer ${token('access', { user_id: '99' })}`),
    recorded: { kind: 'bearer_refused', reason: 'bearer_user_not_found', object: 'user 99 ' },
  },
  {
    name: 'a protected endpoint, with two tokens',
    ask: me(() => 'Bearer a b'),
    recorded: { kind: 'bearer_refused', reason: 'bad_authorization_header' },
  },
  {
    name: 'a protected endpoint, with an expired token from the form of its page',
    ask: () => ({
      url: '/api/me/',
      headers: { accept: 'text/html' },
      form: `_method=GET&_token=${token('access', expired)}`,
    }),
    recorded: { kind: 'bearer_refused', reason: 'token_expired', object: 'user 1 ada' },
  },
  {
    name: 'a login on its page',
    ask: () => ({
      url: '/api/token/',
      headers: { accept: 'text/html' },
      form: `username=ada&password=${PASSWORD}`,
    }),
    recorded: { kind: 'login', actor: '1 ada' },
  },
  { name: 'an address that leads nowhere', ask: () => ({ method: 'GET', url: '/nowhere/' }), recorded: null },
  {
    name: 'a method that nobody has heard of',
    ask: () => ({ method: 'PURGE', url: '/api/token/' }),
    recorded: null,
  },
];

describe('what is recorded of', () => {
  for (const { name, ask: make, recorded } of SCENARIOS) {
    test(name, async () => {
      const expected = recorded === null ? [] : [{ reason: '', actor: '', object: '', ...recorded }];
      assert.deepEqual(await ask(app, make()), expected);
    });
  }
});

test('no row holds a password, a token or what was typed in vain', async () => {
  const rows = JSON.stringify(await rowsAfter(0));
  for (const secret of [PASSWORD, 'secret', 'noise', 'eyJ', TEST_KEY])
    assert.ok(!rows.includes(secret), secret);
});

test('a token that names its user by username is told by that', async () => {
  const byName = await buildApp({
    db,
    settings: settingsOf({ USER_ID_FIELD: 'username' }),
    now: () => START,
  });
  const body = { refresh: token('refresh', { user_id: 'ada' }) };
  const [event] = await ask(byName, { url: '/api/token/refresh/', body });
  assert.deepEqual([event?.kind, event?.actor], ['refreshed', '1 ada']);
  await byName.close();
});

test('behind a proxy the address is that of the client', async () => {
  const proxied = await buildApp({
    db,
    settings: settingsOf({ TRUST_PROXY: '127.0.0.1' }),
    now: () => START,
  });
  const before = (await rowsAfter(0)).at(-1)?.id ?? 0;
  await proxied.inject({
    method: 'POST',
    url: '/api/token/verify/',
    headers: { 'x-forwarded-for': '203.0.113.7' },
    payload: { token: 'x' },
  });
  await proxied.close();
  assert.deepEqual(
    (await rowsAfter(before)).map(({ address, user_agent }) => [address, user_agent.split('/')[0]]),
    [['203.0.113.7', 'lightMyRequest']],
  );
});

test('many refusals of one client become one row, and the answers do not wait for it', async () => {
  const before = (await rowsAfter(0)).at(-1)?.id ?? 0;
  const answers = await Promise.all(
    Array.from({ length: 50 }, () =>
      app.inject({ method: 'POST', url: '/api/token/verify/', payload: { token: token('access', expired) } }),
    ),
  );
  assert.ok(answers.every(({ statusCode }) => statusCode === 401));
  await app.journal.flush();
  const rows = await rowsAfter(before);
  assert.equal(
    rows.reduce((sum, { count }) => sum + count, 0),
    50,
  );
  assert.ok(rows.length < 50);
});

test('closing the app writes what is left, while the database is still there', async () => {
  const closing = await buildApp({ db, settings: settingsOf(), now: () => START });
  const before = (await rowsAfter(0)).at(-1)?.id ?? 0;
  await closing.inject({ method: 'POST', url: '/api/token/verify/', payload: { token: 'x' } });
  await closing.close();
  assert.equal((await rowsAfter(before)).length, 1);
});

test('a history that cannot be written holds nobody up and is told of in the log', async () => {
  const lines: string[] = [];
  const log = (first: unknown) => lines.push(String((first as { err?: Error }).err?.message));
  const quiet = () => {};
  const logger = { level: 'info', info: quiet, warn: quiet, debug: quiet, trace: quiet, silent: quiet };
  const logging = { ...logger, error: log, fatal: log, child: () => logging };
  const own = await newDatabase();
  await own.schema.dropTable('jotgate_event').execute();
  const broken = await buildApp({
    db: own,
    settings: settingsOf(),
    now: () => START,
    logger: logging as never,
  });
  const { statusCode } = await broken.inject({
    method: 'POST',
    url: '/api/token/verify/',
    payload: { token: 'x' },
  });
  assert.equal(statusCode, 401);
  await broken.journal.flush();
  assert.match(lines[0] ?? '', /jotgate_event/);
  await broken.close();
  await own.destroy();
});
