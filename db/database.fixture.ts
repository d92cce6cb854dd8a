import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from './connect.ts';
import { migrate } from './migrate.ts';
import { Keeper } from './postgres-keeper.fixture.ts';
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
  if (isEmpty) {
    const name = await create('template0');
    return { url: withDatabase(TEMPLATE, name), remove: () => drop(name) };
  }
  const copy = idle.pop() ?? (await takeCopy(TEMPLATE));
  return { url: copy.url, remove: () => giveBack(copy) };
}

/** A copy of the template, and a connection to it that empties it between two tests: that is faster than a new one. */
interface Copy {
  name: string;
  url: string;
  keeper: Keeper;
}

/** Those that no test of this process uses now. */
const idle: Copy[] = [];

/** One that another process left, or a new one. */
async function takeCopy(template: string): Promise<Copy> {
  const [left] = await administrator().query<{ name: string }>(`delete from idle_database where name =
    (select name from idle_database limit 1 for update skip locked) returning name`);
  const name = left?.name ?? (await create(databaseOf(template)));
  const url = withDatabase(template, name);
  return { name, url, keeper: new Keeper(url) };
}

async function giveBack(copy: Copy): Promise<void> {
  if (await empty(copy.keeper)) {
    idle.push(copy);
    return;
  }
  await copy.keeper.end();
  await drop(copy.name);
}

/** Whether a copy could be brought back to where it began: nobody else uses it, and only rows were changed. */
async function empty(keeper: Keeper): Promise<boolean> {
  try {
    for (let tries = 0; tries < 50; tries += 1) {
      const others = await keeper.query(OTHERS);
      if (others.length === 0) {
        await keeper.query('select testing.reset()');
        return true;
      }
      await pause(5);
    }
  } catch {}
  return false;
}

const OTHERS = `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
  and backend_type = 'client backend'`;

async function create(template: string): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administrator().query(`create database ${name} template ${template} strategy file_copy`);
  return name;
}

async function drop(name: string): Promise<void> {
  await administrator().query(`drop database if exists ${name} with (force)`);
}

let opened: Keeper | undefined;

/** The database of the server that is nobody's. */
function administrator(): Keeper {
  opened ??= new Keeper(withDatabase(TEMPLATE as string, 'postgres'));
  return opened;
}

// What this process is done with is of use to the next.
process.once('beforeExit', async () => {
  for (const { name, keeper } of idle.splice(0)) {
    await keeper.end();
    await administrator().query('insert into idle_database values ($1)', name);
  }
});

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
