import { createHash, randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import pLimit from 'p-limit';
import { AppError } from '../errors.ts';

/** Longer passwords are refused by whoever takes them in, before anything is hashed. In characters. */
export const PASSWORD_MAX_LENGTH = 4096;

/** How many hashes may wait for their turn. At the default cost the last of them waits some ten seconds. */
const MAX_WAITING = 100;

const turns = pLimit(availableParallelism());

export interface PasswordCheck {
  matches: boolean;
  /** The password is right, but a hash made now would have other parameters: it should be stored anew. */
  mustUpdate: boolean;
}

interface Hasher {
  hash(password: string, rounds: number): Promise<string>;
  /** Does the work of one hash of cost `rounds` whatever comes out of it, also for a stored hash it cannot read. */
  check(password: string, stored: string, rounds: number): Promise<PasswordCheck>;
}

const NO_MATCH: PasswordCheck = { matches: false, mustUpdate: false };

const BCRYPT_SHA256 =
  /^bcrypt_sha256\$(?<bcrypt>\$2[aby]\$(?<rounds>0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53})$/;

/** New passwords are hashed with this one, and hashes that no hasher can read cost as much as one of its own. */
const PREFERRED: Hasher = { hash: hashBcryptSha256, check: checkBcryptSha256 };

/** Every algorithm, by the name that stands before the first `$` of a stored hash. */
const HASHERS: ReadonlyMap<string, Hasher> = new Map([['bcrypt_sha256', PREFERRED]]);

/**
 * Hashes a password the way Django's BCryptSHA256PasswordHasher does: `bcrypt_sha256$$2b$12$…`.
 *
 * @param rounds the base-2 logarithm of the cost
 * @throws AppError `busy` when too many hashes wait already
 */
export function hashPassword(password: string, rounds: number): Promise<string> {
  return inTurn(() => PREFERRED.hash(password, rounds));
}

/**
 * Compares a password with a stored hash. An unknown user (null), an unusable, unknown or malformed hash and a
 * wrong password cost the same: one hash of the current cost.
 *
 * @param rounds the base-2 logarithm of the cost a hash has now
 * @throws AppError `busy` when too many hashes wait already
 */
export function checkPassword(
  password: string,
  stored: string | null,
  rounds: number,
): Promise<PasswordCheck> {
  const algorithm = stored?.slice(0, stored.indexOf('$')) ?? '';
  const hasher = HASHERS.get(algorithm) ?? PREFERRED;
  return inTurn(() => hasher.check(password, stored ?? '', rounds));
}

/** A stored hash that no password matches, as Django's `make_password(None)` gives it. */
export function unusablePassword(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return `!${Array.from({ length: 40 }, () => letters[randomInt(letters.length)]).join('')}`;
}

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (turns.pendingCount >= MAX_WAITING) throw new AppError('busy', { retryAfter: 1 });
  return turns(work);
}

async function hashBcryptSha256(password: string, rounds: number): Promise<string> {
  return `bcrypt_sha256$${await bcrypt.hash(digest(password), rounds)}`;
}

async function checkBcryptSha256(password: string, stored: string, rounds: number): Promise<PasswordCheck> {
  const parts = BCRYPT_SHA256.exec(stored)?.groups;
  if (parts?.bcrypt === undefined) {
    await bcrypt.hash(digest(password), rounds);
    return NO_MATCH;
  }
  // The bcrypt package knows $2y$, another name for $2b$, not at all.
  const matches = await bcrypt.compare(digest(password), parts.bcrypt.replace(/^\$2y/, '$2b'));
  const storedRounds = Number(parts.rounds);
  // Costs r, r, r+1, … R-1 add up to cost R, so that an old hash is no quicker to refuse than a new one.
  for (let cost = storedRounds; cost < rounds; cost += 1) await bcrypt.hash(digest(password), cost);
  return { matches, mustUpdate: matches && storedRounds !== rounds };
}

/** Makes any password 64 characters without a NUL: bcrypt sees 72 bytes and ends at a NUL. */
function digest(password: string): string {
  return createHash('sha256').update(password, 'utf8').digest('hex');
}
