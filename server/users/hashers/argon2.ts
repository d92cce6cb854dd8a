import argon2 from '@node-rs/argon2';
import { type Hasher, isSameText, type ReadableHash } from './hasher.ts';
import { isLongSalt, newSalt } from './salt.ts';

/** By their names, in the package's numbers. */
const VARIETIES = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;
const VERSIONS = { 16: 0, 19: 1 } as const;

interface Cost {
  variety: keyof typeof VARIETIES;
  version: keyof typeof VERSIONS;
  /** In KiB. */
  memory: number;
  passes: number;
  lanes: number;
  /** Of the hash. */
  bytes: number;
}

/** Django 5.2's Argon2PasswordHasher. */
const CURRENT: Cost = {
  variety: 'argon2id',
  version: 19,
  memory: 102_400,
  passes: 2,
  lanes: 8,
  bytes: 32,
};

/** Of a stored hash: ten times the work of a new one, a few seconds, and 256 MiB. */
const MOST_WORK = 10 * workOf(CURRENT);
const MOST_MEMORY = 256 * 1024;

const ENCODED =
  /^argon2\$(?<variety>argon2(?:id|i|d))\$(?:v=(?<version>16|19)\$)?m=(?<m>[1-9]\d{0,9}),t=(?<t>[1-9]\d{0,9}),p=(?<p>[1-9]\d{0,2})\$(?<salt>[A-Za-z0-9+/]+)\$(?<hash>[A-Za-z0-9+/]+)$/;

/** Django's Argon2PasswordHasher: `argon2$argon2id$v=19$m=102400,t=2,p=8$base64$base64`, without `=` at the ends. */
export const argon2Hasher: Hasher = {
  takes: () => true,
  hash: async (password) => {
    const salt = Buffer.from(newSalt());
    const { variety, version, memory, passes, lanes } = CURRENT;
    const parameters = `${variety}$v=${version}$m=${memory},t=${passes},p=${lanes}`;
    return `argon2$${parameters}$${unpadded(salt)}$${unpadded(await derive(password, salt, CURRENT))}`;
  },
  read,
};

function read(stored: string): ReadableHash | null {
  const parts = ENCODED.exec(stored)?.groups;
  if (parts === undefined) return null;
  const { salt: encodedSalt = '', hash: encodedHash = '' } = parts;
  const salt = Buffer.from(encodedSalt, 'base64');
  const cost: Cost = {
    variety: parts.variety as Cost['variety'],
    // Before there was another, the version was not told.
    version: parts.version === '19' ? 19 : 16,
    memory: Number(parts.m),
    passes: Number(parts.t),
    lanes: Number(parts.p),
    bytes: Buffer.from(encodedHash, 'base64').length,
  };
  if (!isAffordable(cost) || salt.length < 8 || unpadded(salt) !== encodedSalt) return null;
  return {
    isCurrent: isCurrent(cost) && isLongSalt(salt.length),
    matches: async (password) => isSameText(unpadded(await derive(password, salt, cost)), encodedHash),
    harden: async (password) => {
      const lacking = workOf(CURRENT) - workOf(cost);
      if (lacking < 8 * CURRENT.lanes) return;
      const passes = Math.ceil(lacking / CURRENT.memory);
      await derive(password, salt, { ...CURRENT, passes, memory: Math.floor(lacking / passes) });
    },
  };
}

/** RFC 9106, section 3.1: at least 8 KiB a lane, and 4 bytes of hash. */
function isAffordable(cost: Cost): boolean {
  const { memory, lanes, bytes } = cost;
  return (
    workOf(cost) <= MOST_WORK && memory <= MOST_MEMORY && memory >= 8 * lanes && lanes <= 255 && bytes >= 4
  );
}

function isCurrent(cost: Cost): boolean {
  return (Object.keys(CURRENT) as (keyof Cost)[]).every((part) => cost[part] === CURRENT[part]);
}

function workOf({ memory, passes }: Cost): number {
  return memory * passes;
}

function derive(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  return argon2.hashRaw(password, {
    algorithm: VARIETIES[cost.variety],
    version: VERSIONS[cost.version],
    memoryCost: cost.memory,
    timeCost: cost.passes,
    parallelism: cost.lanes,
    outputLen: cost.bytes,
    salt,
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
