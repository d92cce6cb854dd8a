import type { Compilable, CompiledQuery, DialectAdapter, Kysely, QueryResult } from 'kysely';
import type { Tables } from './tables.ts';

/** The database or a transaction of it: what every function that queries takes first. */
export type Database = Kysely<Tables>;

/**
 * A query that is built and compiled once per dialect and from then on only given its parameters: building
 * one costs more than running it. Its values stand in the order in which they occur in the SQL, so the builder
 * must bind nothing of its own (no `limit(1)`, no constant).
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
    }
    return db.executeQuery({ ...compiled, parameters });
  };
}
