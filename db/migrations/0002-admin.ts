import { type Kysely, type Migration, sql } from 'kysely';
import type { Tables } from '../tables.ts';
import { ADMIN_INDEXES, ADMIN_TABLES_SQLITE } from './admin-tables.ts';

/** What the admin console keeps besides Django's tables, and the indexes by which it finds its way in large ones. */
export const adminTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    for (const ddl of [...ADMIN_TABLES_SQLITE, ...ADMIN_INDEXES]) await sql.raw(ddl).execute(db);
  },
};
