import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../by-dialect.ts';
import { hasTable } from '../has-table.ts';
import type { Tables } from '../tables.ts';
import { toSqlTime } from '../values.ts';
import { DJANGO_CONTENT_TYPES, DJANGO_MIGRATIONS, DJANGO_TABLES_SQLITE } from './django-tables.ts';
import { DJANGO_TABLES_POSTGRES } from './django-tables-postgres.ts';

/** In the order in which Django gives a model its permissions. */
const DEFAULT_PERMISSIONS = ['add', 'change', 'delete', 'view'];

/**
 * Makes Django's tables and fills those that Django's own `migrate` fills, so that Django takes the database as
 * one it migrated itself. A database that has them already is left as it is.
 */
export const djangoTables: Migration = {
  async up(db: Kysely<Tables>): Promise<void> {
    if (await hasTable(db, 'auth_user')) return;
    for (const ddl of isPostgres(db) ? DJANGO_TABLES_POSTGRES : DJANGO_TABLES_SQLITE)
      await sql.raw(ddl).execute(db);
    const applied = toSqlTime(new Date());
    await db
      .insertInto('django_migrations')
      .values(DJANGO_MIGRATIONS.map(([app, name]) => ({ app, name, applied })))
      .execute();
    await db
      .insertInto('django_content_type')
      .values(DJANGO_CONTENT_TYPES.map(([app_label, model]) => ({ app_label, model })))
      .execute();
    await db.insertInto('auth_permission').values(permissions()).execute();
  },
};

function permissions() {
  return DJANGO_CONTENT_TYPES.flatMap(([, model, verboseName], index) =>
    DEFAULT_PERMISSIONS.map((action) => ({
      content_type_id: index + 1,
      codename: `${action}_${model}`,
      name: `Can ${action} ${verboseName}`,
    })),
  );
}
