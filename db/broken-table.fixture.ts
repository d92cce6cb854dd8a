import { sql } from 'kysely';
import { isPostgres } from './by-dialect.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';

/** Makes a table unwritable, as a full disk does, with the message "disk full", until the function it gives is called. */
export async function breakInserts(db: Database, table: keyof Tables): Promise<() => Promise<void>> {
  const target = sql.table(table);
  if (!isPostgres(db)) {
    await sql`create trigger broken before insert on ${target} begin select raise(abort, 'disk full'); end`.execute(
      db,
    );
    return async () => void (await sql`drop trigger broken`.execute(db));
  }
  await sql`create function broken() returns trigger language plpgsql
    as $$ begin raise exception 'disk full'; end $$`.execute(db);
  await sql`create trigger broken before insert on ${target} for each row execute function broken()`.execute(
    db,
  );
  return async () => void (await sql`drop function broken() cascade`.execute(db));
}
