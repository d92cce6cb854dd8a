import type { Migration } from 'kysely';
import { djangoTables } from './0001-django.ts';
import { adminTables } from './0002-admin.ts';
import { sessionTables } from './0004-sessions.ts';

/** Every migration by its name, in the order they are applied. A name, once released, stays. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_django': djangoTables,
  '0002_admin': adminTables,
  '0004_sessions': sessionTables,
};
