import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Kysely } from 'kysely';
import { JotgateSqliteDialect } from './dialects.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';

/**
 * Opens the database that a URL names and makes its folder where there is none.
 *
 * @param url `sqlite:` and a path, relative to the working folder, or `sqlite::memory:`
 * @throws the driver's error when the file cannot be made or read, or is no database
 */
export function connect(url: string): Database {
  const path = sqlitePath(url);
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return new Kysely<Tables>({ dialect: new JotgateSqliteDialect(path) });
}

/** The file that a `sqlite:` URL names: an absolute path, or `:memory:`. */
export function sqlitePath(url: string): string {
  const path = url.replace(/^sqlite:(\/\/(?=\/))?/, '');
  return path === ':memory:' ? path : resolve(path);
}
