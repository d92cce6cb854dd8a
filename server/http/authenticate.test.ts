import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import { contextAt, newUser, START, signed } from '../tokens/tokens.fixture.ts';
import { headerName, makeAuthenticator } from './authenticate.ts';
import { requestOf } from './http.fixture.ts';

let db: Database;
const token = signed({ token_type: 'access', exp: START + 60, jti: 'a', user_id: '1' }, TEST_KEY);

before(async () => {
  db = await newDatabase();
  await newUser(db, 'ada');
});
after(() => db.destroy());

async function who(headers: Record<string, string>, env = {}, pageToken: string | null = null) {
  const authenticate = makeAuthenticator(db, contextAt(settingsOf(env)));
  try {
    return (await authenticate(requestOf({ headers, exchange: { pageToken } })))?.user.username ?? null;
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error.code;
  }
}

describe('who makes a request', () => {
  test('by the Authorization header', async () => {
    assert.equal(await who({ authorization: `Bearer ${token}` }), 'ada');
    assert.equal(await who({ authorization: `Bearer   ${token} ` }), 'ada');
    assert.equal(await who({}), null);
    assert.equal(await who({ authorization: '' }), null);
    assert.equal(await who({ authorization: `bearer ${token}` }), null);
    assert.equal(await who({ authorization: token }), null);
    assert.equal(await who({ authorization: 'Bearer' }), 'bad_authorization_header');
    assert.equal(await who({ authorization: `Bearer ${token} ${token}` }), 'bad_authorization_header');
    assert.equal(await who({ authorization: 'Bearer x' }), 'bearer_not_valid');
  });
  test('by the header that is set, and by no other', async () => {
    const env = { AUTH_HEADER_NAME: 'HTTP_X_ACCESS_TOKEN' };
    assert.equal(await who({ 'x-access-token': `Bearer ${token}` }, env), 'ada');
    assert.equal(await who({ authorization: `Bearer ${token}` }, env), null);
  });
  test('by the words that are set', async () => {
    const env = { AUTH_HEADER_TYPES: 'JWT,Token' };
    for (const type of ['JWT', 'Token'])
      assert.equal(await who({ authorization: `${type} ${token}` }, env), 'ada');
    assert.equal(await who({ authorization: `Bearer ${token}` }, env), null);
  });
  test('by the token of a form, before the header', async () => {
    assert.equal(await who({}, {}, token), 'ada');
    assert.equal(await who({ authorization: `Bearer ${token}` }, {}, 'x'), 'bearer_not_valid');
  });
  test('not by a cookie, nor by the query', async () => {
    assert.equal(await who({ cookie: `access=${token}; Authorization=Bearer ${token}` }), null);
  });
});

describe('the HTTP name of a header', () => {
  for (const [name, expected] of [
    ['HTTP_AUTHORIZATION', 'authorization'],
    ['HTTP_X_ACCESS_TOKEN', 'x-access-token'],
    ['X_HTTP_TOKEN', 'x-http-token'],
  ] as const) {
    test(name, () => assert.equal(headerName(name), expected));
  }
});
