import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { parseJwkSet } from './jwk-set.ts';

const jwkOf = ({ publicKey }: { publicKey: KeyObject }) =>
  publicKey.export({ format: 'jwk' }) as Record<string, string>;

const RSA = jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const P256 = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ED25519 = jwkOf(generateKeyPairSync('ed25519'));

/** The algorithm of the one key of a set, named k; undefined where it is passed over. */
const algorithmOf = (jwk: unknown, preferred = 'HS256' as Parameters<typeof parseJwkSet>[1]) =>
  parseJwkSet({ keys: [jwk] }, preferred).get('k')?.algorithm;

const k = (jwk: object, changes: object = {}) => ({ ...jwk, kid: 'k', ...changes });

type Row = [what: string, jwk: unknown, algorithm: string | undefined];

const ROWS: readonly Row[] = [
  ['RSA that says which', k(RSA, { alg: 'PS384' }), 'PS384'],
  ['RSA that does not say which', k(RSA), 'RS256'],
  ['EC', k(P256), 'ES256'],
  ['EC that says which', k(P256, { alg: 'ES256' }), 'ES256'],
  ['P-384', k(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }))), 'ES384'],
  ['P-521', k(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }))), 'ES512'],
  ['Ed25519', k(ED25519), 'EdDSA'],
  ['for signatures', k(P256, { use: 'sig', key_ops: ['verify'] }), 'ES256'],
  ['with members that mean nothing here', k(P256, { x5c: ['x'], d: 'x', ext: true }), 'ES256'],
  ['for encryption', k(P256, { use: 'enc' }), undefined],
  ['not to verify with', k(P256, { key_ops: ['sign'] }), undefined],
  ['whose operations are no list', k(P256, { key_ops: 'verify' }), undefined],
  ['for an algorithm of another kind', k(P256, { alg: 'RS256' }), undefined],
  ['for an algorithm of another curve', k(P256, { alg: 'ES384' }), undefined],
  ['for HMAC', k(RSA, { alg: 'HS256' }), undefined],
  ['for none', k(RSA, { alg: 'none' }), undefined],
  ['whose algorithm is no text', k(RSA, { alg: ['RS256'] }), undefined],
  ['a secret', k({ kty: 'oct', k: 'c2VjcmV0' }), undefined],
  ['a secret for HMAC', k({ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }), undefined],
  ['secp256k1', k(jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))), undefined],
  ['X25519', k({ kty: 'OKP', crv: 'X25519', x: ED25519.x }), undefined],
  ['RSA of 1024 bits', k(jwkOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))), undefined],
  ['a point that is not on the curve', k(P256, { x: P256.y }), undefined],
  ['numbers that are none', k(RSA, { n: 'no!' }), undefined],
  ['without a name', P256, undefined],
  ['an empty name', k(P256, { kid: '' }), undefined],
  ['a name that is no text', k(P256, { kid: ['k'] }), undefined],
  ['a kind of a prototype', k({ kty: 'constructor' }), undefined],
  ['no object', 'k', undefined],
  ['nothing', null, undefined],
];

describe('of a set is taken a key', () => {
  for (const [what, jwk, algorithm] of ROWS) {
    test(`${what}: ${algorithm ?? 'passed over'}`, () => assert.equal(algorithmOf(jwk), algorithm));
  }

  test('in the configured algorithm, where it may be for several', () => {
    assert.equal(algorithmOf(k(RSA), 'PS512'), 'PS512');
    assert.equal(algorithmOf(k(P256), 'PS512'), 'ES256');
  });

  test('of each name the first, and of many a hundred', () => {
    const keys = [k(P256), k(ED25519), ...Array.from({ length: 200 }, (_, n) => k(P256, { kid: `n${n}` }))];
    const set = parseJwkSet({ keys }, 'RS256');
    assert.equal(set.get('k')?.algorithm, 'ES256');
    assert.ok(set.size <= 100);
  });

  test('whose name is not too long to be looked for', () => {
    assert.equal(parseJwkSet({ keys: [k(P256, { kid: 'x'.repeat(256) })] }, 'RS256').size, 0);
  });
});

test('what is no set is refused', () => {
  for (const json of [null, [], 'keys', 1, {}, { keys: {} }, { keys: null }, P256]) {
    assert.throws(() => parseJwkSet(json, 'RS256'), /no "keys"/, JSON.stringify(json));
  }
  assert.equal(parseJwkSet({ keys: [] }, 'RS256').size, 0);
});
