import SqliteDatabase from 'better-sqlite3';

export interface CopyProgress {
  copied: number;
  /** In bytes, as `copied`. */
  total: number;
}

/** How many pages are copied in one go. */
const PAGES_AT_ONCE = 256;

/** How long others may keep their lock, in milliseconds. Nobody waits for this process meanwhile. */
const BUSY_TIMEOUT = 10_000;

/**
 * Copies a database as it is at this moment, whoever writes to it meanwhile. What the copy takes the place of goes in
 * one transaction: if it ends in the middle, the target is as it was.
 *
 * @param target a file that is no database yet, or one that nobody else has open
 * @throws the driver's error
 */
export async function copySqlite(
  source: string,
  target: string,
  onProgress: (progress: CopyProgress) => void = () => {},
): Promise<void> {
  const connection = new SqliteDatabase(source, { fileMustExist: true, timeout: BUSY_TIMEOUT });
  try {
    const pageSize = Number(connection.pragma('page_size', { simple: true }));
    // Held to the end: without it the copy would begin anew at each write of another process, and under load never end.
    connection.exec('begin');
    connection.prepare('select count(*) from sqlite_master').get();
    await connection.backup(target, {
      progress: ({ totalPages, remainingPages }) => {
        onProgress({ copied: (totalPages - remainingPages) * pageSize, total: totalPages * pageSize });
        return PAGES_AT_ONCE;
      },
    });
  } finally {
    connection.close();
  }
}

/** What is wrong first with a file as a database, each in a line of SQLite's; empty when nothing is. */
export function findDamage(file: string): string[] {
  try {
    return withConnection(file, (connection) => {
      const rows = connection.pragma('integrity_check(3)') as { integrity_check: string }[];
      return rows.map((row) => row.integrity_check.replaceAll('\n', ' ')).filter((text) => text !== 'ok');
    });
  } catch (error) {
    if (error instanceof SqliteDatabase.SqliteError) return [`${error.message} (${error.code})`];
    throw error;
  }
}

/** Makes one file of a database: without the write-ahead log that may lie beside it. */
export function gatherIntoOneFile(file: string): void {
  withConnection(file, (connection) => connection.pragma('journal_mode = DELETE'));
}

/**
 * Whether a database can be replaced: `free`, `open` in another process, or `broken`, when it is no database that could
 * be asked. One that is free is left as one file.
 */
export function stateOf(file: string): 'free' | 'open' | 'broken' {
  try {
    withConnection(file, (connection) => {
      // Every process that has a database with a write-ahead log open holds a lock, also when it does nothing.
      connection.pragma('locking_mode = EXCLUSIVE');
      connection.exec('begin immediate');
      connection.exec('rollback');
      connection.pragma('journal_mode = DELETE');
    });
    return 'free';
  } catch (error) {
    if (!(error instanceof SqliteDatabase.SqliteError)) throw error;
    if (error.code.startsWith('SQLITE_BUSY')) return 'open';
    if (isBroken(error)) return 'broken';
    throw error;
  }
}

/** Whether an error of the driver says that a file is no database, or not a whole one. */
export function isBroken(error: unknown): boolean {
  return error instanceof SqliteDatabase.SqliteError && /^SQLITE_(NOTADB|CORRUPT)/.test(error.code);
}

function withConnection<Result>(file: string, work: (connection: SqliteDatabase.Database) => Result): Result {
  const connection = new SqliteDatabase(file, { fileMustExist: true, timeout: 500 });
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}
