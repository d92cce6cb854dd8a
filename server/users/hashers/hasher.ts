import { timingSafeEqual } from 'node:crypto';

/** One of Django's hashers, with the parameters that a new hash gets. */
export interface Hasher {
  /** Whether every byte of a password counts: else it must be hashed in another way. */
  takes(password: string): boolean;
  hash(password: string): Promise<string>;
  /** Null for what is malformed, and for what would take too much time or memory to try. */
  read(stored: string): ReadableHash | null;
}

/** A stored hash that a password can be tried on. */
export interface ReadableHash {
  /** Whether a hash made now has the same parameters, and as good a salt. */
  isCurrent: boolean;
  matches(password: string): Promise<boolean>;
  /** The work that this one lacks to a hash made now, so that it is no quicker to refuse: `harden_runtime`. */
  harden(password: string): Promise<void>;
}

/** Whether two texts are the same, in a time that depends on their lengths alone. */
export function isSameText(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
