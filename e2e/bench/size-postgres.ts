import { chmodSync, closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import pg from 'pg';
import { connect } from '../../db/connect.ts';
import { withDatabase } from '../../db/database.fixture.ts';
import { migrate } from '../../db/migrate.ts';
import { temporaryFolder } from './size-folder.ts';
import type { Connection } from './size-rows.ts';

/** What has rows in a database of some size, besides what a migration puts there. */
const TABLES = [
  ...['auth_user', 'auth_group', 'auth_user_groups'],
  ...['token_blacklist_outstandingtoken', 'token_blacklist_blacklistedtoken'],
  ...['jotgate_session', 'jotgate_session_token', 'jotgate_event', 'jotgate_event_day'],
];

/** How much is written at a time, in characters. */
const CHUNK = 1_000_000;

/** Makes a migrated database on a server. @returns its URL */
export async function makePostgres(server: string, name: string): Promise<string> {
  const client = await open(server);
  await client.query(`create database ${name} template template0`);
  await client.end();
  const url = withDatabase(server, name);
  const db = connect(url);
  await migrate(db);
  await db.destroy();
  return url;
}

/** Copies the rows of a SQLite file to a migrated database on Postgres, whose server is on this machine. */
export async function fillPostgres(url: string, file: string): Promise<void> {
  const source = new SqliteDatabase(file, { readonly: true });
  const client = await open(url);
  const folder = temporaryFolder('jotgate-size-rows-');
  // The server runs as somebody else.
  chmodSync(folder.path, 0o755);
  try {
    // No reference is looked up, and no trigger runs: it is as it was in the file.
    await client.query("set session_replication_role = replica; set timezone = 'UTC'");
    const rebuild = await dropIndexes(client);
    for (const table of TABLES) await timed(table, () => copyTable(source, client, table, folder.path));
    await timed('indexes', async () => {
      await client.query("set maintenance_work_mem = '512MB'");
      for (const statement of rebuild) await client.query(statement);
    });
    // Also says which pages an index alone answers for; by itself it would begin while something is measured.
    await timed('statistics', () => client.query('vacuum analyze'));
    await client.query('checkpoint');
  } finally {
    await client.end();
    source.close();
    folder.remove();
  }
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

async function timed(name: string, work: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  await work();
  console.log(`made ${name} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** By a file that the server reads: nothing else takes rows as fast. */
async function copyTable(
  source: Connection,
  client: pg.Client,
  table: string,
  folder: string,
): Promise<void> {
  const columns = source.prepare<[], { name: string }>(`PRAGMA table_info("${table}")`).all();
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const file = join(folder, table);
  const output = openSync(file, 'w', 0o644);
  let waiting = '';
  for (const row of source.prepare<[], unknown[]>(`SELECT ${names} FROM "${table}"`).raw().iterate()) {
    waiting += `${row.map(field).join('\t')}\n`;
    if (waiting.length < CHUNK) continue;
    writeSync(output, waiting);
    waiting = '';
  }
  writeSync(output, waiting);
  closeSync(output);
  await client.query(`copy "${table}" (${names}) from '${file}'`);
  rmSync(file);
  if (columns.some(({ name }) => name === 'id')) {
    await client.query(
      `select setval(pg_get_serial_sequence('"${table}"', 'id'), coalesce(max(id), 1), max(id) is not null) from "${table}"`,
    );
  }
}

/** A value in the text format of `copy`. */
function field(value: unknown): string {
  if (value === null) return '\\N';
  const text = String(value);
  if (!/[\\\t\n\r]/.test(text)) return text;
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}

/** Drops what rows are found by, but for their ids, and says how to make it again: of rows that are there it is faster. */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows: constraints } = await client.query<{ name: string; table: string; made: string }>(
    `select conname as name, conrelid::regclass::text as table, pg_get_constraintdef(oid) as made
      from pg_constraint where contype = 'u' and conrelid::regclass::text = any ($1)`,
    [TABLES],
  );
  for (const { name, table } of constraints)
    await client.query(`alter table ${table} drop constraint "${name}"`);
  const { rows: indexes } = await client.query<{ name: string; made: string }>(
    `select indexname as name, indexdef as made from pg_indexes where schemaname = 'public'
      and tablename = any ($1) and indexname not in (select conname from pg_constraint)`,
    [TABLES],
  );
  for (const { name } of indexes) await client.query(`drop index "${name}"`);
  return [
    ...constraints.map(({ name, table, made }) => `alter table ${table} add constraint "${name}" ${made}`),
    ...indexes.map(({ made }) => made),
  ];
}
