import type { Kysely, Migration } from 'kysely';
import type { Tables } from '../tables.ts';
import { makeOwn } from './own-tables.ts';
import { SESSION_TABLES } from './session-tables.ts';

/** Logins, and the refresh tokens that descend from each. */
export const sessionTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await makeOwn(db, SESSION_TABLES);
  },
};
