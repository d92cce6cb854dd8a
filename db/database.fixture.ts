import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { connect } from './connect.ts';
import { migrate } from './migrate.ts';
import type { Database } from './statement.ts';

/**
 * The URL of a migrated database on a Postgres server that the tests may do with as they like: each test gets a copy.
 * Where there is none they run on SQLite. `e2e/run.ts` sets it; by hand, `e2e/start-postgres.ts` says how.
 */
const TEMPLATE = process.env.TEST_DATABASE || undefined;

/** Whether these tests run on Postgres. */
export const ON_POSTGRES = TEMPLATE !== undefined;

/** A connection for each thing that a test does at the same time is enough. */
const POOL_SIZE = 6;

export interface TestDatabase {
  /** As DATABASE_URL takes it. */
  url: string;
  /** Once nobody is connected to it any more. */
  remove(): Promise<void>;
}

/** A database of its own for a test that opens it several times: a file of SQLite, or a copy of the migrated one. */
export async function makeTestDatabase({ isEmpty = false } = {}): Promise<TestDatabase> {
  if (TEMPLATE === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'jotgate-db-'));
    const remove = async () => rmSync(folder, { recursive: true, force: true });
    return { url: `sqlite:${join(folder, 'db.sqlite3')}`, remove };
  }
  const name = isEmpty
    ? await create('template0')
    : ((await takeIdle()) ?? (await create(databaseOf(TEMPLATE))));
  const url = withDatabase(TEMPLATE, name);
  const drop = () => administer(`drop database if exists ${name} with (force)`);
  const remove = async () => {
    if (!isEmpty && (await empty(url))) await administer('insert into idle_database values ($1)', name);
    else await drop();
  };
  return { url, remove };
}

async function create(template: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administer(`create database ${name} template ${template} strategy file_copy`);
  return name;
}

/** A database that another test is done with. */
async function takeIdle(): Promise<string | undefined> {
  const rows = await administer(`delete from idle_database where name =
    (select name from idle_database limit 1 for update skip locked) returning name`);
  return rows[0]?.name;
}

/** Whether a database could be brought back to where it began: nobody uses it, and only rows were changed. */
async function empty(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    for (let tries = 0; tries < 50; tries += 1) {
      const { rows } = await client.query(OTHERS);
      if (rows.length === 0) {
        await client.query('select testing.reset()');
        return true;
      }
      await pause(10);
    }
    return false;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

const OTHERS = `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'`;

/** A migrated database that is gone when it is closed: in memory, or on the Postgres server. */
export async function newDatabase(): Promise<Database> {
  if (TEMPLATE === undefined) return migrated(connect('sqlite::memory:'));
  const { url, remove } = await makeTestDatabase();
  const db = connect(url, { poolSize: POOL_SIZE });
  const close = db.destroy.bind(db);
  return migrated(
    Object.assign(db, {
      destroy: async () => {
        await close();
        await remove();
      },
    }),
  );
}

/** Runs a test on a migrated database that is opened twice, as by two instances of the server. */
export async function onTwoConnections(
  test: (one: Database, other: Database) => Promise<void>,
): Promise<void> {
  const { url, remove } = await makeTestDatabase();
  const one = await migrated(connect(url, { poolSize: POOL_SIZE }));
  const other = connect(url, { poolSize: POOL_SIZE });
  try {
    await test(one, other);
  } finally {
    await Promise.all([one.destroy(), other.destroy()]);
    await remove();
  }
}

async function migrated(db: Database): Promise<Database> {
  await migrate(db);
  return db;
}

/** The same server's database of another name. */
export function withDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

function databaseOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

let administrator: pg.Client | undefined;

/** Runs a statement in the database of the server that is nobody's. */
async function administer(statement: string, ...values: string[]): Promise<{ name: string }[]> {
  if (administrator === undefined) {
    administrator = new pg.Client(withDatabase(TEMPLATE as string, 'postgres'));
    await administrator.connect();
  }
  // Only while it is asked something does it keep the process alive.
  administrator.ref();
  try {
    return (await administrator.query<{ name: string }>(statement, values)).rows;
  } finally {
    administrator.unref();
  }
}
