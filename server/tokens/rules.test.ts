import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { ErrorCode } from '../errors.ts';
import type { SettingName } from '../settings.ts';
import { AccessToken, RefreshToken, SlidingToken, type TokenClass, UntypedToken } from './classes.ts';
import type { Claims } from './compact.ts';
import type { Algorithm } from './context.ts';
import { CLAIM_RULES, CLASS_RULES, HEADER_RULES, isNumericDate, own, type Rule } from './rules.ts';
import { START as NOW } from './tokens.fixture.ts';

type Environment = Partial<Record<SettingName, string>>;

interface Specimen {
  /** The header or the claims, as JSON where only JSON can say it. */
  claims: Claims | string;
  settings?: Environment;
  tokenClass?: TokenClass;
  now?: number;
}

/** The keys of these tests that have a name, and what each signs. */
const NAMED: Readonly<Record<string, Algorithm>> = { first: 'HS256', second: 'ES256' };

/** The key that a header names; without a name it is the one of ALGORITHM. */
function keyOf(header: Claims, algorithm: Algorithm): { algorithm: Algorithm } | undefined {
  if (!Object.hasOwn(header, 'kid')) return { algorithm };
  const named = typeof header.kid === 'string' && Object.hasOwn(NAMED, header.kid) ? NAMED[header.kid] : null;
  return named ? { algorithm: named } : undefined;
}

/** The first refusal of a table's rules, as a token meets it. */
function refusal(table: readonly unknown[], { claims, settings, tokenClass, now = NOW }: Specimen) {
  const members = typeof claims === 'string' ? (JSON.parse(claims) as Claims) : claims;
  const context = {
    settings: settingsOf(settings),
    now,
    tokenClass: tokenClass ?? RefreshToken,
    key: keyOf(members, settingsOf(settings).ALGORITHM),
  };
  for (const rule of table as Rule<typeof context>[]) {
    const code = rule.refuse(members, context);
    if (code !== undefined) return code;
  }
  return undefined;
}

type Row = [name: string, claims: Claims | string, expected: ErrorCode | undefined, settings?: Environment];

function check(title: string, table: readonly unknown[], rows: readonly Row[]): void {
  describe(title, () => {
    for (const [name, claims, expected, settings = {}] of rows) {
      test(`${name}: ${expected ?? 'passes'}`, () => {
        assert.equal(refusal(table, { claims, settings }), expected);
      });
    }
  });
}

const INVALID = 'token_invalid';

check('header', HEADER_RULES, [
  ['as we write it', { alg: 'HS256', typ: 'JWT' }, undefined],
  ['without typ', { alg: 'HS256' }, undefined],
  [
    'jwk, jku, x5u and x5c are ignored',
    { alg: 'HS256', jwk: {}, jku: 'http://a/', x5u: '', x5c: [] },
    undefined,
  ],
  ['no alg', { typ: 'JWT' }, INVALID],
  ['alg none', { alg: 'none' }, INVALID],
  ['alg nOnE', { alg: 'nOnE' }, INVALID],
  ['alg in lower case', { alg: 'hs256' }, INVALID],
  ['alg with a blank', { alg: 'HS256 ' }, INVALID],
  ['alg empty', { alg: '' }, INVALID],
  ['alg a list', { alg: ['HS256'] }, INVALID],
  ['alg null', { alg: null }, INVALID],
  ['another alg of ours', { alg: 'HS512' }, INVALID],
  ['that alg where it is configured', { alg: 'HS512' }, undefined, { ALGORITHM: 'HS512' }],
  ['the default where another is configured', { alg: 'HS256' }, INVALID, { ALGORITHM: 'HS512' }],
  ['alg of a prototype', '{"__proto__": {"alg": "HS256"}}', INVALID],
  ['crit', { alg: 'HS256', crit: ['b64'] }, INVALID],
  ['crit empty', { alg: 'HS256', crit: [] }, INVALID],
  ['crit blank', { alg: 'HS256', crit: '' }, INVALID],
  ['crit null', { alg: 'HS256', crit: null }, INVALID],
  ['kid of a key', { alg: 'HS256', kid: 'first' }, undefined],
  ['kid of a key of another algorithm than ours', { alg: 'ES256', kid: 'second' }, undefined],
  ['kid of a key, and the algorithm of another', { alg: 'HS256', kid: 'second' }, INVALID],
  ['kid of a key, and the algorithm of a key without one', { alg: 'HS512', kid: 'first' }, INVALID],
  ['kid of a key, and alg none', { alg: 'none', kid: 'second' }, INVALID],
  ['kid of a key, and no alg', { kid: 'first' }, INVALID],
  ['kid of a key, and crit', { alg: 'HS256', kid: 'first', crit: ['kid'] }, INVALID],
  ['kid unknown', { alg: 'HS256', kid: '1' }, INVALID],
  ['kid of a key in other case', { alg: 'HS256', kid: 'First' }, INVALID],
  ['kid of a key in a list', { alg: 'HS256', kid: ['first'] }, INVALID],
  ['kid a path', { alg: 'HS256', kid: '../../dev/null' }, INVALID],
  ['kid empty', { alg: 'HS256', kid: '' }, INVALID],
  ['kid null', { alg: 'HS256', kid: null }, INVALID],
]);

