import type { Migration } from 'kysely';
import { djangoTables } from './0001-django.ts';
import { adminTables } from './0002-admin.ts';
import { sessionTables } from './0004-sessions.ts';
import { keyTables } from './0005-keys.ts';
import { limitTables } from './0006-limits.ts';

/** Every migration by its name, in the order they are applied. A name, once released, stays. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001_django': djangoTables,
  '0002_admin': adminTables,
  '0004_sessions': sessionTables,
  '0006_limits': limitTables,
  '0005_keys': keyTables,
};
