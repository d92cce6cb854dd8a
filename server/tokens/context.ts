import type { Database } from '../../db/statement.ts';
import type { Client } from '../sessions/sessions.ts';
import type { Settings } from '../settings.ts';
import type { Claims } from './compact.ts';

export type Algorithm = Settings['ALGORITHM'];

/** A key that tokens are checked with, in its own algorithm alone. */
export interface VerifyingKey {
  readonly algorithm: Algorithm;
  /** Throws anything when the signature is not by this key and in this algorithm. */
  verifySignature(token: string): void;
}

/**
 * Signs tokens, and knows the keys that they are checked with. But for `stillCounts`, what returns a promise asks the
 * database by itself, so that a transaction must not wait for it.
 */
export interface Signer {
  /**
   * The claims as a signed compact token; their order is kept.
   *
   * @throws AppError `no_signing_key` where tokens are only verified
   */
  sign(claims: Claims): string;
  /**
   * The key that a token with this header must be signed with; none where the header names a key that does not count,
   * or not any more. What other instances did to the keys before this was called is seen.
   */
  keyFor(header: Claims): VerifyingKey | undefined | Promise<VerifyingKey | undefined>;
  /** Whether the key of a header still counts, asked once more in a transaction. */
  stillCounts(trx: Database, header: Claims): boolean | Promise<boolean>;
  /**
   * Comes before signing what no token was checked for: sees what other instances did to the keys.
   *
   * @throws AppError `no_signing_key`
   */
  prepareToSign(): void | Promise<void>;
  /** The id of the key of the ring that signs now; null where none of a ring does. */
  ringKeyId(): number | null;
}

/** What token functions need besides the database. */
export interface TokenContext {
  settings: Settings;
  signer: Signer;
  /** Seconds since the epoch, with fractions. */
  now(): number;
  /** Told of a token that was used without being replaced, and from where. */
  noteUse?(jti: string, client: Client): void;
}