const LEEWAY = { LEEWAY: '10' };

check('exp', CLAIM_RULES, [
  ['absent is for the class to say', {}, undefined],
  ['a second ahead', { exp: NOW + 1 }, undefined],
  ['now', { exp: NOW }, 'token_expired'],
  ['a second ago', { exp: NOW - 1 }, 'token_expired'],
  ['a hair ahead', { exp: NOW + 0.001 }, undefined],
  ['the whole second that now is in', { exp: Math.floor(NOW) }, 'token_expired'],
  ['the next whole second', { exp: Math.floor(NOW) + 1 }, undefined],
  ['zero', { exp: 0 }, 'token_expired'],
  ['within the leeway', { exp: NOW - 9 }, undefined, LEEWAY],
  ['at the end of the leeway', { exp: NOW - 10 }, 'token_expired', LEEWAY],
  ['past the leeway', { exp: NOW - 11 }, 'token_expired', LEEWAY],
  ['a leeway longer than time itself', { exp: 1 }, undefined, { LEEWAY: '3000000000' }],
  ['the last second of 9999', { exp: 253_402_300_799 }, undefined],
  ['later than any calendar', { exp: 253_402_300_800 }, INVALID],
  ['1e999', '{"exp": 1e999}', INVALID],
  ['-1e20', { exp: -1e20 }, INVALID],
  ['before 1970', { exp: -1 }, INVALID],
  ['a string', { exp: String(NOW + 60) }, INVALID],
  ['null', { exp: null }, INVALID],
  ['true', { exp: true }, INVALID],
  ['a list', { exp: [NOW + 60] }, INVALID],
  ['an object', { exp: { valueOf: 1 } }, INVALID],
  ['of a prototype counts as absent', '{"__proto__": {"exp": 1}}', undefined],
]);

for (const claim of ['nbf', 'iat']) {
  check(claim, CLAIM_RULES, [
    ['now', { [claim]: NOW }, undefined],
    ['a second ago', { [claim]: NOW - 1 }, undefined],
    ['zero', { [claim]: 0 }, undefined],
    ['a second ahead', { [claim]: NOW + 1 }, INVALID],
    ['later in this very second', { [claim]: Math.floor(NOW) + 0.9 }, undefined],
    ['the next whole second', { [claim]: Math.floor(NOW) + 1 }, INVALID],
    ['within the leeway', { [claim]: NOW + 9 }, undefined, LEEWAY],
    ['the last whole second of the leeway', { [claim]: Math.floor(NOW) + 10 }, undefined, LEEWAY],
    ['past the leeway', { [claim]: Math.floor(NOW) + 11 }, INVALID, LEEWAY],
    ['1e20', { [claim]: 1e20 }, INVALID],
    ['-1', { [claim]: -1 }, INVALID],
    ['-1e999', `{"${claim}": -1e999}`, INVALID],
    ['a string', { [claim]: '1' }, INVALID],
    ['null', { [claim]: null }, INVALID],
    ['false', { [claim]: false }, INVALID],
    ['a list', { [claim]: [] }, INVALID],
  ]);
}

const AUDIENCE = { AUDIENCE: 'shop,bank' };

