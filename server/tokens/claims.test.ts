import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import {
  freshClaims,
  inheritedClaims,
  newJti,
  passwordMark,
  userClaims,
  withAudienceAndIssuer,
  withClaims,
} from './claims.ts';
import { AccessToken, RefreshToken, SlidingToken } from './classes.ts';
import { newDatabase, newUser } from './tokens.fixture.ts';

const IAT = 1_000_000;
const JTI = /^[0-9a-f]{32}$/;
let db: Database;
let user: UserRow;

before(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada', {
    email: 'ada@example.org',
    first_name: 'Ada',
    last_name: 'L<b>',
    is_staff: true,
    passwordHash: 'bcrypt_sha256$x',
  });
});
after(() => db.destroy());

describe('what every token sets for itself', () => {
  for (const [tokenClass, type, lifetime] of [
    [AccessToken, 'access', 300],
    [RefreshToken, 'refresh', 86_400],
  ] as const) {
    test(type, () => {
      const claims = freshClaims(settingsOf(), tokenClass, IAT);
      assert.deepEqual(Object.keys(claims), ['token_type', 'exp', 'iat', 'jti']);
      assert.deepEqual({ ...claims, jti: '' }, { token_type: type, exp: IAT + lifetime, iat: IAT, jti: '' });
      assert.match(String(claims.jti), JTI);
    });
  }
  test('sliding, which says also until when it can be renewed', () => {
    const claims = freshClaims(settingsOf(), SlidingToken, IAT);
    assert.deepEqual(Object.keys(claims), ['token_type', 'exp', 'iat', 'jti', 'refresh_exp']);
    assert.equal(claims.exp, IAT + 300);
    assert.equal(claims.refresh_exp, IAT + 86_400);
  });
  test('by the names and for the times that are set', () => {
    const settings = settingsOf({
      TOKEN_TYPE_CLAIM: 'typ',
      JTI_CLAIM: 'id',
      SLIDING_TOKEN_REFRESH_EXP_CLAIM: 'until',
      SLIDING_TOKEN_LIFETIME: '7s',
      SLIDING_TOKEN_REFRESH_LIFETIME: '2m',
    });
    const claims = freshClaims(settings, SlidingToken, IAT);
    assert.deepEqual(Object.keys(claims), ['typ', 'exp', 'iat', 'id', 'until']);
    assert.equal(claims.exp, IAT + 7);
    assert.equal(claims.until, IAT + 120);
  });
});

test('an id is another one each time', () => {
  const ids = Array.from({ length: 100 }, newJti);
  assert.equal(new Set(ids).size, 100);
  for (const id of ids) assert.match(id, JTI);
});

describe('whose token it is', () => {
  test('the id as a string', async () => {
    assert.deepEqual(await userClaims(db, settingsOf(), user), { user_id: String(user.id) });
  });
  test('the username, under another name', async () => {
    const settings = settingsOf({ USER_ID_FIELD: 'username', USER_ID_CLAIM: 'sub' });
    assert.deepEqual(await userClaims(db, settings, user), { sub: 'ada' });
  });
  test('the mark of the password behind it', async () => {
    const claims = await userClaims(db, settingsOf({ CHECK_REVOKE_TOKEN: 'true' }), user);
    assert.deepEqual(Object.entries(claims), [
      ['user_id', String(user.id)],
      ['hash_password', passwordMark(user)],
    ]);
  });
});

test("the mark of a password is the stored hash's MD5 in capital hex digits", () => {
  const expected = createHash('md5').update('bcrypt_sha256$x').digest('hex').toUpperCase();
  assert.equal(passwordMark(user), expected);
  assert.notEqual(passwordMark({ ...user, password: 'bcrypt_sha256$y' }), expected);
});

