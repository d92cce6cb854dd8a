import { scrypt } from 'node:crypto';
import { type Hasher, isSameText, type ReadableHash } from './hasher.ts';
import { isLongSalt, newSalt } from './salt.ts';

/** RFC 7914: the cost N, the block size r and the parallelisation p. */
interface Cost {
  N: number;
  r: number;
  p: number;
}

/** Django 5.2's ScryptPasswordHasher. */
const CURRENT: Cost = { N: 16_384, r: 8, p: 5 };
const KEY_BYTES = 64;

/** Of a stored hash: ten times the work of a new one, a few seconds, and 256 MiB. */
const MOST_WORK = 10 * workOf(CURRENT);
const MOST_BYTES = 256 * 2 ** 20;

const ENCODED =
  /^scrypt\$(?<N>[1-9]\d{0,9})\$(?<salt>[^$]+)\$(?<r>[1-9]\d{0,9})\$(?<p>[1-9]\d{0,9})\$[A-Za-z0-9+/]+={0,2}$/;

/** Django's ScryptPasswordHasher: `scrypt$16384$salt$8$5$base64`. */
export const scryptHasher: Hasher = {
  takes: () => true,
  hash: (password) => encode(password, newSalt(), CURRENT),
  read,
};

function read(stored: string): ReadableHash | null {
  const { salt = '', N, r, p } = ENCODED.exec(stored)?.groups ?? {};
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  if (!isAffordable(cost)) return null;
  return {
    isCurrent:
      cost.N === CURRENT.N && cost.r === CURRENT.r && cost.p === CURRENT.p && isLongSalt(salt.length),
    matches: async (password) => isSameText(await encode(password, salt, cost), stored),
    harden: async (password) => {
      let lacking = workOf(CURRENT) - workOf(cost);
      for (let part = CURRENT.N / 2; part > 1; part /= 2) {
        const smaller = { ...CURRENT, N: part };
        if (workOf(smaller) > lacking) continue;
        await derive(password, salt, smaller);
        lacking -= workOf(smaller);
      }
    },
  };
}

/** Not so for a NaN, of a text that does not match. RFC 7914, section 2: N is a power of 2, and under 2^(128 r / 8). */
function isAffordable(cost: Cost): boolean {
  const { N, r, p } = cost;
  if (!(workOf(cost) <= MOST_WORK && 128 * r * (N + p) <= MOST_BYTES)) return false;
  return N > 1 && Number.isInteger(Math.log2(N)) && Math.log2(N) < 16 * r;
}

function workOf({ N, r, p }: Cost): number {
  return N * r * p;
}

async function encode(password: string, salt: string, cost: Cost): Promise<string> {
  const key = await derive(password, salt, cost);
  return `scrypt$${cost.N}$${salt}$${cost.r}$${cost.p}$${key.toString('base64')}`;
}

function derive(password: string, salt: string, cost: Cost): Promise<Buffer> {
  // OpenSSL counts some more than RFC 7914 does.
  const options = { ...cost, maxmem: 2 * MOST_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
