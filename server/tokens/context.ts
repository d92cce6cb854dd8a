import type { Settings } from '../settings.ts';
import type { Claims } from './compact.ts';

/** Makes and checks signatures with this server's key, in the configured algorithm alone. */
export interface Signer {
  /** The claims as a signed compact token; their order is kept. */
  sign(claims: Claims): string;
  /** Throws anything when the signature is not by this server's key and algorithm. */
  verifySignature(token: string): void;
}

/** What token functions need besides the database. */
export interface TokenContext {
  settings: Settings;
  signer: Signer;
  /** Seconds since the epoch, with fractions. */
  now(): number;
}
