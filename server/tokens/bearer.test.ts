import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import { authenticateBearer, bearerToken } from './bearer.ts';
import { contextAt, newDatabase, newUser, ownerOf, refusalOf, START, signed } from './tokens.fixture.ts';

let db: Database;
let user: UserRow;

before(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
after(() => db.destroy());

describe('the token of a header', () => {
  const rows: readonly [header: string, token: string | null | 'refused', types?: string[]][] = [
    ['Bearer x', 'x'],
    ['Bearer  x', 'x'],
    ['Bearer\tx', 'x'],
    [' Bearer x ', 'x'],
    ['', null],
    [' ', null],
    ['Bearer', 'refused'],
    ['Bearer ', 'refused'],
    ['Bearer x y', 'refused'],
    ['Bearer x,Bearer y', 'refused'],
    ['bearer x', null],
    ['BEARER x', null],
    ['Bearerx', null],
    ['Bearer:x', null],
    ['Basic x', null],
    ['Basic', null],
    ['x Bearer', null],
    ['Bearer\u00a0x', null],
    ['constructor x', null],
    ['JWT x', 'x', ['JWT', 'Token']],
    ['Token x', 'x', ['JWT', 'Token']],
    ['Bearer x', null, ['JWT', 'Token']],
    ['Token', 'refused', ['JWT', 'Token']],
  ];
  for (const [header, expected, types = ['Bearer']] of rows) {
    test(`${JSON.stringify(header)} for ${types}: ${expected}`, async () => {
      if (expected === 'refused') {
        assert.equal(await refusalOf(() => bearerToken(types, header)), 'bad_authorization_header');
      } else assert.equal(bearerToken(types, header), expected);
    });
  }
});

const token = (changes: object = {}) =>
  signed({ token_type: 'access', exp: START + 60, jti: 'a', user_id: String(user.id), ...changes }, TEST_KEY);

describe('the user of a token', () => {
  const context = contextAt(settingsOf());
  const authenticating = (changes: object) =>
    refusalOf(() => authenticateBearer(db, context, token(changes)));

  test('with its claims', async () => {
    const bearer = await authenticateBearer(db, context, token());
    assert.deepEqual(bearer.user, ownerOf(user));
    assert.equal(bearer.claims.jti, 'a');
    assert.equal(bearer.token, token());
  });
  test('a number as id works too', async () =>
    assert.equal(await authenticating({ user_id: user.id }), undefined));
  test('no id', async () =>
    assert.equal(await authenticating({ user_id: undefined }), 'bearer_without_user'));
  for (const user_id of [null, '', 0, '999', ['1'], { id: 1 }, 1e300, '1e0', ' 1', true]) {
    test(`nobody: ${JSON.stringify(user_id)}`, async () => {
      assert.equal(await authenticating({ user_id }), 'bearer_user_not_found');
    });
  }
  test('who was switched off', async () => {
    const off = await newUser(db, 'off', { is_active: false });
    assert.equal(await authenticating({ user_id: off.id }), 'bearer_user_inactive');
  });
  test('whose password changed', async () => {
    const strict = contextAt(settingsOf({ CHECK_REVOKE_TOKEN: 'true' }));
    assert.equal(await refusalOf(() => authenticateBearer(db, strict, token())), 'bearer_password_changed');
  });
});

describe('a token that is none of the classes', () => {
  async function refusal(text: string, AUTH_TOKEN_CLASSES = 'AccessToken'): Promise<AppError> {
    const context = contextAt(settingsOf({ AUTH_TOKEN_CLASSES }));
    const error = await authenticateBearer(db, context, text).catch((caught) => caught);
    assert.ok(error instanceof AppError, String(error));
    return error;
  }

  test('is told why', async () => {
    assert.deepEqual((await refusal(token({ token_type: 'refresh' }))).body, {
      detail: 'Given token not valid for any token type',
      code: 'token_not_valid',
      messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token has wrong type' }],
    });
  });
  test('is told so for each class, in the order of the setting', async () => {
    const { body } = await refusal(token({ exp: START }), 'SlidingToken,AccessToken');
    assert.deepEqual(body.messages, [
      { token_class: 'SlidingToken', token_type: 'sliding', message: 'Token is expired' },
      { token_class: 'AccessToken', token_type: 'access', message: 'Token is expired' },
    ]);
  });
  test('a refresh or sliding token opens the door where it is one of the classes, and only there', async () => {
    const both = contextAt(settingsOf({ AUTH_TOKEN_CLASSES: 'SlidingToken,AccessToken' }));
    for (const token_type of ['access', 'sliding']) {
      assert.deepEqual((await authenticateBearer(db, both, token({ token_type }))).user, ownerOf(user));
    }
    for (const token_type of ['refresh', 'sliding'])
      assert.equal((await refusal(token({ token_type }))).status, 401);
  });
  test('has advice for people', async () => {
    for (const text of ['x', token({ exp: 1 }), token({ token_type: 'refresh' })]) {
      assert.ok((await refusal(text)).advice.length > 20);
    }
  });
});

test('what is wrong with the database is no refusal of the token', async () => {
  const closed = await newDatabase();
  await closed.destroy();
  await assert.rejects(
    authenticateBearer(closed, contextAt(settingsOf()), token()),
    (error) => !(error instanceof AppError),
  );
});
