import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { connect } from '../db/connect.ts';
import { newDatabase } from '../db/database.fixture.ts';
import type { Database } from '../db/statement.ts';
import { settingsOf, TEST_KEY } from '../e2e/settings-of.ts';
import { buildApp } from './app.ts';
import type { Json } from './errors.ts';
import {
  shownAnswer,
  shownErrors,
  shownForms,
  shownRequest,
  shownSamples,
  unescaped,
} from './http/page.fixture.ts';
import { parseCompact } from './tokens/compact.ts';
import { START, START_SECOND, signed } from './tokens/tokens.fixture.ts';
import { hashPassword } from './users/hashers.ts';
import { createUser } from './users/users.ts';

const FORM = 'application/x-www-form-urlencoded';
const PASSWORD = 'pw-Fixture-123';
let db: Database;
let app: FastifyInstance;

before(async () => {
  db = await newDatabase();
  const passwordHash = await hashPassword(PASSWORD, settingsOf());
  for (const [username, is_active] of [
    ['ada', true],
    ['off', false],
    ['<script>alert(1)</script>', true],
  ] as const) {
    // Such a name cannot be made here, but a database made elsewhere may have it.
    const user = await createUser(
      db,
      { username: `user${username.length}`, passwordHash, is_active },
      new Date(),
    );
    await db.updateTable('auth_user').set({ username }).where('id', '=', user.id).execute();
  }
  app = await buildApp({ db, settings: settingsOf(), now: () => START });
  await app.ready();
});
after(async () => {
  await app.close();
  await db.destroy();
});

let ids = 0;

/** A genuine token of user 1 with an id of its own. */
function token(type: string, changes: object = {}): string {
  ids += 1;
  const claims = {
    token_type: type,
    exp: START_SECOND + 600,
    iat: START_SECOND - 1,
    jti: `id${ids}`,
    user_id: '1',
  };
  return signed({ ...claims, ...changes }, TEST_KEY);
}

interface Scenario {
  name: string;
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a text as it is. A function makes one for each of the two requests. */
  body?: object | string | (() => object);
  status: number;
  /** The body, in which `$token` stands for any token. */
  json: Json;
  /** Members of the answer's headers; absent where undefined. */
  also?: Record<string, string | undefined>;
}

