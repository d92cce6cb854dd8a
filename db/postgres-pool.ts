import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { DatabaseAwayError, isOutdated, sqlState } from './failures.ts';
import { toParameters, valueTypes } from './postgres-types.ts';
import { preparedName } from './prepared.ts';

/** How long a connection is waited for, a new one or one that another gives back, in milliseconds. */
const CONNECTION_TIMEOUT = 5_000;

/** How long a statement may take, locks included, before the server gives it up; in milliseconds. */
const STATEMENT_TIMEOUT = 10_000;

/** How long an answer is waited for: longer than the server takes to give up, unless it is out of reach. */
const ANSWER_TIMEOUT = 12_000;

/** After how long the server ends a transaction that asks for nothing more, since its client may be gone. */
const IDLE_TRANSACTION_TIMEOUT = 30_000;

/** How long a connection that nobody needs is kept, in milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** Whether statements have deadlines: none has while a command does what takes its time, such as a migration. */
export interface Deadlines {
  /** How many things are going on that must not be hurried. */
  suspensions: number;
}

/** What is prepared on the connections of a pool. */
interface Preparation {
  /** How often it turned out to be outdated. With another number, everything is prepared under other names. */
  generation: number;
}

/**
 * Connects to Postgres when it is first asked to. A database that is away is told by a deadline, and is found again
 * by itself: a connection that failed is given up, and the next one made anew.
 */
export async function openPool(url: string, size: number, deadlines: Deadlines): Promise<PostgresPool> {
  // Not loaded where SQLite is the database.
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'jotgate',
    max: size,
    types: valueTypes(pg.types),
    keepAlive: true,
    connectionTimeoutMillis: CONNECTION_TIMEOUT,
    idleTimeoutMillis: IDLE_TIMEOUT,
    onConnect: prepareSession,
  });
  // Of a connection that is lost the next query tells; without a listener the process would end.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return new ReliablePool(pool, deadlines);
}

/** Settings of the session rather than of the start-up packet, which not every proxy in between lets pass. */
async function prepareSession(client: Pick<PoolClient, 'query'>): Promise<void> {
  await client.query(
    hurried({
      text:
        `set timezone = 'UTC'; set datestyle = 'ISO'; set statement_timeout = ${STATEMENT_TIMEOUT}; ` +
        `set idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_TIMEOUT}`,
    }),
  );
}

interface Query {
  text: string;
  name?: string;
  values?: unknown[];
}

/** `pg` takes a deadline for each query; its types do not say so. */
function hurried(query: Query): Query {
  return { ...query, query_timeout: ANSWER_TIMEOUT } as Query;
}

class ReliablePool implements PostgresPool {
  readonly #pool: Pool;
  readonly #deadlines: Deadlines;
  readonly #preparation: Preparation = { generation: 0 };
  readonly #sessions = new WeakMap<PoolClient, Session>();

  constructor(pool: Pool, deadlines: Deadlines) {
    this.#pool = pool;
    this.#deadlines = deadlines;
  }

  async connect(): Promise<PostgresPoolClient> {
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw new DatabaseAwayError(error);
    }
    let session = this.#sessions.get(client);
    if (session === undefined) {
      session = new Session(client, this.#deadlines, this.#preparation);
      this.#sessions.set(client, session);
    }
    await session.begin();
    return session;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

/** A connection, in whosever hands it is. */
class Session implements PostgresPoolClient {
  readonly #client: PoolClient;
  readonly #deadlines: Deadlines;
  readonly #preparation: Preparation;
  #isHurried = true;
  #isBroken = false;

  constructor(client: PoolClient, deadlines: Deadlines, preparation: Preparation) {
    this.#client = client;
    this.#deadlines = deadlines;
    this.#preparation = preparation;
  }

  /** Gives the server the deadline that holds now. */
  async begin(): Promise<void> {
    const isHurried = this.#deadlines.suspensions === 0;
    if (isHurried === this.#isHurried) return;
    this.#isHurried = isHurried;
    try {
      await this.query(`set statement_timeout = ${isHurried ? STATEMENT_TIMEOUT : 0}`, []);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  query<Row>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(
    sql: string | PostgresCursor<Row>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<Row>> & PostgresCursor<Row> {
    if (typeof sql !== 'string') throw new Error('Rows are read all at once, not by a cursor');
    return this.#run<Row>(sql, parameters) as Promise<PostgresQueryResult<Row>> & PostgresCursor<Row>;
  }

  release(): void {
    this.#client.release(this.#isBroken);
  }

  async #run<Row>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    const query = toParameters(sql, parameters);
    const name = preparedName(query.text);
    if (name === undefined) return this.#send<Row>(query);
    const { generation } = this.#preparation;
    try {
      return await this.#send<Row>({ ...query, name: `${name}_${generation}` });
    } catch (error) {
      if (!isOutdated(error)) throw error;
      // Another program changed a table. What else is prepared, here and on other connections, may be outdated too.
      this.#preparation.generation = generation + 1;
      if (this.#client.getTransactionStatus() !== 'I') throw error;
      return this.#send<Row>(query);
    }
  }

  async #send<Row>(query: Query): Promise<PostgresQueryResult<Row>> {
    try {
      const result = await this.#client.query(this.#isHurried ? hurried(query) : query);
      return result as PostgresQueryResult<Row> & { rows: Row[] };
    } catch (error) {
      if (sqlState(error) !== '') throw error;
      // Whatever the server did not say itself: the connection was lost, or no answer came.
      this.#isBroken = true;
      this.#client.end();
      throw new DatabaseAwayError(error);
    }
  }
}
