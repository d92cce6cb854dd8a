import SqliteDatabase from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryCompiler,
  type QueryResult,
  type RawNode,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
  SqliteQueryCompiler,
} from 'kysely';
import { chooseDialect } from './by-dialect.ts';
import { isBusy } from './failures.ts';

/** How long one statement may block the event loop while another process holds the lock, in milliseconds. */
const BLOCKING_BUSY_TIMEOUT = 50;

/** How long a statement is tried again before the database counts as locked, in milliseconds. */
const BUSY_DEADLINE = 5_000;

/** The pause between two tries, in milliseconds. */
const BUSY_PAUSE = 25;

/** Kysely's SQLite dialect with prepared statements kept, immediate transactions and patient locking. */
export class JotgateSqliteDialect extends SqliteDialect {
  readonly #database: StatementCache;

  constructor(file: string) {
    const database = new StatementCache(file);
    super({ database });
    this.#database = database;
  }

  override createDriver(): Driver {
    return new PatientSqliteDriver({ database: this.#database });
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }

  override createQueryCompiler(): QueryCompiler {
    return new ChoosingSqliteCompiler();
  }
}

class ChoosingSqliteCompiler extends SqliteQueryCompiler {
  protected override visitRaw(node: RawNode): void {
    const chosen = chooseDialect(node, 'sqlite');
    if (chosen === node) super.visitRaw(node);
    else this.visitNode(chosen);
  }
}

/** Prepares each SQL text once. better-sqlite3 keeps no such cache of its own. */
class StatementCache {
  readonly #connection: SqliteDatabase.Database;
  readonly #statements = new Map<string, SqliteDatabase.Statement<unknown[]>>();

  constructor(file: string) {
    this.#connection = new SqliteDatabase(file, { timeout: BLOCKING_BUSY_TIMEOUT });
    this.#connection.pragma('journal_mode = WAL');
    // Not kept in the file: a WAL database that is opened again comes up with NORMAL.
    this.#connection.pragma('synchronous = FULL');
    this.#connection.pragma('foreign_keys = ON');
  }

  prepare(sql: string): SqliteDatabase.Statement<unknown[]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare<unknown[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  close(): void {
    this.#connection.close();
  }
}

/** SQLite rolls DDL back with its transaction; Kysely's adapter does not make use of it. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class PatientSqliteDriver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    const asked = performance.now();
    return new PatientConnection(await super.acquireConnection(), asked + BUSY_DEADLINE);
  }

  /** Takes the write lock at once: a transaction that reads first and writes later fails under two processes. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** Tries a statement again while another process holds the lock, and leaves the event loop free in between. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  #firstDeadline: number | undefined;

  /** @param firstDeadline of its first statement: whoever waited for others that tried has waited for the lock as well */
  constructor(connection: DatabaseConnection, firstDeadline: number) {
    this.#connection = connection;
    this.#firstDeadline = firstDeadline;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const deadline = this.#firstDeadline ?? performance.now() + BUSY_DEADLINE;
    this.#firstDeadline = undefined;
    for (;;) {
      try {
        return await this.#connection.executeQuery<Row>(query);
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE));
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}
