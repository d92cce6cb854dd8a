import { setTimeout as pause } from 'node:timers/promises';
import { isConflict, isOutdated } from './failures.ts';
import type { Database } from './statement.ts';

/** How often a transaction is tried that others come in the way of. */
const TRIES = 5;

/** The longest pause before the second try, in milliseconds; before each further one it doubles. */
const PAUSE = 20;

/**
 * Does work in the transaction that is given, or else in one of its own. Where Postgres gave up its own in favour of
 * another it is done anew, so the work must change nothing but the database.
 */
export async function inTransaction<Result>(
  db: Database,
  work: (trx: Database) => Promise<Result>,
): Promise<Result> {
  if (db.isTransaction) return work(db);
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (!(isConflict(error) || isOutdated(error)) || tries === TRIES) throw error;
    }
    // Of two that were in each other's way, one should come first now.
    await pause(Math.random() * PAUSE * 2 ** (tries - 1));
  }
}
