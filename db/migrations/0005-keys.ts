import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../by-dialect.ts';
import type { Tables } from '../tables.ts';
import { BLACKLISTED_IS_DEAD, KEY_TABLES } from './key-tables.ts';
import { makeOwn } from './own-tables.ts';

/** The ring of signing keys, and which token hangs on which of them. */
export const keyTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await makeOwn(db, KEY_TABLES);
    for (const ddl of BLACKLISTED_IS_DEAD[isPostgres(db) ? 'postgres' : 'sqlite'])
      await sql.raw(ddl).execute(db);
  },
};
