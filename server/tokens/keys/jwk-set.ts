import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Algorithm, VerifyingKey } from '../context.ts';
import { makeVerifyingKey } from './key-material.ts';

/** How many keys of a set are looked at. */
export const MOST_KEYS = 100;

/** The longest name of a key that is looked for, in characters. */
export const LONGEST_KID = 255;

/** The shortest modulus that RSA is safe with, in bits: RFC 7518 section 3.3. */
const SHORTEST_MODULUS = 2048;

/** The algorithms that a key may be for, by its kind and curve; the first where it does not say which. */
const ALGORITHMS_OF: Readonly<Record<string, readonly Algorithm[]>> = {
  RSA: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'EC P-256': ['ES256'],
  'EC P-384': ['ES384'],
  'EC P-521': ['ES512'],
  'OKP Ed25519': ['EdDSA'],
};

/**
 * The keys of a JSON Web Key set (RFC 7517 section 5) that verify signatures, by their names. Those without a name, of
 * other kinds or other uses, secrets and weak ones are passed over, as that RFC says of what is not understood.
 *
 * @param preferred the algorithm of keys that may be for several and do not say for which
 * @throws Error when it is no such set at all
 */
export function parseJwkSet(json: unknown, preferred: Algorithm): Map<string, VerifyingKey> {
  const keys = isObject(json) ? json.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('It has no "keys"');
  const found = new Map<string, VerifyingKey>();
  for (const jwk of keys.slice(0, MOST_KEYS)) {
    const kid = isObject(jwk) ? jwk.kid : undefined;
    if (!isObject(jwk) || typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID) continue;
    const key = toVerifyingKey(jwk, preferred);
    if (key !== null && !found.has(kid)) found.set(kid, key);
  }
  return found;
}

function toVerifyingKey(jwk: Readonly<Record<string, unknown>>, preferred: Algorithm): VerifyingKey | null {
  const algorithm = algorithmOf(jwk, preferred);
  if (algorithm === null || !isForSignatures(jwk)) return null;
  try {
    // Only what is public of it, whatever else it has.
    const { kty, n, e, crv, x, y } = jwk;
    const key = createPublicKey({ key: { kty, n, e, crv, x, y } as JsonWebKey, format: 'jwk' });
    const { modulusLength = SHORTEST_MODULUS } = key.asymmetricKeyDetails ?? {};
    if (modulusLength < SHORTEST_MODULUS) return null;
    return makeVerifyingKey(algorithm, key.export({ type: 'spki', format: 'pem' }).toString());
  } catch {
    return null;
  }
}

/** The one algorithm that a key is for: RFC 8725 section 3.1. */
function algorithmOf(
  { kty, crv, alg }: Readonly<Record<string, unknown>>,
  preferred: Algorithm,
): Algorithm | null {
  const kind = kty === 'RSA' ? 'RSA' : `${kty} ${crv}`;
  const possible = Object.hasOwn(ALGORITHMS_OF, kind) ? (ALGORITHMS_OF[kind] ?? []) : [];
  const wanted = alg === undefined ? (possible.find((one) => one === preferred) ?? possible[0]) : alg;
  return possible.find((one) => one === wanted) ?? null;
}

/** RFC 7517 sections 4.2 and 4.3. */
function isForSignatures({ use, key_ops }: Readonly<Record<string, unknown>>): boolean {
  if (use !== undefined && use !== 'sig') return false;
  return key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes('verify'));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
