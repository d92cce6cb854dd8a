import type { Kysely, Migration } from 'kysely';
import type { Tables } from '../tables.ts';
import { KEY_TABLES } from './key-tables.ts';
import { makeOwn } from './own-tables.ts';

/** The ring of signing keys, and which token hangs on which of them. */
export const keyTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    await makeOwn(db, KEY_TABLES);
  },
};