const obtain = { url: '/api/token/', headers: {} };
const required = ['This field is required.'];
const blank = ['This field may not be blank.'];
const invalidToken = { detail: 'Token is invalid', code: 'token_not_valid' };
const challenge = { 'www-authenticate': 'Bearer realm="api"' };
const noAccount = { detail: 'No active account found with the given credentials' };

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'log in',
    ...obtain,
    body: { username: 'ada', password: PASSWORD },
    status: 200,
    json: { refresh: '$token', access: '$token' },
    also: { allow: 'POST, OPTIONS', 'cache-control': 'no-store', 'www-authenticate': undefined },
  },
  {
    name: 'wrong password',
    ...obtain,
    body: { username: 'ada', password: 'x' },
    status: 401,
    json: noAccount,
    also: challenge,
  },
  {
    name: 'unknown user',
    ...obtain,
    body: { username: 'eve', password: PASSWORD },
    status: 401,
    json: noAccount,
    also: challenge,
  },
  {
    name: 'inactive user',
    ...obtain,
    body: { username: 'off', password: PASSWORD },
    status: 401,
    json: noAccount,
    also: challenge,
  },
  { name: 'no fields', ...obtain, body: {}, status: 400, json: { username: required, password: required } },
  {
    name: 'no body',
    ...obtain,
    method: 'POST',
    status: 400,
    json: { username: required, password: required },
  },
  {
    name: 'blanks',
    ...obtain,
    body: { username: ' ', password: '' },
    status: 400,
    json: { username: blank, password: blank },
  },
  {
    name: 'a list',
    ...obtain,
    body: [],
    status: 400,
    json: { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] },
  },
  {
    name: 'a password longer than any',
    ...obtain,
    body: { username: 'ada', password: 'x'.repeat(4097) },
    status: 400,
    json: { password: ['Ensure this field has no more than 4096 characters.'] },
  },
  {
    name: 'a type that is not read',
    ...obtain,
    headers: { 'content-type': 'text/csv; header=present' },
    body: 'a,b',
    status: 415,
    json: { detail: 'Unsupported media type "text/csv; header=present" in request.' },
  },
  {
    name: 'a type that is none',
    ...obtain,
    headers: { 'content-type': 'csv' },
    body: 'a,b',
    status: 415,
    json: { detail: 'Unsupported media type "csv" in request.' },
  },
  {
    name: 'a body that is too large',
    ...obtain,
    body: { username: 'x'.repeat(1024 * 1024) },
    status: 413,
    json: { detail: 'Request body is larger than 1 MiB.' },
  },
  {
    name: 'GET where there is none',
    ...obtain,
    method: 'GET',
    status: 405,
    json: { detail: 'Method "GET" not allowed.' },
    also: { allow: 'POST, OPTIONS' },
  },
  {
    name: 'PUT where there is none',
    ...obtain,
    method: 'PUT',
    body: {},
    status: 405,
    json: { detail: 'Method "PUT" not allowed.' },
  },
  { name: 'TRACE', ...obtain, method: 'TRACE', status: 405, json: { detail: 'Method "TRACE" not allowed.' } },
  {
    name: 'OPTIONS',
    method: 'OPTIONS',
    url: '/api/token/verify/',
    status: 200,
    json: {
      name: 'Token Verify',
      description:
        "Takes a token and indicates if it is valid.  This view provides no\ninformation about a token's fitness for a particular use.",
      renders: ['application/json', 'text/html'],
      parses: ['application/json', FORM, 'multipart/form-data'],
      actions: { POST: { token: { type: 'string', required: true, read_only: false, label: 'Token' } } },
    },
  },
  {
    name: 'refresh',
    url: '/api/token/refresh/',
    body: () => ({ refresh: token('refresh') }),
    status: 200,
    json: { access: '$token' },
  },
  {
    name: 'refresh with noise',
    url: '/api/token/refresh/',
    body: { refresh: 'x' },
    status: 401,
    json: invalidToken,
    also: challenge,
  },
  {
    name: 'refresh, with times in fractions of a second, as other programs make them',
    url: '/api/token/refresh/',
    body: () => ({ refresh: token('refresh', { nbf: START - 0.5, iat: START - 0.5, exp: START + 0.5 }) }),
    status: 200,
    json: { access: '$token' },
  },
  {
    name: 'refresh with an expired token',
    url: '/api/token/refresh/',
    body: () => ({ refresh: token('refresh', { exp: START_SECOND }) }),
    status: 401,
    json: { detail: 'Token is expired', code: 'token_not_valid' },
  },
  {
    name: 'refresh with an access token',
    url: '/api/token/refresh/',
    body: () => ({ refresh: token('access') }),
    status: 401,
    json: { detail: 'Token has wrong type', code: 'token_not_valid' },
  },
  {
    name: 'refresh for one who is switched off',
    url: '/api/token/refresh/',
    body: () => ({ refresh: token('refresh', { user_id: '2' }) }),
    status: 401,
    json: { detail: 'No active account found for the given token.' },
  },
  {
    name: 'verify',
    url: '/api/token/verify/',
    body: () => ({ token: token('access') }),
    status: 200,
    json: {},
  },
  {
    name: 'verify a markup',
    url: '/api/token/verify/',
    body: { token: '"><script>alert(1)</script>' },
    status: 401,
    json: invalidToken,
  },
  {
    name: 'blacklist',
    url: '/api/token/blacklist/',
    body: () => ({ refresh: token('refresh') }),
    status: 200,
    json: {},
  },
  {
    name: 'sliding',
    url: '/api/token/sliding/',
    body: { username: 'ada', password: PASSWORD },
    status: 200,
    json: { token: '$token' },
  },
  {
    name: 'sliding refresh',
    url: '/api/token/sliding/refresh/',
    body: () => ({ token: token('sliding', { refresh_exp: START_SECOND + 60 }) }),
    status: 200,
    json: { token: '$token' },
  },
  {
    name: 'me, by nobody',
    method: 'GET',
    url: '/api/me/',
    status: 401,
    json: { detail: 'Authentication credentials were not provided.' },
    also: { ...challenge, allow: 'GET, HEAD, OPTIONS' },
  },
  {
    name: 'me',
    method: 'GET',
    url: '/api/me/',
    headers: { authorization: `Bearer ${token('access')}` },
    status: 200,
    json: { id: 1, username: 'ada' },
  },
  {
    name: 'me, by one whose name is markup',
    method: 'GET',
    url: '/api/me/',
    headers: { authorization: `Bearer ${token('access', { user_id: '3' })}` },
    status: 200,
    json: { id: 3, username: '<script>alert(1)</script>' },
  },
  {
    name: 'me, with two tokens',
    method: 'GET',
    url: '/api/me/',
    headers: { authorization: 'Bearer a b' },
    status: 401,
    json: {
      detail: 'Authorization header must contain two space-delimited values',
      code: 'bad_authorization_header',
    },
  },
  {
    name: 'me, by a refresh token',
    method: 'GET',
    url: '/api/me/',
    headers: { authorization: `Bearer ${token('refresh')}` },
    status: 401,
    json: {
      detail: 'Given token not valid for any token type',
      code: 'token_not_valid',
      messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token has wrong type' }],
    },
  },
  {
    name: 'me, posted to by nobody',
    url: '/api/me/',
    body: {},
    status: 401,
    json: { detail: 'Authentication credentials were not provided.' },
  },
  {
    name: 'a token endpoint does not look at the header',
    url: '/api/token/verify/',
    headers: { authorization: 'Bearer a b' },
    body: () => ({ token: token('access') }),
    status: 200,
    json: {},
  },
  {
    name: 'the root',
    method: 'GET',
    url: '/api/',
    headers: { host: 'jot.example:81' },
    status: 200,
    json: {
      token_obtain_pair: 'http://jot.example:81/api/token/',
      token_refresh: 'http://jot.example:81/api/token/refresh/',
      token_verify: 'http://jot.example:81/api/token/verify/',
      token_blacklist: 'http://jot.example:81/api/token/blacklist/',
      token_obtain_sliding: 'http://jot.example:81/api/token/sliding/',
      token_refresh_sliding: 'http://jot.example:81/api/token/sliding/refresh/',
      me: 'http://jot.example:81/api/me/',
    },
    also: { allow: 'GET, HEAD, OPTIONS' },
  },
  {
    name: 'nowhere',
    method: 'GET',
    url: '/nowhere/',
    status: 404,
    json: { detail: 'Not found.' },
    also: { allow: undefined },
  },
  {
    name: 'nowhere, in markup',
    method: 'GET',
    url: '/%3Cscript%3E/?<b>',
    status: 404,
    json: { detail: 'Not found.' },
  },
  { name: 'nowhere, posted to', url: '/nowhere/', body: {}, status: 404, json: { detail: 'Not found.' } },
];

