import assert from 'node:assert/strict';
import { type RawBuilder, sql } from 'kysely';
import { isPostgres } from './by-dialect.ts';
import type { Database } from './statement.ts';

/** That a query finds its rows by indexes, and goes through no table from end to end, however small it is here. */
export async function assertIndexed(db: Database, query: RawBuilder<unknown>): Promise<void> {
  const plan = await (isPostgres(db) ? postgresPlan(db, query) : sqlitePlan(db, query));
  assert.doesNotMatch(plan, /\bSCAN\b|Seq Scan/, plan);
  assert.match(plan, /^SEARCH|Index/, plan);
}

async function sqlitePlan(db: Database, query: RawBuilder<unknown>): Promise<string> {
  const { rows } = await sql<{ detail: string }>`explain query plan ${query}`.execute(db);
  return rows.map(({ detail }) => detail).join('; ');
}

/** As it would be of a table that is too large to go through. */
async function postgresPlan(db: Database, query: RawBuilder<unknown>): Promise<string> {
  return db.transaction().execute(async (trx) => {
    await sql`set local enable_seqscan = off`.execute(trx);
    const { rows } = await sql<Record<'QUERY PLAN', string>>`explain ${query}`.execute(trx);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
}
