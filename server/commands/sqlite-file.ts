import { isPostgresUrl, sqlitePath } from '../../db/connect.ts';
import { CommandError } from './command.ts';

/**
 * The file that the database is, for commands that work on it.
 *
 * @param forPostgres the command line of Postgres's own program, given the database as it takes it
 * @throws CommandError when the database is none that is in a file
 */
export function requireSqliteFile(url: string, forPostgres: (database: string) => string): string {
  if (isPostgresUrl(url)) {
    throw new CommandError(
      `The database is Postgres, which has a program of its own for this: ${forPostgres(shell(withoutPassword(url)))}`,
    );
  }
  const path = sqlitePath(url);
  if (path === ':memory:') throw new CommandError('The database is in memory, and gone with the server');
  return path;
}

/** Programs ask for the password, or take it from PGPASSWORD or ~/.pgpass. */
function withoutPassword(url: string): string {
  const query = url.indexOf('?');
  const [address, options] = query < 0 ? [url, ''] : [url.slice(0, query), url.slice(query + 1)];
  const shown = options.split('&').filter((option) => option !== '' && !/^password=/i.test(option));
  // Up to the last @ before the path: a password may hold an @ that somebody forgot to encode.
  const bare = address.replace(/^([^:]+:\/\/)([^:/@]*):[^/]*@/, '$1$2@');
  return shown.length === 0 ? bare : `${bare}?${shown.join('&')}`;
}

/** One word of a POSIX shell, whatever it holds. */
export function shell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `812 KB`, `34.5 MB`. */
export function formatSize(bytes: number): string {
  const [size, unit] =
    bytes < 1e6 ? [bytes / 1e3, 'KB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${size < 100 && unit !== 'KB' ? size.toFixed(1) : Math.ceil(size)} ${unit}`;
}
