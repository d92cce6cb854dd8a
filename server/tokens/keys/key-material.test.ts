import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { createLocalJWKSet, importPKCS8, jwtVerify, SignJWT } from 'jose';
import { ALGORITHMS } from '../../settings/algorithms.ts';
import { parseCompact } from '../compact.ts';
import { segment } from '../tokens.fixture.ts';
import { generateMaterial, type KeyMaterial, makeSign, makeVerifyingKey, publicJwk } from './key-material.ts';

const CLAIMS = { token_type: 'access', exp: 4_000_000_000, iat: 1_700_000_000, jti: 'a', user_id: '1' };

/** Each algorithm's key: making some takes long, and none is changed. */
const MATERIAL = new Map<string, KeyMaterial>();
for (const algorithm of ALGORITHMS) MATERIAL.set(algorithm, await generateMaterial(algorithm));

const materialOf = (algorithm: string) => MATERIAL.get(algorithm) as KeyMaterial;
const verifyingKeyOf = ({ algorithm, publicKey, privateKey }: KeyMaterial) =>
  makeVerifyingKey(algorithm, publicKey || (privateKey ?? ''));
const signOf = ({ algorithm, privateKey }: KeyMaterial, kid?: string) =>
  makeSign(algorithm, privateKey ?? '', kid);

const PAIRS = ALGORITHMS.filter((algorithm) => !algorithm.startsWith('HS'));

describe('what is signed', () => {
  for (const algorithm of ALGORITHMS) {
    test(`by ${algorithm} is verified by its key, its claims in their order, and by no other`, () => {
      const material = materialOf(algorithm);
      const token = signOf(material, 'a-key')(CLAIMS);
      const { header, payload } = parseCompact(token);
      assert.equal(JSON.stringify(header), `{"alg":"${algorithm}","typ":"JWT","kid":"a-key"}`);
      assert.equal(JSON.stringify(payload), JSON.stringify(CLAIMS));
      verifyingKeyOf(material).verifySignature(token);
      for (const other of ALGORITHMS.filter((one) => one !== algorithm)) {
        assert.throws(() => verifyingKeyOf(materialOf(other)).verifySignature(token), other);
      }
    });
  }

  for (const algorithm of PAIRS) {
    test(`by ${algorithm} is verified by jose with the public key as JSON, and the reverse`, async () => {
      const material = materialOf(algorithm);
      const jwk = publicJwk(material, 'a-key');
      const set = createLocalJWKSet({ keys: [publicJwk(materialOf('ES384'), 'other'), jwk] });
      const { payload } = await jwtVerify(signOf(material, 'a-key')(CLAIMS), set);
      assert.deepEqual(payload, CLAIMS);
      const key = await importPKCS8(material.privateKey ?? '', algorithm);
      const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: algorithm }).sign(key);
      verifyingKeyOf(material).verifySignature(token);
      assert.equal('d' in jwk, false, 'the private half is public');
    });
  }

  test('without a kid has none in its header', () => {
    const { header } = parseCompact(signOf(materialOf('HS256'))(CLAIMS));
    assert.equal(JSON.stringify(header), '{"alg":"HS256","typ":"JWT"}');
  });
});

describe('case 2: a key is for one algorithm', () => {
  for (const algorithm of PAIRS) {
    test(`HMAC with what is public of ${algorithm} is no signature of it`, () => {
      const material = materialOf(algorithm);
      const key = verifyingKeyOf(material);
      const der = createPublicKey(material.publicKey).export({ type: 'spki', format: 'der' });
      const secrets = [
        material.publicKey,
        material.publicKey.trim(),
        material.publicKey.replaceAll('\n', '\r\n'),
        JSON.stringify(publicJwk(material, 'a-key')),
        JSON.stringify(publicJwk(material, '')),
        der,
        '',
      ];
      for (const alg of ['HS256', 'HS384', 'HS512', algorithm, 'none', undefined]) {
        for (const secret of secrets) {
          const input = `${segment({ alg, typ: 'JWT' })}.${segment(CLAIMS)}`;
          const hash = /^HS\d+$/.test(alg ?? '') ? (alg ?? '').replace('HS', 'sha') : 'sha256';
          const forged = `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
          assert.throws(() => key.verifySignature(forged));
        }
        assert.throws(() => key.verifySignature(`${segment({ alg })}.${segment(CLAIMS)}.`));
      }
    });
  }

  test('RS256 is no PS256, with the very same key', () => {
    const { privateKey, publicKey } = materialOf('RS256');
    const token = makeSign('RS256', privateKey ?? '')(CLAIMS);
    assert.throws(() => makeVerifyingKey('PS256', publicKey).verifySignature(token));
    assert.throws(() => makeVerifyingKey('RS512', publicKey).verifySignature(token));
  });
});

test('no two keys are alike', async () => {
  for (const algorithm of ['HS256', 'ES256', 'EdDSA'] as const) {
    const [one, other] = [await generateMaterial(algorithm), await generateMaterial(algorithm)];
    assert.notEqual(one.privateKey, other.privateKey);
  }
  assert.ok(Buffer.byteLength(materialOf('HS512').privateKey ?? '') >= 64);
});
