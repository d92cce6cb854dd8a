import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../by-dialect.ts';
import type { Tables } from '../tables.ts';
import { ADMIN_INDEXES, ADMIN_TABLES, EVENTS_ARE_FINAL } from './admin-tables.ts';
import { makeOwn } from './own-tables.ts';

/** What the admin console keeps besides Django's tables, and the indexes by which it finds its way in large ones. */
export const adminTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await makeOwn(db, ADMIN_TABLES);
    for (const ddl of EVENTS_ARE_FINAL[isPostgres(db) ? 'postgres' : 'sqlite'])
      await sql.raw(ddl).execute(db);
    await makeOwn(db, ADMIN_INDEXES);
  },
};
