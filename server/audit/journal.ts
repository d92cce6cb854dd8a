import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { completeNotes, type NotedEvent } from './notes.ts';
import { purgeEvents } from './purge.ts';
import { recordTimedEvents } from './record.ts';
import { WaitingNotes } from './waiting-notes.ts';

/**
 * Records the many events of the API, which must not hold an answer up: they are gathered and written together. What
 * is not written yet is lost when the process is killed.
 */
export interface Journal {
  /** Notes an event that happens now. Never throws. */
  note(event: NotedEvent): void;
  /** Resolves when all that was noted so far is written, or could not be. */
  flush(): Promise<void>;
  /** Writes what is left and ends. Nothing is noted after it. */
  close(): Promise<void>;
}

export interface JournalOptions {
  /** Seconds since the epoch. */
  now(): number;
  /** Told of a write that failed, and of events that there was no room for. */
  onError(error: unknown): void;
  /** How long events are kept, in seconds. */
  lifetime: number;
}

/** How long events are gathered, in milliseconds. */
const GATHERING = 100;

/** The longest pause before a write that failed is tried again, in milliseconds. */
const LONGEST_PAUSE = 30_000;

/** When what is too old is forgotten: soon after the start, and then each hour; in milliseconds. */
const FIRST_PURGE = 2_000;
const PURGE_INTERVAL = 3_600_000;

export function openJournal(db: Database, options: JournalOptions): Journal {
  return new GatheringJournal(db, options);
}

class GatheringJournal implements Journal {
  readonly #db: Database;
  readonly #options: JournalOptions;
  readonly #purgeTimers: readonly NodeJS.Timeout[];
  #waiting = new WaitingNotes();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #purging: Promise<void> = Promise.resolve();
  #failures = 0;
  #isClosed = false;

  constructor(db: Database, options: JournalOptions) {
    this.#db = db;
    this.#options = options;
    const purge = () => this.#purge();
    this.#purgeTimers = [setTimeout(purge, FIRST_PURGE).unref(), setInterval(purge, PURGE_INTERVAL).unref()];
  }

  note(event: NotedEvent): void {
    if (this.#isClosed) return;
    this.#waiting.add({ event, at: this.#options.now() });
    this.#schedule(GATHERING);
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // One after another: the order of events is that of their rows.
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return this.#writing;
    this.#isClosed = true;
    for (const timer of this.#purgeTimers) clearTimeout(timer);
    await this.flush();
    clearTimeout(this.#timer);
    await this.#purging;
    const lost = this.#waiting.length;
    if (lost > 0)
      this.#options.onError(new Error(`Events of the history that could not be written: ${lost}`));
  }

  #schedule(pause: number): void {
    this.#timer ??= setTimeout(() => this.flush(), pause).unref();
  }

  /** Writes what waits in one transaction. What could not be written waits on, before what came meanwhile. */
  async #write(): Promise<void> {
    const { notes, dropped } = this.#waiting.take();
    if (dropped > 0) {
      this.#options.onError(new Error(`Events left out of the history, because too many waited: ${dropped}`));
    }
    if (notes.length === 0) return;
    try {
      await inTransaction(this.#db, async (trx) => {
        await recordTimedEvents(trx, await completeNotes(trx, notes));
      });
      this.#failures = 0;
    } catch (error) {
      this.#failures += 1;
      this.#options.onError(error);
      this.#waiting.putBack(notes);
    }
    if (this.#waiting.length > 0) this.#schedule(Math.min(GATHERING * 2 ** this.#failures, LONGEST_PAUSE));
  }

  #purge(): void {
    const { now, lifetime, onError } = this.#options;
    this.#purging = this.#purging
      .then(() => purgeEvents(this.#db, now(), lifetime, () => this.#isClosed))
      .then(() => {}, onError);
  }
}
