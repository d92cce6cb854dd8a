import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { AppError } from '../errors.ts';
import { type HashingSettings, hasherFor, hasherOf, preferredHasher } from './hashers/registry.ts';
import { randomLetters } from './hashers/salt.ts';

export type { HashingSettings };

/** Longer passwords are refused by whoever takes them in, before anything is hashed. In characters. */
export const PASSWORD_MAX_LENGTH = 4096;

/** How many hashes may wait for their turn. At the default cost the last of them waits some ten seconds. */
const MAX_WAITING = 100;

const turns = pLimit(availableParallelism());

export interface PasswordCheck {
  matches: boolean;
  /** The password is right, but a hash made now would be another: it should be stored anew. */
  mustUpdate: boolean;
}

/** Bounds how often passwords may be tried. */
export interface AttemptGuard {
  /** Throws where no more are. */
  admit(): Promise<void>;
  refused(): Promise<void>;
}

const NO_MATCH: PasswordCheck = { matches: false, mustUpdate: false };

/**
 * Hashes a password as Django's `make_password` does, by the first of PASSWORD_HASHERS; one that `bcrypt` would cut,
 * by the first that does not.
 *
 * @throws AppError `busy` when too many hashes wait already; `invalid` when no hasher takes the whole password
 */
export function hashPassword(password: string, settings: HashingSettings): Promise<string> {
  return inTurn(() => {
    const hasher = hasherFor(password, settings)?.hasher;
    if (hasher === undefined) throw new AppError('invalid', { members: { password: [TOO_LONG] } });
    return hasher.hash(password);
  });
}

const TOO_LONG = 'This password is too long. It must contain at most 72 bytes.';

/**
 * Compares a password with a stored hash, as Django's `verify_password` does. An unknown user (null), an unusable,
 * unknown or malformed hash, one whose parameters would exhaust the server, and a wrong password cost the same: one
 * hash as it would be made now. A hash of another algorithm than the first costs what a new one of its own does.
 *
 * @param guard asked when the turn has come, right before the work, and told when the password did not match
 * @throws AppError `busy` when too many hashes wait already; what the guard throws
 */
export function checkPassword(
  password: string,
  stored: string | null,
  settings: HashingSettings,
  guard?: AttemptGuard,
): Promise<PasswordCheck> {
  const found = hasherOf(stored ?? '', settings);
  const hash = found?.hasher.takes(password) ? found.hasher.read(stored ?? '') : null;
  return inTurn(async () => {
    await guard?.admit();
    const current = hasherFor(password, settings);
    if (hash !== null && (await hash.matches(password))) {
      return { matches: true, mustUpdate: found?.name !== current?.name || !hash.isCurrent };
    }
    if (hash === null) await (current?.hasher ?? preferredHasher(settings)).hash(password);
    else await hash.harden(password);
    await guard?.refused();
    return NO_MATCH;
  });
}

/** A stored hash that no password matches, as Django's `make_password(None)` gives it. */
export function unusablePassword(): string {
  return `!${randomLetters(40)}`;
}

async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  if (turns.pendingCount >= MAX_WAITING) throw new AppError('busy', { retryAfter: 1 });
  return turns(work);
}
