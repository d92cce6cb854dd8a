import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { connect } from './connect.ts';
import { inFolder } from './folder.fixture.ts';
import { listMigrations, migrate, NewerSchemaError } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';

/** A database that Django itself migrated and filled. */
const DJANGO_MADE = fileURLToPath(new URL('../e2e/interop/django.sqlite3', import.meta.url));

/** Every table and index of a file but ours, with the SQL that made it. */
function schemaOf(file: string): Map<string, string> {
  const database = new SqliteDatabase(file, { readonly: true });
  const rows = database
    .prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%jotgate%'")
    .all() as { name: string; sql: string }[];
  database.close();
  return new Map(rows.map(({ name, sql: text }) => [name, text]));
}

/** Every row of Django's own tables, as text. */
function rowsOf(file: string): string {
  const database = new SqliteDatabase(file, { readonly: true });
  const tables = [...schemaOf(file).entries()].filter(([, text]) => text.startsWith('CREATE TABLE'));
  const rows = tables.map(([name]) => [name, database.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()]);
  database.close();
  return JSON.stringify(rows);
}

test('a fresh database has the tables that Django makes, to the letter', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'fresh.sqlite3');
    const db = connect(`sqlite:${file}`);
    await migrate(db);
    await db.destroy();
    assert.deepEqual(schemaOf(file), schemaOf(DJANGO_MADE));
  }));

test('a fresh database says of itself what Django would: migrations, content types, permissions', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'fresh.sqlite3');
    const db = connect(`sqlite:${file}`);
    await migrate(db);
    await db.destroy();
    for (const query of [
      'SELECT id, app, name FROM django_migrations',
      'SELECT * FROM django_content_type',
      'SELECT * FROM auth_permission',
    ]) {
      const [ours, djangos] = [file, DJANGO_MADE].map((path) => {
        const database = new SqliteDatabase(path, { readonly: true });
        const rows = database.prepare(`${query} ORDER BY id`).all();
        database.close();
        return rows;
      });
      assert.deepEqual(ours, djangos, query);
    }
  }));

test('of a database that Django made no table, index or row is touched', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'django.sqlite3');
    copyFileSync(DJANGO_MADE, file);
    const db = connect(`sqlite:${file}`);
    await migrate(db);
    await db.destroy();
    assert.deepEqual(schemaOf(file), schemaOf(DJANGO_MADE));
    assert.equal(rowsOf(file), rowsOf(DJANGO_MADE));
  }));

test('each migration is told of once, and the second time there is nothing to do', async () => {
  const db = connect('sqlite::memory:');
  const told: string[] = [];
  await migrate(db, (name) => told.push(name));
  await migrate(db, (name) => told.push(name));
  assert.deepEqual(told, Object.keys(MIGRATIONS));
  assert.ok((await listMigrations(db)).every(({ applied }) => applied));
  await db.destroy();
});

test('looking at what is applied writes nothing', async () => {
  const db = connect('sqlite::memory:');
  assert.ok((await listMigrations(db)).every(({ applied }) => !applied));
  assert.deepEqual(await db.introspection.getTables({ withInternalKyselyTables: true }), []);
  await db.destroy();
});

test('a schema newer than the program is refused by name', async () => {
  const db = connect('sqlite::memory:');
  await migrate(db);
  await sql`insert into jotgate_migration (name, timestamp) values ('9999_later', '2099-01-01')`.execute(db);
  for (const act of [listMigrations, migrate]) {
    await assert.rejects(act(db), (error: Error) => {
      assert.ok(error instanceof NewerSchemaError);
      assert.match(error.message, /9999_later/);
      return true;
    });
  }
  await db.destroy();
});

test('of two that migrate at once both end well, and every migration ran once', () =>
  inFolder(async (folder) => {
    const url = `sqlite:${join(folder, 'shared.sqlite3')}`;
    const databases = [connect(url), connect(url), connect(url)];
    const told: string[] = [];
    await Promise.all(databases.map((db) => migrate(db, (name) => told.push(name))));
    assert.deepEqual([...new Set(told)], Object.keys(MIGRATIONS));
    const { rows } = await sql<{ count: number }>`select count(*) as count from auth_permission`.execute(
      databases[0] as (typeof databases)[number],
    );
    assert.equal(rows[0]?.count, 32);
    for (const db of databases) await db.destroy();
  }));

test('a migration that fails leaves nothing of itself behind', async () => {
  const db = connect('sqlite::memory:');
  await sql`create table auth_group (id integer)`.execute(db);
  await assert.rejects(migrate(db), /auth_group/);
  const tables = (await db.introspection.getTables()).map(({ name }) => name);
  // The migrator's own two tables say what is applied, which is nothing.
  assert.deepEqual(
    tables.filter((name) => !name.startsWith('jotgate_migration')),
    ['auth_group'],
  );
  assert.ok((await listMigrations(db)).every(({ applied }) => !applied));
  await db.destroy();
});
