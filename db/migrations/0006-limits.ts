import type { Kysely, Migration } from 'kysely';
import type { Tables } from '../tables.ts';
import { LIMIT_TABLES } from './limit-tables.ts';
import { makeOwn } from './own-tables.ts';

/** How often log-ins failed, by account and by address. */
export const limitTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await makeOwn(db, LIMIT_TABLES);
  },
};
