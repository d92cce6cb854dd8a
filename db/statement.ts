import {
  type Compilable,
  CompiledQuery,
  type DialectAdapter,
  type Kysely,
  type QueryResult,
  type RootOperationNode,
} from 'kysely';
import { isPostgres } from './by-dialect.ts';
import { keepPrepared } from './prepared.ts';
import type { Tables } from './tables.ts';

/** The database or a transaction of it: what every function that queries takes first. */
export type Database = Kysely<Tables>;

/**
 * A query that is built and compiled once per dialect and from then on only given its parameters: building
 * one costs more than running it. Its values stand in the order in which they occur in the SQL, so the builder
 * must bind nothing of its own (no `limit(1)`, no constant).
 *
 * Outside a transaction, reads that are asked for in one turn of the event loop are run together, on SQLite; Postgres
 * runs them side by side, each on a connection of its own.
 */
export function statement<Row>(build: (db: Database) => Compilable<Row>) {
  const compiledFor = new WeakMap<DialectAdapter, CompiledQuery<Row>>();
  return (db: Database, ...parameters: readonly unknown[]): Promise<QueryResult<Row>> => {
    const adapter = db.getExecutor().adapter;
    let compiled = compiledFor.get(adapter);
    if (compiled === undefined) {
      compiled = build(db).compile() as CompiledQuery<Row>;
      if (compiled.parameters.length !== parameters.length) {
        throw new Error(
          `Statement takes ${compiled.parameters.length} values, got ${parameters.length}: ${compiled.sql}`,
        );
      }
      compiledFor.set(adapter, compiled);
      keepPrepared(compiled.sql);
    }
    const query = { ...compiled, parameters };
    const isAlone = db.isTransaction || !isRead(compiled.query) || isPostgres(db);
    return isAlone ? db.executeQuery(query) : readWithThisTurn(db, query);
  };
}

interface WaitingRead {
  query: CompiledQuery;
  resolve(result: QueryResult<unknown>): void;
  reject(error: unknown): void;
}

const waitingReads = new WeakMap<Database, WaitingRead[]>();

/**
 * Runs a read together with all that are asked for in the same turn of the event loop, in one transaction: a lock
 * is taken and given back once for all of them, and code that has just run runs faster. What they see was committed
 * after the turn began, so nothing that was acknowledged before a request arrived is missed.
 */
function readWithThisTurn<Row>(db: Database, query: CompiledQuery): Promise<QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    const read = { query, resolve: resolve as WaitingRead['resolve'], reject };
    const waiting = waitingReads.get(db);
    if (waiting !== undefined) {
      waiting.push(read);
      return;
    }
    const reads = [read];
    waitingReads.set(db, reads);
    setImmediate(() => {
      waitingReads.delete(db);
      runReads(db, reads);
    });
  });
}

/** Answers nobody before all have run: what goes on with an answer would run in between. */
async function runReads(db: Database, reads: readonly WaitingRead[]): Promise<void> {
  const answers: (() => void)[] = [];
  try {
    await db.connection().execute(async (connection) => {
      if (reads.length > 1) await connection.executeQuery(BEGIN);
      for (const { query, resolve, reject } of reads) {
        try {
          const result = await connection.executeQuery(query);
          answers.push(() => resolve(result));
        } catch (error) {
          answers.push(() => reject(error));
        }
      }
      if (reads.length > 1) await connection.executeQuery(COMMIT);
    });
    for (const answer of answers) answer();
  } catch (error) {
    for (const { reject } of reads) reject(error);
  }
}

const BEGIN = CompiledQuery.raw('begin');
const COMMIT = CompiledQuery.raw('commit');

function isRead({ kind }: RootOperationNode): boolean {
  return kind === 'SelectQueryNode';
}
