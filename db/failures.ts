/** The database was not reached, or the connection to it was lost: nothing can be said of what was asked last. */
export class DatabaseAwayError extends Error {
  override name = 'DatabaseAwayError';
  /** The driver's or the system's, such as `ECONNREFUSED`; empty where there is none. */
  readonly code: string;

  constructor(cause: unknown) {
    const first = cause instanceof AggregateError ? cause.errors[0] : cause;
    const { message = 'no reason given', code } = (first ?? {}) as { message?: string; code?: unknown };
    super(`The database cannot be reached: ${message}`, { cause });
    this.code = typeof code === 'string' ? code : '';
  }
}

/** SQLSTATEs, or the beginnings of them: appendix A of the PostgreSQL manual. */
const CONFLICTS = ['40001', '40P01'];
/** Lost connections, lack of resources, locks, cancellation and shutdown, a server that may only be read, its disk. */
const UNAVAILABLE = ['08', '53', '55P03', '57014', '57P', '25P03', '25006', '58'];

/** Whether SQLite says that another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_BUSY');
}

/** Whether the database is locked, full or away: the same may well succeed a moment later. */
export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof DatabaseAwayError ||
    isBusy(error) ||
    sqliteCode(error).startsWith('SQLITE_FULL') ||
    sqliteCode(error).startsWith('SQLITE_IOERR') ||
    isConflict(error) ||
    isOutdated(error) ||
    UNAVAILABLE.some((beginning) => sqlState(error).startsWith(beginning))
  );
}

/** Whether a transaction was given up in favour of another, and would probably succeed if done again. */
export function isConflict(error: unknown): boolean {
  return CONFLICTS.includes(sqlState(error));
}

/** Whether a prepared statement is not, or is no longer, what it was: after a change of a table by another program. */
export function isOutdated(error: unknown): boolean {
  const state = sqlState(error);
  return (state === '0A000' && /cached plan/.test((error as Error).message)) || state === '26000';
}

/** Whether an error of the driver says that rows which were to go are referred to, or that what is referred to is gone. */
export function isStillReferredTo(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_CONSTRAINT_FOREIGNKEY' || sqlState(error) === '23503';
}

/** The code of an error of better-sqlite3; empty for others. */
function sqliteCode(error: unknown): string {
  return error instanceof Error && error.name === 'SqliteError'
    ? String((error as { code?: unknown }).code)
    : '';
}

/** The SQLSTATE of an error that a Postgres server sent; empty for others. */
export function sqlState(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof severity === 'string' && typeof code === 'string' ? code : '';
}
