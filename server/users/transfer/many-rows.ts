import type { Compilable } from 'kysely';
import { type Database, statement } from '../../../db/statement.ts';

/** How many rows or values one statement takes: few sizes, so that few are kept prepared. */
const SIZES = [500, 100, 20, 4, 1];

/** As many values as `finder` asks for at once. */
const AT_ONCE = 500;

/**
 * A function that writes any number of rows, by few statements.
 *
 * @param sample a row; only its columns count, and their order
 * @param build a statement that writes some rows like it, and binds nothing else
 */
export function inserter<Row extends object, Result>(
  sample: Row,
  build: (db: Database, rows: Row[]) => Compilable<Result>,
): (db: Database, rows: readonly Row[]) => Promise<Result[]> {
  const columns = Object.keys(sample) as (keyof Row)[];
  const statements = SIZES.map((size) => ({
    size,
    insert: statement((db) => build(db, Array<Row>(size).fill(sample))),
  }));
  return async (db, rows) => {
    const results: Result[] = [];
    let done = 0;
    for (const { size, insert } of statements) {
      for (; rows.length - done >= size; done += size) {
        const some = rows.slice(done, done + size);
        const values = some.flatMap((row) => columns.map((column) => row[column]));
        results.push(...(await insert(db, ...values)).rows);
      }
    }
    return results;
  };
}

/**
 * A function that finds what belongs to any number of distinct values.
 *
 * @param sample a value
 * @param build a statement that takes some values like it, and binds nothing else
 */
export function finder<Value, Row>(
  sample: Value,
  build: (db: Database, values: Value[]) => Compilable<Row>,
): (db: Database, values: readonly Value[]) => Promise<Row[]> {
  const find = statement((db) => build(db, Array<Value>(AT_ONCE).fill(sample)));
  return async (db, values) => {
    const rows: Row[] = [];
    for (let at = 0; at < values.length; at += AT_ONCE) {
      // What is left over is filled up with repetitions, which find nothing more.
      const some = Array.from({ length: AT_ONCE }, (_, index) => values[at + index] ?? values[at]);
      rows.push(...(await find(db, ...some)).rows);
    }
    return rows;
  };
}
