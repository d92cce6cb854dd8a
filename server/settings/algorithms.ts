import type { KeyObject } from 'node:crypto';

/** What a key must be for an algorithm. */
interface KeyKind {
  /** As the end of a sentence "It takes …", before "as PEM". */
  readonly words: string;
  fits(key: KeyObject): boolean;
}

/** The shortest modulus that RSA is safe with, in bits: RFC 7518 sections 3.3 and 3.5. */
const SHORTEST_MODULUS = 2048;

const RSA: KeyKind = {
  words: `an RSA key of ${SHORTEST_MODULUS} bits or more`,
  fits: ({ asymmetricKeyType, asymmetricKeyDetails }) =>
    asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= SHORTEST_MODULUS,
};

/** @param curve as node:crypto calls it */
function elliptic(words: string, curve: string): KeyKind {
  return {
    words: `an EC key on the curve ${words}`,
    fits: ({ asymmetricKeyType, asymmetricKeyDetails }) =>
      asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === curve,
  };
}

const ED25519: KeyKind = {
  words: 'an Ed25519 key',
  fits: ({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519',
};

/** Every algorithm there is, and the shortest secret it takes, in bytes, or the kind of its keys: RFC 7518, RFC 8037. */
const ALGORITHM_KEYS = {
  HS256: 32,
  HS384: 48,
  HS512: 64,
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: elliptic('P-256', 'prime256v1'),
  ES384: elliptic('P-384', 'secp384r1'),
  ES512: elliptic('P-521', 'secp521r1'),
  EdDSA: ED25519,
} as const satisfies Record<string, number | KeyKind>;

export type Algorithm = keyof typeof ALGORITHM_KEYS;

export const ALGORITHMS = Object.keys(ALGORITHM_KEYS) as Algorithm[];

/** The shortest secret that an algorithm is safe with, in bytes: as long as its hash. Null where it takes no secret. */
export function shortestSecret(algorithm: Algorithm): number | null {
  const key: number | KeyKind = ALGORITHM_KEYS[algorithm];
  return typeof key === 'number' ? key : null;
}

/** The kind of an algorithm's keys; null where it takes a secret. */
export function keyKind(algorithm: Algorithm): KeyKind | null {
  const key: number | KeyKind = ALGORITHM_KEYS[algorithm];
  return typeof key === 'number' ? null : key;
}
