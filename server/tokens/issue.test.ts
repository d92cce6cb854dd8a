import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { SettingName } from '../settings.ts';
import { passwordMark } from './claims.ts';
import { withoutSignature } from './compact.ts';
import { accessFrom, obtainPair, obtainSliding } from './issue.ts';
import {
  contextAt,
  newDatabase,
  newUser,
  payloadOf,
  recorded,
  START,
  START_SECOND,
} from './tokens.fixture.ts';

let db: Database;
let user: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada', { email: 'ada@example.org' });
});
afterEach(() => db.destroy());

test('a pair: refresh first, its claims in the order of the original', async () => {
  const pair = await obtainPair(db, contextAt(settingsOf()), user);
  assert.deepEqual(Object.keys(pair), ['refresh', 'access']);
  const refresh = payloadOf(pair.refresh);
  const access = payloadOf(pair.access);
  assert.deepEqual(Object.entries(refresh), [
    ['token_type', 'refresh'],
    ['exp', START_SECOND + 86_400],
    ['iat', START_SECOND],
    ['jti', refresh.jti],
    ['user_id', String(user.id)],
  ]);
  assert.deepEqual(Object.entries(access), [
    ['token_type', 'access'],
    ['exp', START_SECOND + 300],
    ['iat', START_SECOND],
    ['jti', access.jti],
    ['user_id', String(user.id)],
  ]);
  assert.notEqual(refresh.jti, access.jti);
});

test('with everything that settings add, aud and iss stand last', async () => {
  const settings = settingsOf({
    CHECK_REVOKE_TOKEN: 'true',
    AUDIENCE: 'shop,bank',
    ISSUER: 'me',
    TOKEN_CLAIMS: 'email=$email,tenant=acme',
  });
  const { refresh, access } = await obtainPair(db, contextAt(settings), user);
  const added = [
    ['user_id', String(user.id)],
    ['hash_password', passwordMark(user)],
    ['email', 'ada@example.org'],
    ['tenant', 'acme'],
    ['aud', ['shop', 'bank']],
    ['iss', 'me'],
  ];
  for (const token of [refresh, access]) {
    assert.deepEqual(Object.entries(payloadOf(token)).slice(4), added);
  }
});

test('the refresh token alone is recorded, without its signature', async () => {
  const { refresh } = await obtainPair(db, contextAt(settingsOf()), user);
  assert.deepEqual(await recorded(db), [
    {
      jti: payloadOf(refresh).jti,
      token: withoutSignature(refresh),
      user_id: user.id,
      created_at: '2026-03-04 05:06:07.250000',
      expires_at: '2026-03-05 05:06:07',
      blacklisted_at: null,
    },
  ]);
  assert.equal((await recorded(db))[0]?.token.split('.').length, 2);
});

test('a sliding token is recorded and says until when it can be renewed', async () => {
  const context = contextAt(settingsOf({ SLIDING_TOKEN_REFRESH_LIFETIME: '2d' }));
  const answer = await obtainSliding(db, context, user);
  assert.deepEqual(Object.keys(answer), ['token']);
  const claims = payloadOf(answer.token);
  assert.deepEqual(Object.keys(claims), ['token_type', 'exp', 'iat', 'jti', 'refresh_exp', 'user_id']);
  assert.equal(claims.token_type, 'sliding');
  assert.equal(claims.exp, START_SECOND + 300);
  assert.equal(claims.refresh_exp, START_SECOND + 2 * 86_400);
  assert.deepEqual(
    (await recorded(db)).map(({ jti, token }) => [jti, token]),
    [[claims.jti, withoutSignature(answer.token)]],
  );
});

test('the record of a sliding token lasts as long as its last renewal can', async () => {
  const end = async (env: Partial<Record<SettingName, string>>) => {
    await obtainSliding(db, contextAt(settingsOf(env)), user);
    return (await recorded(db)).at(-1)?.expires_at;
  };
  assert.equal(await end({}), '2026-03-05 05:11:07');
  assert.equal(await end({ SLIDING_TOKEN_REFRESH_LIFETIME: '2d' }), '2026-03-06 05:11:07');
  assert.equal(
    await end({ SLIDING_TOKEN_REFRESH_LIFETIME: '1s', SLIDING_TOKEN_LIFETIME: '1h' }),
    '2026-03-04 06:06:08',
  );
});

test('the last login is set where that is asked, and only there', async () => {
  const lastLogin = async () =>
    (await db.selectFrom('auth_user').select('last_login').executeTakeFirstOrThrow()).last_login;
  await obtainPair(db, contextAt(settingsOf()), user);
  await obtainSliding(db, contextAt(settingsOf()), user);
  assert.equal(await lastLogin(), null);
  const context = contextAt(settingsOf({ UPDATE_LAST_LOGIN: 'true' }));
  await obtainPair(db, context, user);
  assert.equal(await lastLogin(), '2026-03-04 05:06:07.250000');
  context.setNow(START + 60);
  await obtainSliding(db, context, user);
  assert.equal(await lastLogin(), '2026-03-04 05:07:07.250000');
});

test('no last login without a recorded token, nor the reverse', async () => {
  const context = contextAt(settingsOf({ UPDATE_LAST_LOGIN: 'true' }));
  const signer = { ...context.signer, sign: () => 'not.recorded' };
  const failing = { ...context, signer, now: () => Number.NaN };
  await assert.rejects(obtainPair(db, failing, user));
  const row = await db.selectFrom('auth_user').select('last_login').executeTakeFirstOrThrow();
  assert.equal(row.last_login, null);
  assert.deepEqual(await recorded(db), []);
});

test('an access token takes over what a refresh token says, but not its audience of another time', () => {
  const settings = settingsOf({ AUDIENCE: 'shop' });
  const token = accessFrom(contextAt(settings), {
    token_type: 'refresh',
    exp: 1,
    jti: 'r',
    user_id: 7,
    aud: 'old',
    x: null,
  });
  const { jti, ...claims } = payloadOf(token);
  assert.deepEqual(claims, {
    token_type: 'access',
    exp: START_SECOND + 300,
    iat: START_SECOND,
    user_id: 7,
    aud: 'shop',
    x: null,
  });
  assert.notEqual(jti, 'r');
});
