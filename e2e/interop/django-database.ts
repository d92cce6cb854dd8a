import { copyFileSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { connect, sqlitePath } from '../../db/connect.ts';
import { makeTestDatabase, ON_POSTGRES } from '../../db/database.fixture.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';

/** What Django 5.2 left of a database, as it came from there. */
const SQLITE_FILE = new URL('django.sqlite3', import.meta.url);
const POSTGRES_DUMP = new URL('django.postgres.sql', import.meta.url);

/** The password of every user of Django's in it. */
export const FIXTURE_PASSWORD = 'pw-Fixture-123';

/** A copy of Django's database that is ours as well: migrated, open, and gone once it is closed. */
export async function openDjangoDatabase(): Promise<Database> {
  const { url, remove } = await makeTestDatabase({ isEmpty: true });
  if (ON_POSTGRES) await restoreDump(url);
  else copyFileSync(SQLITE_FILE, sqlitePath(url));
  const db = connect(url);
  await migrate(db);
  const close = db.destroy.bind(db);
  const destroy = async () => {
    await close();
    await remove();
  };
  return Object.assign(db, { destroy });
}

/** Runs what `pg_dump --inserts` wrote, without the commands of `psql` in it. */
async function restoreDump(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(readFileSync(POSTGRES_DUMP, 'utf8').replace(/^\\.*$/gm, ''));
  } finally {
    await client.end();
  }
}