check('aud', CLAIM_RULES, [
  ['anything where none is configured', { aud: 7 }, undefined],
  ['one of ours', { aud: 'bank' }, undefined, AUDIENCE],
  ['another', { aud: 'mill' }, INVALID, AUDIENCE],
  ['in another case', { aud: 'Bank' }, INVALID, AUDIENCE],
  ['absent', {}, INVALID, AUDIENCE],
  ['null', { aud: null }, INVALID, AUDIENCE],
  ['a number', { aud: 1 }, INVALID, AUDIENCE],
  ['a list with one of ours', { aud: ['mill', 'shop'] }, undefined, AUDIENCE],
  ['a list without', { aud: ['mill'] }, INVALID, AUDIENCE],
  ['an empty list', { aud: [] }, INVALID, AUDIENCE],
  ['a list with one of ours and no text', { aud: ['shop', 1] }, INVALID, AUDIENCE],
  ['a list in a list', { aud: [['shop']] }, INVALID, AUDIENCE],
  ['an object', { aud: { shop: true } }, INVALID, AUDIENCE],
  ['of a prototype', '{"__proto__": {"aud": "shop"}}', INVALID, AUDIENCE],
]);

const ISSUER = { ISSUER: 'https://login.example' };

check('iss', CLAIM_RULES, [
  ['anything where none is configured', { iss: 7 }, undefined],
  ['ours', { iss: 'https://login.example' }, undefined, ISSUER],
  ['with a slash', { iss: 'https://login.example/' }, INVALID, ISSUER],
  ['absent', {}, INVALID, ISSUER],
  ['null', { iss: null }, INVALID, ISSUER],
  ['in a list', { iss: ['https://login.example'] }, INVALID, ISSUER],
]);

check('sub', CLAIM_RULES, [
  ['a text', { sub: 'ada' }, undefined],
  ['empty', { sub: '' }, undefined],
  ['a number', { sub: 1 }, INVALID],
  ['null', { sub: null }, INVALID],
  ['a list', { sub: ['ada'] }, INVALID],
]);

check('jti', CLAIM_RULES, [
  ['absent is for the class to say', {}, undefined],
  ['a text', { jti: 'a' }, undefined],
  ['of 255 characters', { jti: 'a'.repeat(255) }, undefined],
  ['of 256 characters', { jti: 'a'.repeat(256) }, INVALID],
  ['of 10 KB', { jti: 'a'.repeat(10_240) }, INVALID],
  ['empty', { jti: '' }, INVALID],
  ['a number', { jti: 1 }, INVALID],
  ['null', { jti: null }, INVALID],
  ['a list', { jti: ['a'] }, INVALID],
  ['the claim goes by another name', { id: 7 }, INVALID, { JTI_CLAIM: 'id' }],
  ['and jti means nothing then', { jti: 7, id: 'a' }, undefined, { JTI_CLAIM: 'id' }],
]);

const GOOD = { exp: NOW + 60, jti: 'a', token_type: 'refresh' };

check('class', CLASS_RULES, [
  ['all there', GOOD, undefined],
  ['no exp', { jti: 'a', token_type: 'refresh' }, 'token_without_claim'],
  ['no jti', { exp: 1, token_type: 'refresh' }, 'token_without_id'],
  ['no type', { exp: 1, jti: 'a' }, 'token_without_type'],
  ['another type', { ...GOOD, token_type: 'access' }, 'token_wrong_type'],
  ['the type in another case', { ...GOOD, token_type: 'Refresh' }, 'token_wrong_type'],
  ['the type in a list', { ...GOOD, token_type: ['refresh'] }, 'token_wrong_type'],
  ['the type a number', { ...GOOD, token_type: 1 }, 'token_wrong_type'],
  ['the type null', { ...GOOD, token_type: null }, 'token_wrong_type'],
  ['the type 10 KB long', { ...GOOD, token_type: 'r'.repeat(10_240) }, 'token_wrong_type'],
  [
    'the type of a prototype',
    '{"exp": 1, "jti": "a", "__proto__": {"token_type": "refresh"}}',
    'token_without_type',
  ],
  ['the type goes by another name', { ...GOOD, typ: 'refresh' }, undefined, { TOKEN_TYPE_CLAIM: 'typ' }],
  ['and token_type means nothing then', GOOD, 'token_without_type', { TOKEN_TYPE_CLAIM: 'typ' }],
]);

