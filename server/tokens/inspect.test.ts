import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import { distanceInWords, durationInWords, inspectToken } from './inspect.ts';
import { START, segment, signed } from './tokens.fixture.ts';

const NOW = Math.floor(START);
const PAYLOAD = {
  token_type: 'access',
  exp: NOW + 299,
  iat: NOW - 1,
  jti: 'abc',
  user_id: '7',
  tenant: { name: '<b>' },
};

function inspect(payload: unknown, header: unknown = { alg: 'HS256', typ: 'JWT' }, env = {}) {
  const anatomy = inspectToken(settingsOf(env), signed(payload, 'any key', header), NOW);
  assert.ok(anatomy);
  return anatomy;
}

test('a token in its parts', () => {
  const token = signed(PAYLOAD, 'any key');
  const [header, payload, signature] = token.split('.');
  const anatomy = inspectToken(settingsOf(), token, NOW);
  assert.equal(anatomy?.token, token);
  assert.deepEqual(anatomy?.segments, { header, payload, signature });
  assert.equal(anatomy?.type, 'access');
  assert.equal(anatomy?.expired, false);
  assert.deepEqual(
    anatomy?.header.map(({ name, value }) => [name, value]),
    [
      ['alg', '"HS256"'],
      ['typ', '"JWT"'],
    ],
  );
  assert.deepEqual(
    anatomy?.claims.map(({ name, value }) => [name, value]),
    Object.entries(PAYLOAD).map(([name, value]) => [name, JSON.stringify(value)]),
  );
});

test('every registered claim and every claim of ours is explained in words of its own', () => {
  const names = [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'token_type',
    'user_id',
    'refresh_exp',
    'hash_password',
  ];
  const { claims } = inspect(Object.fromEntries(names.map((name) => [name, 1])));
  assert.equal(new Set(claims.map(({ meaning }) => meaning)).size, names.length);
  for (const { name, meaning } of claims) assert.match(meaning, /^[A-Z].{10,}\.$/, name);
  assert.doesNotMatch(claims.map(({ meaning }) => meaning).join(), /Added by/);
  assert.match(inspect({ tenant: 1 }).claims[0]?.meaning ?? '', /Added by/);
});

test('claims by other names are explained as what they are', () => {
  const env = { USER_ID_CLAIM: 'sub', USER_ID_FIELD: 'username', JTI_CLAIM: 'id', TOKEN_TYPE_CLAIM: 'kind' };
  const { claims, type } = inspect(
    { sub: 'ada', id: 'x', kind: 'refresh', token_type: 'access' },
    undefined,
    env,
  );
  const meanings = Object.fromEntries(claims.map(({ name, meaning }) => [name, meaning]));
  assert.match(meanings.sub ?? '', /username of the account/);
  assert.match(meanings.id ?? '', /revoked/);
  assert.match(meanings.kind ?? '', /used for/);
  assert.match(meanings.token_type ?? '', /Added by/);
  assert.equal(type, 'refresh');
});

test('times are told as moments, other numbers are not', () => {
  const { claims, expires } = inspect({ ...PAYLOAD, refresh_exp: 0, nbf: NOW, n: NOW });
  const times = Object.fromEntries(claims.map(({ name, time }) => [name, time]));
  assert.deepEqual(times.exp, {
    iso: '2026-03-04T05:11:06.000Z',
    text: '2026-03-04 05:11:06 UTC',
    distance: 'in 4 min 59 s',
  });
  assert.deepEqual(expires, times.exp);
  assert.equal(times.iat?.distance, '1 s ago');
  assert.equal(times.nbf?.distance, 'now');
  assert.equal(times.refresh_exp?.text, '1970-01-01 00:00:00 UTC');
  for (const name of ['n', 'jti', 'user_id', 'token_type']) assert.equal(times[name], null);
});

describe('whether it has expired', () => {
  const rows: readonly [string, unknown, boolean, Record<string, string>?][] = [
    ['a second ahead', NOW + 1, false],
    ['now', NOW, true],
    ['a second ago', NOW - 1, true],
    ['within the leeway', NOW - 5, false, { LEEWAY: '10' }],
    ['past the leeway', NOW - 10, true, { LEEWAY: '10' }],
    ['no number', 'soon', false],
    ['null', null, false],
  ];
  for (const [name, exp, expired, env] of rows) {
    test(name, () => assert.equal(inspect({ exp }, undefined, env).expired, expired));
  }
});

test('a moment that no calendar holds is no moment', () => {
  for (const exp of [253_402_300_800, -1, 1e300, '1', null, [], {}])
    assert.equal(inspect({ exp }).expires, null);
  assert.equal(inspect({ exp: 253_402_300_799 }).expires?.iso, '9999-12-31T23:59:59.000Z');
});

test('a type that is no text is no type', () => {
  for (const token_type of [1, null, ['access'], {}]) assert.equal(inspect({ token_type }).type, null);
  assert.equal(inspect(JSON.parse('{"__proto__": {"token_type": "access"}}')).type, null);
});

test('names that every object has are names like any other', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const odd = JSON.parse(`{"${name}": 1}`);
    const { header, claims } = inspect(odd, { alg: 'HS256', ...JSON.parse(`{"x": 1}`) });
    assert.deepEqual(
      claims.map((claim) => [claim.name, claim.value]),
      [[name, '1']],
    );
    assert.equal(typeof claims[0]?.meaning, 'string');
    assert.equal(header.length, 2);
  }
});

test('in a header as well', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const header = JSON.parse(`{"alg": "HS256", "${name}": 1}`);
    assert.deepEqual(inspect({}, header).header.at(-1), { name, value: '1', meaning: '', time: null });
  }
});

test('what is no token is told apart', () => {
  for (const text of ['', 'a.b.c', 'x', '..', `${segment({})}.${segment([])}.AAAA`, signed('text', 'key')]) {
    assert.equal(inspectToken(settingsOf(), text, NOW), null);
  }
});

test('a token nested as deep as fits is taken apart', () => {
  const depth = 2_900;
  const payload = Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  assert.equal(inspect(payload).claims[0]?.value.length, depth * 2);
});

describe('spans of time', () => {
  const rows: readonly [number, string][] = [
    [0, '0 s'],
    [0.9, '0 s'],
    [1, '1 s'],
    [59.99, '59 s'],
    [60, '1 min'],
    [61, '1 min 1 s'],
    [299, '4 min 59 s'],
    [3_600, '1 h'],
    [3_601, '1 h'],
    [3_660, '1 h 1 min'],
    [86_399, '23 h 59 min'],
    [86_400, '1 d'],
    [90_061, '1 d 1 h'],
    [3_000_000_000, '34722 d 5 h'],
  ];
  for (const [seconds, words] of rows) {
    test(`${seconds} s: ${words}`, () => {
      assert.equal(durationInWords(seconds), words);
      assert.equal(durationInWords(-seconds), words);
      const isNow = seconds < 1;
      assert.equal(distanceInWords(seconds), isNow ? 'now' : `in ${words}`);
      assert.equal(distanceInWords(-seconds), isNow ? 'now' : `${words} ago`);
    });
  }
});
