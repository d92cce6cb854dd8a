import { type OperationNode, PostgresAdapter, type RawBuilder, type RawNode, sql } from 'kysely';
import type { Database } from './statement.ts';

const DIALECTS = ['sqlite', 'postgres'] as const;

export type DialectName = (typeof DIALECTS)[number];

/** Stands before a text for each dialect, of which the compiler takes its own. No SQL of ours begins so. */
const MARK = '/* by dialect */';

/** SQL that one database needs otherwise than the other. It may stand wherever a fragment of `sql` may. */
export function byDialect<Result = unknown>(
  texts: Readonly<Record<DialectName, RawBuilder<Result>>>,
): RawBuilder<Result> {
  return sql<Result>`/* by dialect */${texts.sqlite}${texts.postgres}`;
}

/** What a compiler is to write for a fragment of `sql`: of one made by `byDialect` the text for its own dialect. */
export function chooseDialect(node: RawNode, dialect: DialectName): OperationNode {
  return node.sqlFragments[0] === MARK ? (node.parameters[DIALECTS.indexOf(dialect)] as OperationNode) : node;
}

export function isPostgres(db: Database): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