describe('each class takes its own type alone', () => {
  const types = ['access', 'refresh', 'sliding', 'untyped'];
  for (const tokenClass of [AccessToken, RefreshToken, SlidingToken, UntypedToken]) {
    test(tokenClass.name, () => {
      const taken = types.filter(
        (type) => refusal(CLASS_RULES, { claims: { ...GOOD, token_type: type }, tokenClass }) === undefined,
      );
      assert.deepEqual(taken, tokenClass.type === null ? types : [tokenClass.type]);
    });
  }
  test('an untyped token needs no type, but an end and an id', () => {
    const tokenClass = UntypedToken;
    assert.equal(refusal(CLASS_RULES, { claims: { exp: 1, jti: 'a' }, tokenClass }), undefined);
    assert.equal(refusal(CLASS_RULES, { claims: { jti: 'a' }, tokenClass }), 'token_without_claim');
    assert.equal(refusal(CLASS_RULES, { claims: { exp: 1 }, tokenClass }), 'token_without_id');
  });
});

describe('the order of the checks', () => {
  const everythingWrong = { exp: 1, nbf: NOW + 60, iat: NOW + 60, aud: 'x', iss: 'x', sub: 1, jti: 1 };
  test('an expired token is told so whatever else is wrong', () => {
    assert.equal(
      refusal(CLAIM_RULES, { claims: everythingWrong, settings: { ...AUDIENCE, ...ISSUER } }),
      'token_expired',
    );
  });
  test('exp, then jti, then type', () => {
    assert.equal(refusal(CLASS_RULES, { claims: {} }), 'token_without_claim');
    assert.equal(refusal(CLASS_RULES, { claims: { exp: 1 } }), 'token_without_id');
  });
});

test('a claim of the prototype is no claim', () => {
  for (const name of ['constructor', 'toString', '__proto__']) assert.equal(own({}, name), undefined);
  assert.equal(own(JSON.parse('{"constructor": 1}'), 'constructor'), 1);
});

test('a date is a number that a calendar holds', () => {
  for (const value of [0, 1.5, NOW, 253_402_300_799]) assert.ok(isNumericDate(value), String(value));
  for (const value of [-1, -0.1, 253_402_300_800, Infinity, NaN, '1', null, undefined, [1], 1n]) {
    assert.ok(!isNumericDate(value), String(value));
  }
});

/** For each rule one header or set of claims that only this rule refuses. */
const SPECIMENS: readonly [table: string, rules: readonly { name: string }[], Record<string, Specimen>][] = [
  [
    'HEADER_RULES',
    HEADER_RULES,
    {
      alg: { claims: { alg: 'none' } },
      crit: { claims: { alg: 'HS256', crit: ['exp'] } },
      kid: { claims: { alg: 'HS256', kid: 'x' } },
    },
  ],
  [
    'CLAIM_RULES',
    CLAIM_RULES,
    {
      exp: { claims: { exp: NOW } },
      nbf: { claims: { nbf: NOW + 1 } },
      iat: { claims: { iat: NOW + 1 } },
      aud: { claims: { aud: 'mill' }, settings: AUDIENCE },
      iss: { claims: { iss: 'mill' }, settings: ISSUER },
      sub: { claims: { sub: 1 } },
      'jti form': { claims: { jti: '' } },
    },
  ],
  [
    'CLASS_RULES',
    CLASS_RULES,
    {
      'exp present': { claims: { jti: 'a', token_type: 'refresh' } },
      'jti present': { claims: { exp: 1, token_type: 'access' }, tokenClass: AccessToken },
      'type present': { claims: { exp: 1, jti: 'a' } },
      type: { claims: { exp: 1, jti: 'a', token_type: 'access' } },
    },
  ],
];

/** Where another rule would still refuse, if in other words. Everywhere else the token would pass. */
const REFUSED_ANYWAY: Readonly<Record<string, ErrorCode>> = { 'type present': 'token_wrong_type' };

describe('no rule is dead: without it a token would pass that it refuses', () => {
  for (const [table, rules, specimens] of SPECIMENS) {
    test(`${table} has a specimen for each rule`, () => {
      assert.deepEqual(
        Object.keys(specimens),
        rules.map(({ name }) => name),
      );
    });
    for (const [name, specimen] of Object.entries(specimens)) {
      test(`${table}: ${name}`, () => {
        const without = rules.filter((rule) => rule.name !== name);
        assert.equal(without.length, rules.length - 1);
        assert.notEqual(refusal(rules, specimen), undefined);
        assert.equal(refusal(without, specimen), REFUSED_ANYWAY[name]);
        assert.notEqual(refusal(rules, specimen), REFUSED_ANYWAY[name]);
      });
    }
  }
});