describe('custom claims', () => {
  test('fields, groups and constants, in the order of the setting', async () => {
    await db
      .insertInto('auth_group')
      .values([{ name: 'writers' }, { name: 'editors' }])
      .execute();
    for (const group of await db.selectFrom('auth_group').selectAll().execute()) {
      await db.insertInto('auth_user_groups').values({ user_id: user.id, group_id: group.id }).execute();
    }
    const TOKEN_CLAIMS =
      'tenant=acme,email=$email,groups=$groups,staff=$is_staff,root=$is_superuser,n=$id,name=$last_name,seen=$last_login,price=$$5';
    assert.deepEqual(Object.entries(await userClaims(db, settingsOf({ TOKEN_CLAIMS }), user)), [
      ['user_id', String(user.id)],
      ['tenant', 'acme'],
      ['email', 'ada@example.org'],
      ['groups', ['editors', 'writers']],
      ['staff', true],
      ['root', false],
      ['n', user.id],
      ['name', 'L<b>'],
      ['seen', null],
      ['price', '$5'],
    ]);
  });
  test('who is in no group has an empty list', async () => {
    const loner = await newUser(db, 'loner');
    const claims = await userClaims(db, settingsOf({ TOKEN_CLAIMS: 'groups=$groups' }), loner);
    assert.deepEqual(claims.groups, []);
  });
  for (const name of [
    'exp',
    'iat',
    'nbf',
    'jti',
    'aud',
    'iss',
    'sub',
    'token_type',
    'user_id',
    '__proto__',
  ]) {
    test(`never ${name}`, () => {
      assert.throws(() => settingsOf({ TOKEN_CLAIMS: `${name}=x` }), { name: 'SettingsError' });
    });
  }
});

describe('what an access token takes over', () => {
  const refresh = {
    token_type: 'refresh',
    exp: 9,
    iat: 1,
    jti: 'a',
    user_id: 7,
    hash_password: 'F',
    tenant: 'x',
    nbf: 1,
  };
  test('everything but type, exp, iat and jti, as it is and in its order', () => {
    const inherited = inheritedClaims(settingsOf(), refresh);
    assert.deepEqual(Object.entries(inherited), [
      ['user_id', 7],
      ['hash_password', 'F'],
      ['tenant', 'x'],
      ['nbf', 1],
    ]);
  });
  test('by the names that are set', () => {
    const settings = settingsOf({ TOKEN_TYPE_CLAIM: 'typ', JTI_CLAIM: 'id' });
    const inherited = inheritedClaims(settings, { ...refresh, typ: 'refresh', id: 'b' });
    assert.deepEqual(Object.keys(inherited), [
      'token_type',
      'jti',
      'user_id',
      'hash_password',
      'tenant',
      'nbf',
    ]);
  });
  test('a claim by the name of a prototype stays a claim', () => {
    const inherited = inheritedClaims(
      settingsOf(),
      JSON.parse('{"__proto__": {"user_id": 1}, "constructor": 2}'),
    );
    assert.equal(Object.getPrototypeOf(inherited), Object.prototype);
    assert.deepEqual(Object.keys(inherited), ['__proto__', 'constructor']);
  });
});

describe('audience and issuer', () => {
  test('neither where none is set', () => {
    assert.deepEqual(withAudienceAndIssuer(settingsOf(), { a: 1 }), { a: 1 });
  });
  test('last, aud before iss; one audience as a text', () => {
    const settings = settingsOf({ AUDIENCE: 'shop', ISSUER: 'me' });
    assert.equal(
      JSON.stringify(withAudienceAndIssuer(settings, { a: 1 })),
      '{"a":1,"aud":"shop","iss":"me"}',
    );
  });
  test('several audiences as a list', () => {
    assert.deepEqual(withAudienceAndIssuer(settingsOf({ AUDIENCE: 'shop,bank' }), {}).aud, ['shop', 'bank']);
  });
  test('a token that is signed anew has them anew', () => {
    const settings = settingsOf({ AUDIENCE: 'shop', ISSUER: 'me' });
    assert.deepEqual(withAudienceAndIssuer(settings, { aud: 'old', iss: 'old' }), { aud: 'shop', iss: 'me' });
  });
});

test('claims set anew keep their places', () => {
  const claims = withClaims(
    { token_type: 'refresh', exp: 1, iat: 1, jti: 'a', user_id: '7', x: [1] },
    { jti: 'b', exp: 2 },
  );
  assert.equal(
    JSON.stringify(claims),
    '{"token_type":"refresh","exp":2,"iat":1,"jti":"b","user_id":"7","x":[1]}',
  );
});
