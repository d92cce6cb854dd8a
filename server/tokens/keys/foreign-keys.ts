import type { Claims } from '../compact.ts';
import type { Algorithm, VerifyingKey } from '../context.ts';
import { own } from '../rules.ts';
import { LONGEST_KID, parseJwkSet } from './jwk-set.ts';

/** Where keys of another server come from. */
export interface ForeignKeysOptions {
  /** https, or http of this very machine. */
  url: string;
  /** The algorithm of keys that may be for several and do not say for which. */
  preferred: Algorithm;
  /** Told each time that the keys cannot be had. Those that are known go on counting. */
  onError(error: unknown): void;
  /** A clock that is never set, in milliseconds. */
  clock?: () => number;
  /** How long an answer may take to arrive, in milliseconds. */
  deadline?: number;
}

/** How long an answer may take where nothing is said, in milliseconds. */
const DEADLINE = 5_000;

/** The largest set that is read, in bytes. */
const LARGEST_SET = 256 * 1024;

/** How long keys count as fresh, in milliseconds. Then they are fetched anew, and nobody waits for it. */
const FRESH = 5 * 60_000;

/** The shortest time between two tries, in milliseconds, whatever tokens come meanwhile. */
const PAUSE = 60_000;

/**
 * The public keys of another server, whose tokens are accepted here. They are fetched from one address that the
 * settings name, never from one that a token names, and kept: while that address is away, what is known goes on
 * counting. A token that names a key which is not known may wait for one fetch, of which there is at most one a minute.
 */
export class ForeignKeys {
  readonly #options: ForeignKeysOptions;
  readonly #clock: () => number;
  #keys: ReadonlyMap<string, VerifyingKey> = new Map();
  #fetching: Promise<void> | undefined;
  /** When the last try began. */
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  readonly #closing = new AbortController();

  constructor(options: ForeignKeysOptions) {
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** The key that a token's header names. */
  find(header: Claims): VerifyingKey | undefined | Promise<VerifyingKey | undefined> {
    const kid = own(header, 'kid');
    if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID) return undefined;
    const known = this.#keys.get(kid);
    const now = this.#clock();
    const mayTry = now - this.#triedAt >= PAUSE;
    if (known !== undefined) {
      if (mayTry && now - this.#fetchedAt >= FRESH) this.fetch();
      return known;
    }
    // With a secret only those sign who have it; no key of another server is one.
    const alg = own(header, 'alg');
    if (typeof alg !== 'string' || alg.startsWith('HS')) return undefined;
    if (mayTry) this.fetch();
    return this.#fetching?.then(() => this.#keys.get(kid));
  }

  knows(kid: unknown): boolean {
    return typeof kid === 'string' && this.#keys.has(kid);
  }

  /** Fetches the keys, or waits for the fetch that is on its way. Never fails: whoever asks makes do with what there is. */
  fetch(): Promise<void> {
    this.#fetching ??= this.#replaceKeys().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  close(): void {
    this.#closing.abort();
  }

  async #replaceKeys(): Promise<void> {
    this.#triedAt = this.#clock();
    try {
      const { url, deadline = DEADLINE } = this.#options;
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(deadline)]);
      const text = await download(url, signal);
      this.#keys = parseJwkSet(JSON.parse(text), this.#options.preferred);
      this.#fetchedAt = this.#clock();
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#options.onError(error);
    }
  }
}

/** A text from an address that is taken as it is: no redirects, no cookies, no more than fits. */
async function download(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal,
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`The keys cannot be fetched: the answer is ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > LARGEST_SET) throw new Error(`The keys are more than ${LARGEST_SET} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
