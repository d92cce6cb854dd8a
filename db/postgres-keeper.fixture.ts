import pg from 'pg';

/** What `pg` can do besides what its types say. */
interface Countable {
  /** While it is counted, an open connection keeps the process alive. */
  ref(): void;
  unref(): void;
}

/** A connection that stays open for one statement after the other, and keeps no process alive by itself. */
export class Keeper {
  readonly #client: pg.Client & Countable;
  #last: Promise<unknown>;

  constructor(url: string) {
    this.#client = new pg.Client(url) as pg.Client & Countable;
    this.#last = this.#client.connect();
  }

  query<Row extends pg.QueryResultRow>(statement: string, ...values: readonly string[]): Promise<Row[]> {
    const run = async () => {
      this.#client.ref();
      try {
        return (await this.#client.query<Row>(statement, [...values])).rows;
      } finally {
        this.#client.unref();
      }
    };
    const result = this.#last.then(run);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async end(): Promise<void> {
    await this.#last;
    this.#client.ref();
    await this.#client.end();
  }
}
