import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { sql } from 'kysely';
import { connect } from './connect.ts';
import { makeTestDatabase, type TestDatabase } from './database.fixture.ts';
import { listMigrations, migrate, NewerSchemaError } from './migrate.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { djangoRowsOf, djangoSchemaOf, onConnection } from './postgres-schema.fixture.ts';

/** What `pg_dump` wrote of a database that Django itself migrated and filled. */
const DUMP = readFileSync(new URL('../e2e/interop/django.postgres.sql', import.meta.url), 'utf8');

const made: TestDatabase[] = [];
afterEach(async () => {
  for (const { remove } of made.splice(0)) await remove();
});

/** An empty database, or one that Django made. */
async function makeDatabase(content: 'empty' | 'django'): Promise<string> {
  const database = await makeTestDatabase({ isEmpty: true });
  made.push(database);
  if (content === 'django') {
    await onConnection(database.url, (client) => client.query(DUMP.replace(/^\\.*$/gm, '')));
  }
  return database.url;
}

async function migrateAt(url: string): Promise<void> {
  const db = connect(url);
  await migrate(db);
  await db.destroy();
}

test('a fresh database has the tables that Django makes: columns, indexes, constraints, sequences', async () => {
  const [fresh, django] = [await makeDatabase('empty'), await makeDatabase('django')];
  await migrateAt(fresh);
  const schema = await djangoSchemaOf(fresh);
  assert.ok(schema.length > 100, `${schema.length} lines`);
  assert.deepEqual(schema, await djangoSchemaOf(django));
});

test('a fresh database says of itself what Django would, and ids go on behind it', async () => {
  const [fresh, django] = [await makeDatabase('empty'), await makeDatabase('django')];
  await migrateAt(fresh);
  for (const query of [
    'select id, app, name from django_migrations order by id',
    'select * from django_content_type order by id',
    'select * from auth_permission order by id',
  ]) {
    const [ours, djangos] = await Promise.all(
      [fresh, django].map((url) => onConnection(url, async (client) => (await client.query(query)).rows)),
    );
    assert.deepEqual(ours, djangos, query);
  }
  const insert = "insert into django_content_type (app_label, model) values ('a', 'b') returning id";
  assert.equal(await onConnection(fresh, async (client) => (await client.query(insert)).rows[0].id), 9);
});

test('of a database that Django made no table, index, row or sequence is touched', async () => {
  const url = await makeDatabase('django');
  const [schema, rows] = [await djangoSchemaOf(url), await djangoRowsOf(url)];
  await migrateAt(url);
  assert.deepEqual(await djangoSchemaOf(url), schema);
  assert.equal(await djangoRowsOf(url), rows);
});

test('of several that migrate at once all end well, and every migration ran once', async () => {
  const url = await makeDatabase('empty');
  const databases = Array.from({ length: 5 }, () => connect(url));
  const told: string[] = [];
  await Promise.all(databases.map((db) => migrate(db, (name) => told.push(name))));
  assert.deepEqual(told, Object.keys(MIGRATIONS));
  for (const db of databases) await db.destroy();
});

test('a migration that fails leaves nothing of itself behind', async () => {
  const url = await makeDatabase('empty');
  await onConnection(url, (client) => client.query('create table auth_group (id integer)'));
  const db = connect(url);
  await assert.rejects(migrate(db), /auth_group/);
  assert.ok((await listMigrations(db)).every(({ applied }) => !applied));
  const { rows } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(db);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['auth_group', 'jotgate_lock', 'jotgate_migration'],
  );
  await db.destroy();
});

test('looking at what is applied writes nothing, and a newer schema is refused', async () => {
  const url = await makeDatabase('empty');
  const db = connect(url);
  assert.ok((await listMigrations(db)).every(({ applied }) => !applied));
  assert.deepEqual(await db.introspection.getTables(), []);
  await migrate(db);
  await sql`insert into jotgate_migration (name, timestamp) values ('9999_later', '2099-01-01')`.execute(db);
  for (const act of [listMigrations, migrate]) await assert.rejects(act(db), NewerSchemaError);
  await db.destroy();
});

test('a migration has all the time it takes, and other statements have their deadline again', async () => {
  const url = await makeDatabase('empty');
  const db = connect(url, { poolSize: 2 });
  const timeout = async () => {
    const { rows } = await sql<Record<'statement_timeout', string>>`show statement_timeout`.execute(db);
    return rows[0]?.statement_timeout;
  };
  const seen: (string | undefined)[] = [await timeout()];
  const during: Promise<unknown>[] = [];
  await migrate(db, () => during.push(timeout().then((text) => seen.push(text))));
  await Promise.all(during);
  seen.push(await timeout());
  assert.deepEqual([seen.at(0), ...new Set(seen.slice(1, -1)), seen.at(-1)], ['10s', '0', '10s']);
  await db.destroy();
});
