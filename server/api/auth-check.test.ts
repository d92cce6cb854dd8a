import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { buildApp } from '../app.ts';
import { unescaped } from '../http/page.fixture.ts';
import { START, START_SECOND, signed } from '../tokens/tokens.fixture.ts';
import { createUser } from '../users/users.ts';

const URL = '/api/auth/check/';
let db: Database;
let app: FastifyInstance;

before(async () => {
  db = await newDatabase();
  await createUser(db, { username: 'ada@example.com', passwordHash: '!' }, new Date());
  const settings = settingsOf({ AUTH_TOKEN_CLASSES: 'AccessToken,SlidingToken' });
  app = await buildApp({ db, settings, now: () => START });
  await app.ready();
});
after(async () => {
  await app.close();
  await db.destroy();
});

function token(changes: object = {}): string {
  const claims = {
    token_type: 'access',
    exp: START_SECOND + 600,
    iat: START_SECOND - 1,
    jti: 'x',
    user_id: '1',
  };
  return signed({ ...claims, ...changes }, TEST_KEY);
}

const check = (authorization: string | null, accept = 'application/json', method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ method, url: URL, headers: { accept, ...(authorization !== null && { authorization }) } });

describe('a good token', () => {
  test('is 204 without a body, and says in headers whose it is', async () => {
    const answer = await check(`Bearer ${token({ groups: ['ops', 'é'] })}`);
    assert.deepEqual([answer.statusCode, answer.body], [204, '']);
    assert.equal(answer.headers['content-type'], undefined);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers.allow, 'GET, HEAD, OPTIONS');
    assert.equal(answer.headers['x-auth-user-id'], '1');
    assert.equal(answer.headers['x-auth-username'], 'ada@example.com');
    const claims = Buffer.from(String(answer.headers['x-auth-claims']), 'base64url').toString();
    assert.deepEqual(JSON.parse(claims), {
      token_type: 'access',
      exp: START_SECOND + 600,
      iat: START_SECOND - 1,
      jti: 'x',
      user_id: '1',
      groups: ['ops', 'é'],
    });
  });

  test('is told by HEAD as well', async () => {
    const answer = await check(`Bearer ${token()}`, '*/*', 'HEAD');
    assert.deepEqual([answer.statusCode, answer.headers['x-auth-user-id']], [204, '1']);
  });

  for (const accept of ['image/avif', 'text/css,*/*;q=0.1', 'nonsense', '']) {
    test(`is told whatever is accepted: ${accept}`, async () => {
      assert.equal((await check(`Bearer ${token()}`, accept)).statusCode, 204);
      const refused = await check(null, accept);
      assert.equal(refused.statusCode, 401);
      assert.deepEqual(refused.json(), { detail: 'Authentication credentials were not provided.' });
    });
  }

  test('is shown on a page as 204 No Content, which as a page is 200', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: URL,
      headers: { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ _method: 'GET', _token: token() }).toString(),
    });
    assert.equal(answer.statusCode, 200);
    const page = unescaped(answer.body);
    const shown = /HTTP 204 No Content\n([\s\S]*?)\n\n(.*)\n/.exec(page);
    assert.match(shown?.[1] ?? '', /^X-Auth-User-Id: 1$/m);
    assert.doesNotMatch(shown?.[1] ?? '', /Content-Type/);
    assert.equal(shown?.[2]?.trim(), '');
    assert.match(page, /console\.log\(response\.status\);/);
    assert.match(page, /print\(response\.status_code\)/);
  });
});

describe('a token that is not taken is 401 with the usual body, and says nothing in headers:', () => {
  const cases: Readonly<Record<string, readonly [string | null, string]>> = {
    'none at all': [null, 'Authentication credentials were not provided.'],
    'no token': ['Bearer', 'Authorization header must contain two space-delimited values'],
    'one of another kind': [
      `Bearer ${token({ token_type: 'refresh' })}`,
      'Given token not valid for any token type',
    ],
    'one that expired': [
      `Bearer ${token({ exp: START_SECOND })}`,
      'Given token not valid for any token type',
    ],
    'one of a user who is gone': [`Bearer ${token({ user_id: '99' })}`, 'User not found'],
  };
  for (const [name, [authorization, detail]] of Object.entries(cases)) {
    test(name, async () => {
      const answer = await check(authorization);
      assert.equal(answer.statusCode, 401);
      assert.equal(answer.json().detail, detail);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="api"');
      assert.deepEqual(
        Object.keys(answer.headers).filter((header) => header.startsWith('x-auth')),
        [],
      );
    });
  }

  test('a revoked sliding token', async () => {
    const sliding = token({ token_type: 'sliding', jti: 'gone' });
    assert.equal((await check(`Bearer ${sliding}`)).statusCode, 204);
    const { id } = await db
      .insertInto('token_blacklist_outstandingtoken')
      .values({ token: 'h.p', jti: 'gone', user_id: 1, created_at: null, expires_at: '2027-01-01 00:00:00' })
      .returning('id')
      .executeTakeFirstOrThrow();
    await db
      .insertInto('token_blacklist_blacklistedtoken')
      .values({ token_id: id, blacklisted_at: '2026-01-01 00:00:00' })
      .execute();
    assert.equal((await check(`Bearer ${sliding}`)).statusCode, 401);
  });
});

describe('a username that another program stored cannot break out of its header:', () => {
  const names: Readonly<Record<string, string>> = {
    zoë: 'zo%C3%AB',
    北京: '%E5%8C%97%E4%BA%AC',
    'a b': 'a%20b',
    '100%': '100%25',
    'x\r\nX-Auth-User-Id: 2': 'x%0D%0AX-Auth-User-Id:%202',
    '\u007f\u0001': '%7F%01',
  };
  for (const [name, header] of Object.entries(names)) {
    test(JSON.stringify(name), async () => {
      await db.updateTable('auth_user').set({ username: name }).where('id', '=', 1).execute();
      const answer = await check(`Bearer ${token()}`);
      assert.deepEqual([answer.statusCode, answer.headers['x-auth-username']], [204, header]);
      assert.equal(decodeURIComponent(header), name);
    });
  }
});

test('a POST is not for it, and OPTIONS describes it', async () => {
  const headers = { authorization: `Bearer ${token()}` };
  assert.equal((await app.inject({ method: 'POST', url: URL, headers })).statusCode, 405);
  const options = await app.inject({ method: 'OPTIONS', url: URL, headers });
  assert.deepEqual([options.statusCode, options.json().name], [200, 'Auth Check']);
});