/** The same request for JSON and for a page. */
async function ask({ method = 'POST', url = '/', headers = {}, body }: Scenario, accept: string) {
  const content = typeof body === 'function' ? body() : body;
  const type =
    content === undefined || typeof content === 'string' ? {} : { 'content-type': 'application/json' };
  const payload = typeof content === 'string' || content === undefined ? content : JSON.stringify(content);
  return app.inject({
    method: method as 'GET',
    url,
    headers: { accept, ...type, ...headers },
    ...(payload === undefined ? {} : { payload }),
  });
}

function masked(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replace(/"[\w-]+\.[\w-]+\.[\w-]+"/g, '"$token"'));
}

const NO_INLINE = /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:/i;

describe('as JSON and as a page', () => {
  for (const scenario of SCENARIOS) {
    test(`${scenario.name}: ${scenario.status}`, async () => {
      const json = await ask(scenario, 'application/json');
      const page = await ask(scenario, 'text/html');

      assert.equal(json.statusCode, scenario.status);
      assert.equal(json.headers['content-type'], 'application/json');
      assert.equal(json.headers.vary, 'Accept');
      assert.equal(json.body, JSON.stringify(json.json()), 'the JSON has blanks');
      assert.deepEqual(masked(json.json()), scenario.json);
      assert.equal(JSON.stringify(masked(json.json())), JSON.stringify(scenario.json), 'another order');

      assert.equal(page.statusCode, scenario.status);
      assert.match(String(page.headers['content-type']), /^text\/html; charset=utf-8$/);
      assert.equal(page.headers.vary, 'Accept, Cookie');
      const shown = shownAnswer(page.body);
      assert.equal(shown.statusLine, `HTTP ${scenario.status} ${STATUS_CODES[scenario.status]}`);
      assert.deepEqual(masked(shown.json), scenario.json);
      assert.ok(!NO_INLINE.test(page.body), 'there is script or style inline');

      assert.equal(shown.headers['Content-Type'], 'application/json');
      assert.equal(shown.headers.Vary, 'Accept');
      assert.equal(shown.headers.Allow, json.headers.allow);
      assert.equal(shown.headers['WWW-Authenticate'], json.headers['www-authenticate']);
      for (const reply of [json, page]) {
        assert.equal(reply.headers['cache-control'], 'no-store');
        assert.equal(reply.headers['x-content-type-options'], 'nosniff');
        for (const [name, value] of Object.entries(scenario.also ?? {}))
          assert.equal(reply.headers[name], value, name);
      }
    });
  }
});

