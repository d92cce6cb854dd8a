import {
  PostgresAdapter,
  PostgresDialect,
  PostgresQueryCompiler,
  type QueryCompiler,
  type RawNode,
} from 'kysely';
import { chooseDialect } from './by-dialect.ts';
import { type Deadlines, openPool } from './postgres-pool.ts';
import type { Database } from './statement.ts';

/** Kysely's Postgres dialect, whose rows are like those of SQLite. */
export class JotgatePostgresDialect extends PostgresDialect {
  readonly #deadlines: Deadlines;

  /** @param poolSize how many connections are open at most */
  constructor(url: string, poolSize: number) {
    const deadlines = { suspensions: 0 };
    super({ pool: () => openPool(url, poolSize, deadlines) });
    this.#deadlines = deadlines;
  }

  override createAdapter(): PostgresAdapter {
    return new DeadlineAdapter(this.#deadlines);
  }

  override createQueryCompiler(): QueryCompiler {
    return new ChoosingPostgresCompiler();
  }
}

/** The only part of a dialect that is reached from a database: it carries what functions need to know of it. */
class DeadlineAdapter extends PostgresAdapter {
  readonly deadlines: Deadlines;

  constructor(deadlines: Deadlines) {
    super();
    this.deadlines = deadlines;
  }
}

class ChoosingPostgresCompiler extends PostgresQueryCompiler {
  protected override visitRaw(node: RawNode): void {
    const chosen = chooseDialect(node, 'postgres');
    if (chosen === node) super.visitRaw(node);
    else this.visitNode(chosen);
  }
}

/**
 * Does what may take its time, such as making an index of a large table, which no deadline is to end. On SQLite there
 * are none.
 */
export async function withoutDeadline<Result>(db: Database, work: () => Promise<Result>): Promise<Result> {
  const { adapter } = db.getExecutor();
  if (!(adapter instanceof DeadlineAdapter)) return work();
  adapter.deadlines.suspensions += 1;
  try {
    return await work();
  } finally {
    adapter.deadlines.suspensions -= 1;
  }
}
