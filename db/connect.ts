import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Kysely } from 'kysely';
import { JotgateSqliteDialect } from './dialects.ts';
import { JotgatePostgresDialect } from './postgres-dialect.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';

/** How many connections to Postgres are open at most, where nothing else is said. */
const POOL_SIZE = 10;

/**
 * Opens the database that a URL names. A file of SQLite is opened at once, and its folder made where there is none;
 * Postgres is connected to by the first query.
 *
 * @param url `sqlite:` and a path, relative to the working folder, `sqlite::memory:`, or `postgres://…`
 * @param options.poolSize how many connections to Postgres are open at most
 * @throws Error when the folder cannot be made; the driver's when the file cannot be made or read, or is no database
 */
export function connect(url: string, { poolSize = POOL_SIZE } = {}): Database {
  if (isPostgresUrl(url)) return new Kysely<Tables>({ dialect: new JotgatePostgresDialect(url, poolSize) });
  const path = sqlitePath(url);
  if (path !== ':memory:') makeFolder(dirname(path));
  return new Kysely<Tables>({ dialect: new JotgateSqliteDialect(path) });
}

export function isPostgresUrl(url: string): boolean {
  return /^postgres(ql)?:/i.test(url);
}

/** Makes a folder and those above it. Node's own `recursive` never comes back from where none can be made, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const error = new Error(
      `The folder ${folder} for the database cannot be made (${code}): see DATABASE_URL`,
      { cause },
    );
    throw Object.assign(error, { code });
  }
}

/** The file that a `sqlite:` URL names: an absolute path, or `:memory:`. */
export function sqlitePath(url: string): string {
  const path = url.replace(/^sqlite:(\/\/(?=\/))?/, '');
  return path === ':memory:' ? path : resolve(path);
}
