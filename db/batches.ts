/** How many values one statement is given at a time: fewer than any database binds, and few texts to keep prepared. */
const BATCH = 500;

/** Distinct ids, as many at a time as go into one statement. */
export function* inBatches(ids: Iterable<number>): Generator<number[]> {
  const distinct = [...new Set(ids)];
  for (let at = 0; at < distinct.length; at += BATCH) yield distinct.slice(at, at + BATCH);
}