describe('of every endpoint', () => {
  const paths = [
    '',
    'token/',
    'token/refresh/',
    'token/verify/',
    'token/blacklist/',
    'token/sliding/',
    'token/sliding/refresh/',
    'me/',
  ];
  for (const path of paths.map((end) => `/api/${end}`)) {
    test(`${path}: OPTIONS, HEAD and the slash`, async () => {
      const headers = { accept: '*/*', authorization: `Bearer ${token('access')}` };
      const options = await app.inject({ method: 'OPTIONS', url: path, headers });
      assert.equal(options.statusCode, 200);
      assert.ok(options.json().description !== undefined);
      const get = await app.inject({ method: 'GET', url: path, headers });
      const head = await app.inject({ method: 'HEAD', url: path, headers });
      assert.equal(head.statusCode, get.statusCode);
      for (const [method, query] of [
        ['GET', ''],
        ['POST', '?a=b%20c&format=json'],
      ] as const) {
        const reply = await app.inject({ method, url: path.slice(0, -1) + query });
        assert.equal(reply.statusCode, 301);
        assert.equal(reply.headers.location, path + query);
      }
    });
    test(`${path}: the page is under 60 KB with its style and script`, async () => {
      const page = await app.inject({ url: path, headers: { accept: 'text/html' } });
      const assets = [...page.body.matchAll(/(?:href|src)="(\/static\/[^"]+\.(?:css|js))"/g)].map(
        ([, url]) => url ?? '',
      );
      assert.ok(assets.length >= 2);
      const sizes = await Promise.all(
        assets.map(async (url) => (await app.inject({ url })).rawPayload.length),
      );
      const total = page.rawPayload.length + sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(total < 60 * 1024, `${total} bytes`);
    });
  }
});

test('a query with more than one question mark keeps all of it behind the slash', async () => {
  const reply = await app.inject({ url: '/api/token?next=a?b' });
  assert.equal(reply.headers.location, '/api/token/?next=a?b');
});

