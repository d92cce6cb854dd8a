import { createHash } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { Hasher, ReadableHash } from './hasher.ts';

/** More of a password bcrypt does not see, in bytes. It ends at a NUL as well. */
const MOST_SEEN = 72;

/** Up to here the cost of a stored hash may go beyond that of a new one: some five seconds. */
const MOST_ROUNDS = 16;

const ENCODED = /^\w+\$(?<bcrypt>\$2[aby]\$(?<rounds>0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53})$/;

/** What bcrypt is given of a password. */
type Preparation = (password: string) => string;

/**
 * Django's BCryptSHA256PasswordHasher: `bcrypt_sha256$$2b$12$…`, the bcrypt of the SHA-256 in hex.
 *
 * @param rounds the base-2 logarithm of the cost
 */
export function bcryptSha256Hasher(rounds: number): Hasher {
  return bcryptHasherOf('bcrypt_sha256', digest, () => true, rounds);
}

/** Django's BCryptPasswordHasher: `bcrypt$$2b$12$…`. Takes no password that bcrypt would cut. */
export function bcryptHasher(rounds: number): Hasher {
  const takes = (password: string) => Buffer.byteLength(password) <= MOST_SEEN && !password.includes('\0');
  return bcryptHasherOf('bcrypt', (password) => password, takes, rounds);
}

function bcryptHasherOf(
  algorithm: string,
  prepare: Preparation,
  takes: Hasher['takes'],
  rounds: number,
): Hasher {
  return {
    takes,
    hash: async (password) => `${algorithm}$${await bcrypt.hash(prepare(password), rounds)}`,
    read: (stored) => read(stored, prepare, rounds),
  };
}

function read(stored: string, prepare: Preparation, rounds: number): ReadableHash | null {
  const parts = ENCODED.exec(stored)?.groups;
  const storedRounds = Number(parts?.rounds);
  if (parts?.bcrypt === undefined || storedRounds > Math.max(rounds, MOST_ROUNDS)) return null;
  // The bcrypt package knows $2y$, another name for $2b$, not at all.
  const hash = parts.bcrypt.replace(/^\$2y/, '$2b');
  return {
    isCurrent: storedRounds === rounds,
    matches: (password) => bcrypt.compare(prepare(password), hash),
    harden: async (password) => {
      // Costs r, r, r+1, … R-1 add up to cost R.
      for (let cost = storedRounds; cost < rounds; cost += 1) await bcrypt.hash(prepare(password), cost);
    },
  };
}

/** Makes any password 64 characters without a NUL. */
function digest(password: string): string {
  return createHash('sha256').update(password, 'utf8').digest('hex');
}
