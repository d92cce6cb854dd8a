import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import { createUser } from '../users/users.ts';
import { runCommand } from './command-run.fixture.ts';

const root = mkdtempSync(join(tmpdir(), 'jotgate-backup-'));
const database = join(root, 'live.sqlite3');
let folder: string;

before(async () => {
  const db = connect(`sqlite:${database}`);
  await migrate(db);
  await createUser(db, { username: 'ada', passwordHash: '!' }, new Date());
  await db.destroy();
});
after(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  folder = mkdtempSync(join(root, 'test-'));
});

const backup = (args: readonly string[], { url = `sqlite:${database}`, isTTY = false } = {}) =>
  runCommand(['backup', ...args], { folder, env: { DATABASE_URL: url, USER: 'zoe' }, isTTY });

function usersIn(file: string): unknown[] {
  const connection = new SqliteDatabase(file, { readonly: true });
  try {
    return connection.prepare('select username from auth_user').pluck().all();
  } finally {
    connection.close();
  }
}

test('a backup is one whole file that nobody else may read, and the history says who made it', async () => {
  const { code, out, err } = await backup(['copy.sqlite3']);
  const file = join(folder, 'copy.sqlite3');
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^Backed up \d+ KB to .*copy\.sqlite3\nThe keys are not in it: .*SECRET_KEY.*\n$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['copy.sqlite3']);
  assert.deepEqual(usersIn(file), ['ada']);
  const connection = new SqliteDatabase(file);
  assert.equal(connection.pragma('integrity_check', { simple: true }), 'ok');
  assert.equal(connection.pragma('journal_mode', { simple: true }), 'delete');
  assert.deepEqual(
    connection.prepare('select kind, via, actor_name, reason from jotgate_event').raw().all(),
    [['exported', 'command', 'zoe', 'the whole database, to copy.sqlite3']],
  );
  connection.close();
});

test('a file that is there is replaced only by --force, and never by half', async () => {
  const file = join(folder, 'copy.sqlite3');
  writeFileSync(file, 'precious', { mode: 0o644 });
  const refused = await backup([file]);
  assert.deepEqual(refused, {
    code: 1,
    out: '',
    err: `CommandError: ${file} is there already; --force replaces it\n`,
  });
  assert.equal(readFileSync(file, 'utf8'), 'precious');
  assert.equal((await backup(['--force', file])).code, 0);
  assert.deepEqual(usersIn(file), ['ada']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('the database itself is never written to, by whatever name', async () => {
  symlinkSync(database, join(folder, 'link.sqlite3'));
  for (const name of [database, `${database}-wal`, 'link.sqlite3']) {
    const { code, err } = await backup(['--force', name]);
    assert.equal(code, 1);
    assert.match(err, /^CommandError: .* is the database itself\n$/);
  }
  assert.deepEqual(usersIn(database), ['ada']);
});

test('what is open elsewhere, and in its log only, is in the backup', async () => {
  const open = new SqliteDatabase(database);
  open.pragma('journal_mode = WAL');
  open.exec(`update auth_user set first_name = 'in the log'`);
  assert.ok(statSync(`${database}-wal`).size > 0);
  assert.equal((await backup(['copy.sqlite3'])).code, 0);
  const copy = new SqliteDatabase(join(folder, 'copy.sqlite3'));
  assert.equal(copy.prepare('select first_name from auth_user').pluck().get(), 'in the log');
  copy.close();
  open.close();
});

test('a database of an older version is backed up as it is', async () => {
  const file = join(folder, 'old.sqlite3');
  const old = new SqliteDatabase(file);
  old.exec('create table auth_user (username text); insert into auth_user values (1)');
  old.close();
  assert.equal((await backup(['copy.sqlite3'], { url: `sqlite:${file}` })).code, 0);
  assert.deepEqual(usersIn(join(folder, 'copy.sqlite3')), ['1']);
});

test('at a terminal it says how far it is', async () => {
  const { out } = await backup(['copy.sqlite3'], { isTTY: true });
  const [nothing, bar, ...rest] = out.split('\r\x1b[K');
  assert.equal(nothing, '');
  assert.match(bar ?? '', /^\[#*-*\] +\d+ % {2}of \d+ KB copied$/);
  assert.match(rest.at(-1) ?? '', /^Backed up/);
});

describe('what cannot be is one line, and leaves nothing behind:', () => {
  const cases: Readonly<Record<string, () => readonly [file: string, url: string, words: RegExp]>> = {
    'no database': () => [
      'x',
      `sqlite:${join(folder, 'none.sqlite3')}`,
      /There is no database at .*none\.sqlite3/,
    ],
    'a database in memory': () => ['x', 'sqlite::memory:', /in memory/],
    'no folder to write to': () => ['nowhere/x', `sqlite:${database}`, /There is no folder .*nowhere/],
    'a folder to write over': () => {
      mkdirSync(join(folder, 'taken'));
      return ['taken', `sqlite:${database}`, /taken is a folder/];
    },
    'a file that is no database': () => {
      writeFileSync(join(folder, 'no.sqlite3'), 'no database at all'.repeat(100));
      return [
        'x',
        `sqlite:${join(folder, 'no.sqlite3')}`,
        /The database cannot be used|file is not a database/,
      ];
    },
    'a damaged database': () => [
      'x',
      `sqlite:${damaged()}`,
      /The database is damaged, and was not backed up: /,
    ],
    Postgres: () => [
      "it's.dump",
      'postgres://joe:p@ss:word@db.example:5433/jot?sslmode=require&password=hush',
      /pg_dump --format=custom --file='it'\\''s\.dump' 'postgres:\/\/joe@db\.example:5433\/jot\?sslmode=require'$/m,
    ],
  };
  for (const [name, prepare] of Object.entries(cases)) {
    test(name, async () => {
      const [file, url, words] = prepare();
      const there = readdirSync(folder);
      const { code, out, err } = await backup([file], { url });
      assert.deepEqual([code, out], [1, '']);
      const lines = err
        .trimEnd()
        .split('\n')
        .filter((line) => !/^The history will not mention/.test(line));
      assert.equal(lines.length, 1, err);
      assert.match(lines[0] as string, words);
      assert.doesNotMatch(err, /p@ss|hush/);
      assert.deepEqual(
        readdirSync(folder).filter((entry) => !/-(wal|shm)$/.test(entry)),
        there,
      );
      assert.equal(existsSync(join(folder, 'x')), false);
    });
  }

  /** A copy of the database whose index says something else than its table. */
  function damaged(): string {
    const file = join(folder, 'damaged.sqlite3');
    const original = new SqliteDatabase(database);
    original.exec(`vacuum into '${file}'`);
    original.close();
    const connection = new SqliteDatabase(file);
    const rootPage = connection
      .prepare(`select rootpage from sqlite_master where name = 'auth_permission_content_type_id_2f476e4b'`)
      .pluck()
      .get() as number;
    connection.close();
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, Buffer.alloc(2_000, 0x55), 0, 2_000, (rootPage - 1) * 4_096 + 2_000);
    closeSync(descriptor);
    return file;
  }
});

test('flags it does not know and a missing name are told as argparse does', async () => {
  assert.match((await backup([])).err, /error: the following arguments are required: FILE\n$/);
  assert.equal((await backup(['--fast', 'x'])).code, 2);
  assert.equal((await backup(['x', 'y'])).code, 2);
});