describe('the log-in page', () => {
  const submit = (fields: Record<string, string>) =>
    app.inject({
      method: 'POST',
      url: '/api/token/',
      headers: { accept: 'text/html', 'content-type': FORM },
      payload: new URLSearchParams(fields).toString(),
    });

  test('keeps the name and never the password', async () => {
    for (const fields of [
      { username: 'ada "<b>', password: 'hunter2' },
      { username: '', password: 'hunter2' },
      { username: 'ada "<b>', password: `hunter2${'x'.repeat(5_000)}` },
    ]) {
      const page = (await submit(fields)).body;
      assert.ok(!page.includes('hunter2'));
      const form = shownForms(page).find((one) => 'password' in one.fields);
      assert.deepEqual(form?.fields, { username: fields.username, password: '' });
    }
  });
  test('tells an error beside its field', async () => {
    const page = (await submit({ username: '', password: 'x' })).body;
    assert.deepEqual(shownErrors(page), ['This field may not be blank.']);
    assert.match(page, /id="post-username"[^>]*aria-invalid="true" aria-describedby="post-username-error"/);
  });
  test('shows the request as code, the password masked', async () => {
    const samples = shownSamples((await submit({ username: "o'brien", password: 'hunter2' })).body);
    assert.equal(Object.keys(samples).length, 4);
    for (const [label, code] of Object.entries(samples)) {
      assert.match(code, /\*{8}/, label);
      assert.match(code, /o('\\'')?'?brien/, label);
    }
  });
  test('takes the tokens of the answer apart and offers where they go, never in an address', async () => {
    const reply = await submit({ username: 'ada', password: PASSWORD });
    const { refresh, access } = shownAnswer(reply.body).json as { refresh: string; access: string };
    assert.equal(parseCompact(access).payload.exp, START_SECOND + 300);
    const steps = shownForms(reply.body)
      .filter(({ fields }) => Object.values(fields).some((value) => value === refresh || value === access))
      .map(({ action, button, fields, method }) => {
        const kind = Object.values(fields).includes(refresh) ? 'refresh' : 'access';
        return [kind, button, action, method, fields._method];
      });
    assert.deepEqual(steps, [
      ['refresh', 'Refresh with this token', '/api/token/refresh/', 'post', 'GET'],
      ['refresh', 'Blacklist', '/api/token/blacklist/', 'post', 'GET'],
      ['refresh', 'Verify', '/api/token/verify/', 'post', 'GET'],
      ['access', 'Use it at /api/me/', '/api/me/', 'post', 'GET'],
      ['access', 'Verify', '/api/token/verify/', 'post', 'GET'],
    ]);
    for (const address of reply.body.matchAll(/(?:href|src|action)="([^"]*)"/g))
      assert.ok(!address[1]?.includes('eyJ'));
    assert.match(unescaped(reply.body), /in 4 min 59 s|in 5 min/);
  });
  test('a next step opens its endpoint with the token filled in', async () => {
    const refresh = token('refresh');
    const page = await app.inject({
      method: 'POST',
      url: '/api/token/refresh/',
      headers: { accept: 'text/html', 'content-type': FORM },
      payload: new URLSearchParams({ _method: 'GET', refresh }).toString(),
    });
    assert.equal(page.statusCode, 405);
    assert.match(shownRequest(page.body), /^GET \/api\/token\/refresh\//);
    assert.equal(shownForms(page.body).find((form) => 'refresh' in form.fields)?.fields.refresh, refresh);
  });
  test('a refusal says what it means', async () => {
    for (const [fields, words] of [
      [{ username: 'eve', password: 'x' }, /createsuperuser/],
      [{ username: '', password: '' }, /field/],
    ] as const) {
      assert.match(
        unescaped(/class="advice"[\s\S]*?<\/p>/.exec((await submit(fields)).body)?.[0] ?? ''),
        words,
      );
    }
  });
});

describe('claims from elsewhere', () => {
  const markup = '"><img src=x onerror=alert(1)></textarea><script>alert(1)</script>';
  test('their markup is inert wherever the token is shown', async () => {
    const foreign = token('access', { tenant: markup, [markup]: 1, aud: [markup] });
    for (const fields of [{ _method: 'GET', token: foreign }, { token: `${foreign.slice(0, -4)}AAAA` }]) {
      const page = await app.inject({
        method: 'POST',
        url: '/api/token/verify/',
        headers: { accept: 'text/html', 'content-type': FORM },
        payload: new URLSearchParams(fields as Record<string, string>).toString(),
      });
      assert.ok(!/<img src=x|<script>/.test(page.body));
    }
  });
});

describe('pages for people', () => {
  for (const url of ['/', '/guide/']) {
    test(`${url} with the headers of a page`, async () => {
      const page = await app.inject({ url });
      assert.equal(page.statusCode, 200);
      assert.match(String(page.headers['content-type']), /^text\/html/);
      assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
      assert.equal(page.headers['x-content-type-options'], 'nosniff');
      assert.ok(!NO_INLINE.test(page.body));
      const head = await app.inject({ method: 'HEAD', url });
      assert.equal(head.statusCode, 200);
      assert.equal(head.body, '');
    });
  }
  test('the token of the guide opens no door', async () => {
    const page = (await app.inject({ url: '/guide/' })).body;
    const shown = unescaped(/<span data-copy="the token">([\s\S]*?)<\/p>/.exec(page)?.[1] ?? '').trim();
    assert.equal(parseCompact(shown).payload.token_type, 'access');
    const reply = await app.inject({ method: 'POST', url: '/api/token/verify/', payload: { token: shown } });
    assert.equal(reply.statusCode, 401);
  });
});

describe('what goes wrong', () => {
  test('on the server is a 500 that says nothing of its cause, as JSON and as a page', async () => {
    const broken = connect('sqlite::memory:');
    const ill = await buildApp({ db: broken, settings: settingsOf() });
    for (const accept of ['application/json', 'text/html']) {
      const reply = await ill.inject({
        method: 'POST',
        url: '/api/token/',
        headers: { accept },
        payload: { username: 'a', password: 'hunter2' },
      });
      assert.equal(reply.statusCode, 500);
      const body = accept === 'text/html' ? shownAnswer(reply.body).json : reply.json();
      assert.deepEqual(body, { detail: 'A server error occurred.' });
      assert.ok(!/auth_user|sqlite|\.ts:|hunter2/i.test(reply.body));
    }
    await ill.close();
    await broken.destroy();
  });
  test('in an address that cannot be read is 400', async () => {
    for (const url of ['/%', '/api/%ff', '/api/token/%zz/']) {
      const reply = await app.inject({ url });
      assert.ok(reply.statusCode === 400 || reply.statusCode === 404, `${url}: ${reply.statusCode}`);
      assert.equal(reply.headers['content-type'], 'application/json');
    }
  });
});

test('case 26: a body that never arrives is not waited for beyond a deadline', () => {
  assert.ok(app.server.requestTimeout > 0 && app.server.requestTimeout <= 60_000);
  assert.ok(app.server.headersTimeout > 0 && app.server.headersTimeout <= 60_000);
});
