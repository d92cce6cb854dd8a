import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from './statement.ts';
import { inTransaction } from './transaction.ts';

/** How many rows one transaction takes: as many as it can in the time that it may take. */
const SMALLEST = 25;
const LARGEST = 400;

/** How long one transaction may take, in milliseconds: for so long a request may have to wait. */
const TIME = 10;

/** The pause between two, in milliseconds at least, and as so many times what the last one took. */
const SHORTEST_PAUSE = 10;
const PAUSE_SHARE = 3;

/**
 * Does something to many rows without holding anybody up: in transactions that are short, with longer pauses in
 * between. Few sizes occur, so that few statements are kept prepared.
 *
 * @param work does it to so many rows, and gives how many it found
 * @param isOver asked after each batch, for one who wants to stop
 */
export async function inSmallBatches(
  db: Database,
  work: (trx: Database, size: number) => Promise<number>,
  isOver: () => boolean = () => false,
): Promise<void> {
  let size = SMALLEST;
  for (;;) {
    let started = 0;
    const found = await inTransaction(db, (trx) => {
      // Now, for until then the lock of others may have been waited for.
      started = performance.now();
      return work(trx, size);
    });
    // With the commit, which is when SQLite writes what was changed, and waits for the disk.
    const took = performance.now() - started;
    if (found < size || isOver()) return;
    if (took > TIME) size = Math.max(SMALLEST, size / 2);
    else if (took < TIME / 2) size = Math.min(LARGEST, size * 2);
    await pause(Math.max(SHORTEST_PAUSE, took * PAUSE_SHARE));
  }
}
