import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { connect, sqlitePath } from './connect.ts';
import { isBusy } from './failures.ts';
import { inFolder } from './folder.fixture.ts';
import { type Database, statement } from './statement.ts';

async function pragma(db: Database, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(db);
  return Object.values(rows[0] ?? {})[0];
}

test('a path may be relative, absolute, with two slashes more, or memory', () => {
  assert.equal(sqlitePath('sqlite:/a/b.sqlite3'), '/a/b.sqlite3');
  assert.equal(sqlitePath('sqlite:///a/b.sqlite3'), '/a/b.sqlite3');
  assert.equal(sqlitePath('sqlite:./b.sqlite3'), join(process.cwd(), 'b.sqlite3'));
  assert.equal(sqlitePath('sqlite::memory:'), ':memory:');
});

test('the folder is made, for its owner alone', () =>
  inFolder(async (folder) => {
    const db = connect(`sqlite:${join(folder, 'a', 'b', 'c.sqlite3')}`);
    await db.destroy();
    assert.equal(statSync(join(folder, 'a', 'b')).mode & 0o777, 0o700);
  }));

test('where no folder can be made it says so and does not hang', () => {
  assert.throws(
    () => connect('sqlite:/proc/nowhere/db.sqlite3'),
    /The folder .* cannot be made .*DATABASE_URL/,
  );
});

test('every open, also the second, is durable: write-ahead log, full synchronisation, foreign keys', () =>
  inFolder(async (folder) => {
    const url = `sqlite:${join(folder, 'db.sqlite3')}`;
    for (let round = 0; round < 2; round += 1) {
      const db = connect(url);
      assert.equal(await pragma(db, 'journal_mode'), 'wal');
      assert.equal(await pragma(db, 'synchronous'), 2);
      assert.equal(await pragma(db, 'foreign_keys'), 1);
      assert.ok(Number(await pragma(db, 'busy_timeout')) > 0);
      await db.destroy();
    }
    assert.ok(existsSync(join(folder, 'db.sqlite3')));
  }));

test('a transaction takes the write lock at once, so that none is begun in vain', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'db.sqlite3');
    const db = connect(`sqlite:${file}`);
    const other = new SqliteDatabase(file, { timeout: 0 });
    await db.transaction().execute(async () => {
      assert.throws(() => other.exec('begin immediate'), isBusy);
    });
    other.exec('begin immediate; rollback');
    other.close();
    await db.destroy();
  }));

test('what another process has locked is waited for, and the event loop runs on meanwhile', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'db.sqlite3');
    const db = connect(`sqlite:${file}`);
    await sql`create table t (n integer)`.execute(db);
    const other = new SqliteDatabase(file);
    other.exec('begin immediate');
    let turns = 0;
    const clock = setInterval(() => {
      turns += 1;
      if (turns === 10) other.exec('commit');
    }, 20);
    await sql`insert into t values (1)`.execute(db);
    clearInterval(clock);
    assert.ok(turns >= 10, `the loop turned ${turns} times`);
    other.close();
    await db.destroy();
  }));

test('a statement is compiled once for each database and takes its values in order', async () => {
  let built = 0;
  const find = statement((db) => {
    built += 1;
    return db
      .selectFrom('auth_user')
      .select(['id', 'username'])
      .where('id', '=', 0)
      .where('username', '=', '');
  });
  for (let round = 0; round < 2; round += 1) {
    const db = connect('sqlite::memory:');
    await sql`create table auth_user (id integer, username text)`.execute(db);
    await sql`insert into auth_user values (7, 'ada')`.execute(db);
    assert.deepEqual((await find(db, 7, 'ada')).rows, [{ id: 7, username: 'ada' }]);
    assert.deepEqual((await find(db, 7, 'bob')).rows, []);
    await db.transaction().execute(async (trx) => assert.equal((await find(trx, 7, 'ada')).rows.length, 1));
    assert.equal(built, round + 1);
    await db.destroy();
  }
});

test('a statement whose builder binds a value of its own is found out at its first use', async () => {
  const db = connect('sqlite::memory:');
  const first = statement((one) => one.selectFrom('auth_user').select('id').where('id', '=', 0).limit(1));
  assert.throws(() => first(db, 7), /takes 2 values, got 1/);
  await db.destroy();
});
