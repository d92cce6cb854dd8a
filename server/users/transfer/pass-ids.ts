import { sql } from 'kysely';
import { isPostgres } from '../../../db/by-dialect.ts';
import type { Database } from '../../../db/statement.ts';

/** Lets Postgres count on behind ids that were given to it, as `loaddata` does. SQLite does so by itself. */
export async function passIds(db: Database, table: 'auth_user' | 'auth_group'): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`select setval(pg_get_serial_sequence(${table}, 'id'),
    greatest(nextval(pg_get_serial_sequence(${table}, 'id')), (select max(id) from ${sql.table(table)})))`.execute(
    db,
  );
}
