import { pbkdf2 } from 'node:crypto';
import { type Hasher, isSameText, type ReadableHash } from './hasher.ts';
import { isLongSalt, newSalt } from './salt.ts';

/** Django 5.2's `PBKDF2PasswordHasher.iterations`. */
const ITERATIONS = 1_000_000;

/** Of a stored hash: ten times the work of a new one, a few seconds. */
const MOST_ITERATIONS = 10 * ITERATIONS;

/** The bytes that each digest gives, and as many are derived. */
const DIGEST_BYTES = { sha1: 20, sha256: 32 };

const ENCODED = /^\w+\$(?<iterations>[1-9]\d{0,8})\$(?<salt>[^$]+)\$[A-Za-z0-9+/]+={0,2}$/;

/** Django's PBKDF2PasswordHasher and PBKDF2SHA1PasswordHasher: `pbkdf2_sha256$1000000$salt$base64`. */
export function pbkdf2Hasher(digest: keyof typeof DIGEST_BYTES): Hasher {
  const encode = async (password: string, salt: string, iterations: number) => {
    const key = await derive(password, salt, iterations, digest);
    return `pbkdf2_${digest}$${iterations}$${salt}$${key.toString('base64')}`;
  };
  const read = (stored: string): ReadableHash | null => {
    const { iterations: digits, salt = '' } = ENCODED.exec(stored)?.groups ?? {};
    const iterations = Number(digits);
    // A NaN, of a text that does not match, is refused too.
    if (!(iterations <= MOST_ITERATIONS)) return null;
    return {
      isCurrent: iterations === ITERATIONS && isLongSalt(salt.length),
      matches: async (password) => isSameText(await encode(password, salt, iterations), stored),
      harden: async (password) => {
        if (iterations < ITERATIONS) await derive(password, salt, ITERATIONS - iterations, digest);
      },
    };
  };
  return { takes: () => true, hash: (password) => encode(password, newSalt(), ITERATIONS), read };
}

function derive(
  password: string,
  salt: string,
  iterations: number,
  digest: keyof typeof DIGEST_BYTES,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, DIGEST_BYTES[digest], digest, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
