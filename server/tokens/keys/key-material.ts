import { createPublicKey, generateKeyPair, type KeyPairKeyObjectResult, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { createSigner, createVerifier } from 'fast-jwt';
import type { Claims } from '../compact.ts';
import type { Algorithm, VerifyingKey } from '../context.ts';

/** What a key is made of. */
export interface KeyMaterial {
  readonly algorithm: Algorithm;
  /** A public key as PEM; empty where the key is a secret. */
  readonly publicKey: string;
  /** A private key as PEM, or a secret; null where it is not known. */
  readonly privateKey: string | null;
}

/** How a pair of keys is generated; null for a secret. */
const KEY_PAIRS: Readonly<Record<string, () => Promise<KeyPairKeyObjectResult>>> = {
  RS: () => generate('rsa', { modulusLength: 2048 }),
  PS: () => generate('rsa', { modulusLength: 2048 }),
  ES256: () => generate('ec', { namedCurve: 'P-256' }),
  ES384: () => generate('ec', { namedCurve: 'P-384' }),
  ES512: () => generate('ec', { namedCurve: 'P-521' }),
  EdDSA: () => generate('ed25519'),
};

const generate = promisify(generateKeyPair);

/** How long a secret is, in bytes: as the hash of HS512, which is enough for all. */
const SECRET_BYTES = 64;

/** A new key for an algorithm. */
export async function generateMaterial(algorithm: Algorithm): Promise<KeyMaterial> {
  const generatePair = KEY_PAIRS[algorithm] ?? KEY_PAIRS[algorithm.slice(0, 2)];
  if (generatePair === undefined) {
    return { algorithm, publicKey: '', privateKey: randomBytes(SECRET_BYTES).toString('base64url') };
  }
  const { publicKey, privateKey } = await generatePair();
  return {
    algorithm,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/**
 * What checks signatures by a key: one algorithm, no cache. Claims are checked by the token rules, not here: fast-jwt's
 * own checks differ from the original's.
 *
 * @param key a public key as PEM, or a secret
 * @throws fast-jwt's TokenError where the key is none of the algorithm's
 */
export function makeVerifyingKey(algorithm: Algorithm, key: string): VerifyingKey {
  const verify = createVerifier({
    key,
    algorithms: [algorithm],
    cache: false,
    ignoreExpiration: true,
    ignoreNotBefore: true,
  });
  return { algorithm, verifySignature: (token) => void verify(token) };
}

/**
 * What signs claims by a key, whose name goes into the header if it has one: alg, typ, kid.
 *
 * @param key a private key as PEM, or a secret
 */
export function makeSign(algorithm: Algorithm, key: string, kid?: string): (claims: Claims) => string {
  return createSigner<Claims>({ key, algorithm, ...(kid !== undefined && { kid }) });
}

/** A public key as JSON: RFC 7517 section 4. Members that not every key has are left out. */
export interface PublicJwk {
  readonly kty: string;
  readonly use: 'sig';
  readonly alg: Algorithm;
  readonly kid?: string;
  readonly [member: string]: string | undefined;
}

/**
 * A public key for others to verify with.
 *
 * @param kid empty for a key without a name
 */
export function publicJwk({ algorithm, publicKey }: KeyMaterial, kid: string): PublicJwk {
  const { kty = '', ...numbers } = createPublicKey(publicKey).export({ format: 'jwk' });
  return { kty, ...(kid !== '' && { kid }), use: 'sig', alg: algorithm, ...numbers } as PublicJwk;
}
