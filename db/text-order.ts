import { type RawBuilder, sql } from 'kysely';
import { byDialect } from './by-dialect.ts';

/**
 * A text that is compared and sorted by its bytes, as SQLite does anyway. In Postgres that is the only order in which
 * our own indexes have texts; the database's own may be any language's.
 */
export function byBytes(text: RawBuilder<string>): RawBuilder<string> {
  return byDialect({ sqlite: text, postgres: sql<string>`${text} collate "C"` });
}
