import { CompiledQuery, Kysely } from 'kysely';
import { connect, isPostgresUrl, sqlitePath } from '../../db/connect.ts';
import { JotgateSqliteDialect } from '../../db/dialects.ts';
import { JotgatePostgresDialect } from '../../db/postgres-dialect.ts';
import type { Database } from '../../db/statement.ts';
import type { Tables } from '../../db/tables.ts';

/** What grows without end. To go through one of these takes as long as it is large. */
const LARGE = [
  ...[
    'auth_user',
    'auth_user_groups',
    'token_blacklist_outstandingtoken',
    'token_blacklist_blacklistedtoken',
  ],
  ...['jotgate_session', 'jotgate_session_token', 'jotgate_event'],
];

/** A query that something made, and how the database answers it. */
export interface Plan {
  readonly of: string;
  readonly query: string;
  readonly steps: readonly string[];
  /** Steps that go through a large table, or through an index of one. */
  readonly scans: readonly string[];
}

/** Opens a database and listens to what is asked of it. */
export class WatchedDatabase {
  readonly db: Database;
  readonly #url: string;
  readonly #heard = new Map<string, { of: string; query: CompiledQuery }>();
  #of = '';

  constructor(url: string) {
    this.#url = url;
    this.db = new Kysely<Tables>({
      dialect: isPostgresUrl(url)
        ? new JotgatePostgresDialect(url, 4)
        : new JotgateSqliteDialect(sqlitePath(url)),
      log: ({ query }) => {
        const key = `${this.#of}: ${query.sql}`;
        if (/^\s*(select|insert|update|delete|with)\b/i.test(query.sql) && !this.#heard.has(key))
          this.#heard.set(key, { of: this.#of, query });
      },
    });
  }

  /** What is asked from now on is asked for this. */
  listenTo(name: string): void {
    this.#of = name;
  }

  /** Explains each query that was heard, with the values of the first time. */
  async plans(): Promise<Plan[]> {
    const db = connect(this.#url);
    const plans: Plan[] = [];
    for (const { of, query } of this.#heard.values()) {
      const steps = await explain(db, query, isPostgresUrl(this.#url));
      const scans = steps.filter((step) => isScan(step, query.sql));
      plans.push({ of, query: query.sql.replace(/\s+/g, ' ').trim(), steps, scans });
    }
    await db.destroy();
    return plans;
  }
}

async function explain(
  db: Database,
  { sql, parameters }: CompiledQuery,
  isPostgres: boolean,
): Promise<string[]> {
  const words = isPostgres ? 'explain (costs off)' : 'explain query plan';
  const { rows } = await db.executeQuery<Record<string, unknown>>(
    CompiledQuery.raw(`${words} ${sql}`, [...parameters]),
  );
  return rows.map((row) => String(row['QUERY PLAN'] ?? row.detail));
}

function isScan(step: string, text: string): boolean {
  const name = /^SCAN (\w+)/.exec(step)?.[1] ?? /\bSeq Scan on (\w+)/.exec(step)?.[1];
  if (name === undefined) return false;
  // SQLite calls a table by its other name where the query gives it one.
  const named = new RegExp(`"?(\\w+)"? as "?${name}\\b`, 'i').exec(text)?.[1];
  return LARGE.includes(named ?? name);
}

/** Each query with its plan, and a complaint where a large table is gone through. */
export function plansText(plans: readonly Plan[]): string {
  const texts = plans.map(({ of, query, steps, scans }) =>
    [`${of}: ${query}`, ...steps.map((step) => `    ${step}`), ...scans.map(complaint)].join('\n'),
  );
  return texts.join('\n');
}

/** Only what is wrong: of a list the head is read, and that is a scan which a limit ends. */
export function endlessText(plans: readonly Plan[]): string {
  const endless = plans.filter(({ query, scans }) => scans.length > 0 && !/\blimit\b/i.test(query));
  const count = `${plans.length} queries, ${endless.length} of which go through a large table without a limit`;
  return [count, plansText(endless)].join('\n').trim();
}

function complaint(step: string): string {
  return `    A SCAN OF A LARGE TABLE: ${step.trim()}`;
}
