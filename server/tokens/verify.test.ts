import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import { AccessToken, RefreshToken, SlidingToken } from './classes.ts';
import type { Claims } from './compact.ts';
import { addToBlacklist, recordOutstanding } from './store.ts';
import { contextAt, newDatabase, refusalOf, START, segment, signed } from './tokens.fixture.ts';
import { decodeToken, jtiOf, verifyAnyToken, verifyToken } from './verify.ts';

const context = contextAt(settingsOf());
const PAYLOAD = { token_type: 'refresh', exp: START + 60, iat: START - 1, jti: 'fresh', user_id: '1' };
let db: Database;

const token = (changes: object = {}, header?: object) => signed({ ...PAYLOAD, ...changes }, TEST_KEY, header);
const decoding = (text: string, of = context) => refusalOf(() => decodeToken(of, text));

before(async () => {
  db = await newDatabase();
  await recordOutstanding(db, {
    jti: 'dead',
    token: 'x',
    userId: null,
    createdAt: START,
    expiresAt: START + 60,
  });
  await addToBlacklist(db, 'dead', new Date(START * 1000));
});
after(() => db.destroy());

test('a genuine token gives its claims', async () => {
  assert.deepEqual(await decodeToken(context, token()), PAYLOAD);
});

describe('a signature', () => {
  const good = token();
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const other = token({ jti: 'other' }).split('.')[2];
  const bad: Readonly<Record<string, string>> = {
    'by another key': signed(PAYLOAD, `${TEST_KEY}x`),
    'by no key': signed(PAYLOAD, ''),
    'of another token': `${header}.${payload}.${other}`,
    cut: `${header}.${payload}.${signature.slice(0, 42)}`,
    'cut to a shorter canonical one': `${header}.${payload}.${signature.slice(0, 40)}`,
    longer: `${good}AAAA`,
    'of zeros': `${header}.${payload}.${'A'.repeat(43)}`,
    'under another payload': `${header}.${segment({ ...PAYLOAD, user_id: '2' })}.${signature}`,
    'under another header': `${segment({ typ: 'JWT', alg: 'HS256' })}.${payload}.${signature}`,
    'of HS512 by the right key': token({}, { alg: 'HS512', typ: 'JWT' }),
    'of HS256 under alg none': `${segment({ alg: 'none' })}.${payload}.${signature}`,
  };
  for (const [name, text] of Object.entries(bad)) {
    test(`${name} is none`, async () => assert.equal(await decoding(text), 'token_invalid'));
  }
});

test('an expired token with a bad signature is invalid, not expired', async () => {
  assert.equal(await decoding(signed({ ...PAYLOAD, exp: 1 }, 'another')), 'token_invalid');
  assert.equal(await decoding(token({ exp: 1 })), 'token_expired');
});

test('whatever a signer throws, the token is invalid', async () => {
  for (const thrown of [new TypeError('x'), 'text', undefined, null]) {
    const verifySignature = () => {
      throw thrown;
    };
    const signer = { ...context.signer, keyFor: () => ({ algorithm: 'HS256', verifySignature }) as const };
    assert.equal(await decoding(token(), { ...context, signer }), 'token_invalid');
  }
});

test('header rules stand before the signature', async (t) => {
  const verifySignature = t.mock.fn();
  const key = { algorithm: 'HS256', verifySignature } as const;
  const keyFor = (header: Claims) => (Object.hasOwn(header, 'kid') ? undefined : key);
  const lax = { ...context, signer: { ...context.signer, keyFor } };
  for (const header of [{ alg: 'none' }, { alg: 'HS256', crit: [] }, { alg: 'HS256', kid: 'x' }]) {
    assert.equal(await decoding(token({}, header), lax), 'token_invalid');
  }
  assert.equal(verifySignature.mock.callCount(), 0);
});

test('time passes: a token is good until the moment its exp names', async () => {
  const clock = contextAt(settingsOf());
  const text = token();
  for (const [now, expected] of [
    [START + 59.999, undefined],
    [START + 60, 'token_expired'],
    [START + 1e6, 'token_expired'],
    [START - 1, undefined],
    [START - 3, 'token_invalid'],
  ] as const) {
    clock.setNow(now);
    assert.equal(await decoding(text, clock), expected, String(now - START));
  }
});

describe('the order of the checks of a class', () => {
  const verifying = (changes: object, tokenClass = RefreshToken) =>
    refusalOf(() => verifyToken(db, context, token(changes), tokenClass));

  test('a good one passes', async () => assert.equal(await verifying({}), undefined));
  test('expired comes before blacklisted', async () => {
    assert.equal(await verifying({ jti: 'dead', exp: 1 }), 'token_expired');
  });
  test('blacklisted comes before the type', async () => {
    assert.equal(await verifying({ jti: 'dead', token_type: 'access' }), 'token_blacklisted');
    assert.equal(await verifying({ jti: 'dead', token_type: 'access' }, SlidingToken), 'token_blacklisted');
  });
  test('blacklisted comes before a missing exp', async () => {
    assert.equal(await verifying({ jti: 'dead', exp: undefined }), 'token_blacklisted');
  });
  test('without an id there is nothing to look up', async () => {
    assert.equal(await verifying({ jti: undefined }), 'token_without_id');
    assert.equal(await verifying({ jti: undefined, token_type: 'access' }, AccessToken), 'token_without_id');
  });
  test('an access token is not looked up: it is no entry of the list', async () => {
    assert.equal(await verifying({ jti: 'dead', token_type: 'access' }, AccessToken), undefined);
  });
  for (const [type, tokenClass] of [
    ['access', RefreshToken],
    ['sliding', RefreshToken],
    ['refresh', AccessToken],
    ['sliding', AccessToken],
    ['access', SlidingToken],
    ['refresh', SlidingToken],
  ] as const) {
    test(`${type} is no ${tokenClass.name}`, async () => {
      assert.equal(await verifying({ token_type: type }, tokenClass), 'token_wrong_type');
    });
  }
});

describe('verifying any token', () => {
  const verifying = (changes: object) => refusalOf(() => verifyAnyToken(db, context, token(changes)));

  test('any type passes, or none', async () => {
    for (const token_type of ['access', 'refresh', 'sliding', 'whatever', 7, undefined]) {
      assert.equal(await verifying({ token_type }), undefined);
    }
  });
  test('a blacklisted one of any type is told with 400', async () => {
    for (const token_type of ['access', 'refresh', undefined]) {
      const error = await verifyAnyToken(db, context, token({ jti: 'dead', token_type })).catch((e) => e);
      assert.ok(error instanceof AppError);
      assert.equal(error.status, 400);
      assert.deepEqual(error.body, { non_field_errors: ['Token is blacklisted'] });
    }
  });
  test('an end and an id are needed', async () => {
    assert.equal(await verifying({ exp: undefined }), 'token_without_claim');
    assert.equal(await verifying({ jti: undefined }), 'token_without_id');
    assert.equal(await verifying({ jti: undefined, exp: undefined }), 'token_without_claim');
  });
});

test('the refusal for a missing end names the claim', async () => {
  const error = await verifyToken(db, context, token({ exp: undefined }), RefreshToken).catch((e) => e);
  assert.deepEqual(error.body, { detail: "Token has no 'exp' claim", code: 'token_not_valid' });
});

test('an id is a text of the token itself', () => {
  assert.equal(jtiOf(context, { jti: 'a' }), 'a');
  for (const claims of [{}, { jti: 1 }, { jti: ['a'] }, JSON.parse('{"__proto__": {"jti": "a"}}')]) {
    assert.throws(() => jtiOf(context, claims), { code: 'token_without_id' });
  }
});
