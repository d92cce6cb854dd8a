import { sql } from 'kysely';
import { byDialect } from './by-dialect.ts';
import type { Database } from './statement.ts';

/** Whether there is a table that queries find by this name. */
export async function hasTable(db: Database, name: string): Promise<boolean> {
  const { rows } = await byDialect<{ name: string }>({
    sqlite: sql`select name from sqlite_master where type = 'table' and name = ${name}`,
    postgres: sql`select relname as name from pg_catalog.pg_class where oid = to_regclass(${name})`,
  }).execute(db);
  return rows.length > 0;
}
