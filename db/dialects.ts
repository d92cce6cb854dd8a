import { setTimeout as pause } from 'node:timers/promises';
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
import pLimit from 'p-limit';
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
    return new PatientSqliteDriver(this.#database);
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

  get isInTransaction(): boolean {
    return this.#connection.inTransaction;
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
  readonly #database: StatementCache;
  readonly #line = pLimit(1);

  constructor(database: StatementCache) {
    super({ database });
    this.#database = database;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return new PatientConnection(await super.acquireConnection(), this);
  }

  /** Takes the write lock at once: a transaction that reads first and writes later fails under two processes. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** What SQLite has rolled back by itself, as it does when the disk is full, is over already. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.isInTransaction) await super.rollbackTransaction(connection);
  }

  get isInTransaction(): boolean {
    return this.#database.isInTransaction;
  }

  /** Whether somebody waits for the lock that another process holds. */
  get isLocked(): boolean {
    return this.#line.activeCount > 0;
  }

  /**
   * Tries a statement outside of any transaction until the lock is free or the deadline has passed. Of many that wait
   * one tries at a time, since each try blocks the event loop. Meanwhile others have the connection: the lock is in
   * nobody's way who only reads.
   */
  async tryInLine<Result>(work: () => Promise<Result>, deadline: number): Promise<Result> {
    await super.releaseConnection();
    return this.#line(async () => {
      for (;;) {
        await pause(BUSY_PAUSE);
        await super.acquireConnection();
        try {
          return await work();
        } catch (error) {
          if (!isBusy(error) || performance.now() > deadline) throw error;
        }
        await super.releaseConnection();
      }
    });
  }
}

const WRITE = /^(begin immediate|insert|update|delete)\b/i;

/** Tries a statement again while another process holds the lock, and leaves the event loop free in between. */
class PatientConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  readonly #driver: PatientSqliteDriver;

  constructor(connection: DatabaseConnection, driver: PatientSqliteDriver) {
    this.#connection = connection;
    this.#driver = driver;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const deadline = performance.now() + BUSY_DEADLINE;
    const work = () => this.#connection.executeQuery<Row>(query);
    const isFree = !this.#driver.isInTransaction;
    if (isFree && this.#driver.isLocked && WRITE.test(query.sql)) {
      return this.#driver.tryInLine(work, deadline);
    }
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      if (isFree) return this.#driver.tryInLine(work, deadline);
      await pause(BUSY_PAUSE);
    }
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}
