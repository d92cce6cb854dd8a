import { type SelectQueryBuilder, sql } from 'kysely';
import { isPostgres } from './by-dialect.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';

/** What is done by one at a time, whatever rows it is about. */
export type LockName = 'accounts' | 'migrations' | 'setup';

/**
 * Locks against what is checked before it is written. On SQLite a transaction has the whole database to itself from
 * its beginning, so there they do nothing. On Postgres they are rows: what a transaction has read may be changed by
 * another before it ends, unless it locked it, and every lock is given back at its end. They are taken in one order:
 * a named one, then rows by their ids.
 */

/** Waits until nobody else does what has this name, and keeps others from it until the transaction ends. */
export async function lockName(trx: Database, name: LockName): Promise<void> {
  if (!isPostgres(trx)) return;
  await sql`insert into jotgate_lock (name) values (${name})
    on conflict (name) do update set name = excluded.name`.execute(trx);
}

/** Keeps rows from being changed, deleted or kept by others until the transaction ends. Those that are gone stay so. */
export async function lockRows(trx: Database, table: keyof Tables, ids: readonly number[]): Promise<void> {
  if (!isPostgres(trx) || ids.length === 0) return;
  const rows = sql.table(table);
  await sql`select id from ${rows} where id = any(cast(${ids} as bigint[])) order by id for update`.execute(
    trx,
  );
}

/**
 * A query whose rows stay as they are read until the transaction ends. Any number may keep a row at the same time;
 * whoever wants to change or lock it waits for them.
 */
export function keepingRows<Alias extends keyof Tables, Row>(
  db: Database,
  query: SelectQueryBuilder<Tables, Alias, Row>,
): SelectQueryBuilder<Tables, Alias, Row> {
  return isPostgres(db) ? query.forShare() : query;
}
