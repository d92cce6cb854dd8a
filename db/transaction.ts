import type { Database } from './statement.ts';

/** Does work in the transaction that is given, or else in one of its own. */
export function inTransaction<Result>(
  db: Database,
  work: (trx: Database) => Promise<Result>,
): Promise<Result> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
