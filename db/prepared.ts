import { createHash } from 'node:crypto';

const names = new Map<string, string>();

/** Has Postgres keep a query prepared from its first use on each connection on. For queries of which there are few. */
export function keepPrepared(sql: string): void {
  if (names.has(sql)) return;
  // By its text, not by number: behind a proxy that shares connections, others use the same name for the same.
  names.set(sql, `jotgate_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`);
}

/** The name under which a query is prepared; undefined where it is not. */
export function preparedName(sql: string): string | undefined {
  return names.get(sql);
}
