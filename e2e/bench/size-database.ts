import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { randomNumbers } from './size-people.ts';
import {
  type Connection,
  insertBlacklisted,
  insertEvents,
  insertGroups,
  insertSessions,
  insertTokens,
  insertUsers,
  type Size,
} from './size-rows.ts';

const DAY = 86_400;

/**
 * A working folder for a server with a database of this size. It is made once, kept among the temporary files, and
 * made anew when the schema has changed or two days have passed: what expired and what is new goes by the clock.
 *
 * @returns the folder; the database lies in it where the server looks for it by default
 */
export async function sizedFolder(size: Size): Promise<string> {
  const schema = await currentSchema();
  const mark = createHash('sha256').update(schema.join()).digest('hex').slice(0, 8);
  const day = Math.floor(Date.now() / 1000 / DAY / 2);
  const name = `jotgate-size-${size.users}-${size.tokens}-`;
  const folder = join(tmpdir(), `${name}${mark}-${day}`);
  const file = databaseOf(folder);
  if (existsSync(file)) return folder;
  for (const old of readdirSync(tmpdir()).filter((entry) => entry.startsWith(name))) {
    rmSync(join(tmpdir(), old), { recursive: true });
  }
  mkdirSync(join(folder, 'data'), { recursive: true });
  const unfinished = `${file}.unfinished`;
  await makeDatabase(unfinished, size);
  renameSync(unfinished, file);
  return folder;
}

export function databaseOf(folder: string): string {
  return join(folder, 'data', 'jotgate.sqlite3');
}

async function currentSchema(): Promise<string[]> {
  const db = connect('sqlite::memory:');
  await migrate(db);
  const rows = await db
    .withTables<{ sqlite_master: { sql: string | null } }>()
    .selectFrom('sqlite_master')
    .select('sql')
    .execute();
  await db.destroy();
  return rows.flatMap(({ sql }) => (sql === null ? [] : [sql]));
}

const QUICK = [
  'journal_mode = off',
  'synchronous = off',
  'foreign_keys = off',
  'cache_size = -1000000',
  'threads = 2',
];

async function makeDatabase(file: string, size: Size): Promise<void> {
  const db = connect(`sqlite:${file}`);
  await migrate(db);
  await db.destroy();
  const connection = new SqliteDatabase(file);
  // What is lost is made again; the indexes are made last, of rows that are there.
  for (const pragma of QUICK) connection.pragma(pragma);
  const indexes = dropIndexes(connection);
  const now = Math.floor(Date.now() / 1000);
  const random = randomNumbers(20_260_304);
  const steps: Readonly<Record<string, () => void>> = {
    users: () => insertUsers(connection, size.users, now, random),
    groups: () => insertGroups(connection, size.users, random),
    tokens: () => insertTokens(connection, size, now, random),
    blacklist: () => insertBlacklisted(connection),
    sessions: () => insertSessions(connection),
    events: () => insertEvents(connection, size.users, now, random),
    indexes: () => connection.exec(indexes.join(';')),
  };
  for (const [name, step] of Object.entries(steps)) {
    const started = performance.now();
    connection.transaction(step)();
    console.log(`made ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  connection.pragma('journal_mode = wal');
  connection.close();
}

/** Drops the indexes that can be dropped, and says how to make them again. */
function dropIndexes(connection: Connection): string[] {
  const indexes = connection
    .prepare<[], { name: string; sql: string }>(
      "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    )
    .all();
  for (const { name } of indexes) connection.exec(`DROP INDEX "${name}"`);
  return indexes.map(({ sql }) => sql);
}
