import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import { startAdminSession } from '../sessions/admin-sessions.ts';
import { makeSetupKey } from '../sessions/setup-keys.ts';
import { addToBlacklist, isBlacklisted, recordOutstanding } from '../tokens/store.ts';
import { createUser } from '../users/users.ts';
import { runCommand } from './command-run.fixture.ts';

const DJANGO = fileURLToPath(new URL('../../e2e/interop/django.sqlite3', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'jotgate-restore-'));
let folder: string;
let database: string;
let file: string;

after(() => rmSync(root, { recursive: true }));

/** A backup of when there was ada alone; then her token was revoked, and bob came. */
beforeEach(async () => {
  folder = mkdtempSync(join(root, 'test-'));
  database = join(folder, 'live.sqlite3');
  file = join(folder, 'backup.sqlite3');
  await withLive(async (db) => {
    await migrate(db);
    const ada = await createUser(db, { username: 'ada', passwordHash: '!', is_staff: true }, new Date());
    await startAdminSession(db, ada, { address: '', userAgent: '' }, new Date());
    await makeSetupKey(db, new Date());
    const now = Date.now() / 1000;
    for (const [jti, lifetime] of [
      ['live', 3_600],
      ['revoked', 3_600],
      ['over', -60],
    ] as const) {
      await recordOutstanding(db, {
        jti,
        token: 'h.p',
        userId: ada.id,
        createdAt: now - 90,
        expiresAt: now + lifetime,
      });
    }
    await addToBlacklist(db, 'revoked', new Date());
  });
  assert.equal((await run('backup', [file])).code, 0);
  await withLive(async (db) => {
    await addToBlacklist(db, 'live', new Date());
    await createUser(db, { username: 'bob', passwordHash: '!' }, new Date());
  });
});

interface Options {
  url?: string;
  input?: string;
  isTTY?: boolean;
  env?: Record<string, string>;
}

const run = (
  command: string,
  args: readonly string[],
  { url = `sqlite:${database}`, input = '', isTTY = false, env = {} }: Options = {},
) =>
  runCommand([command, ...args], { folder, input, isTTY, env: { DATABASE_URL: url, USER: 'zoe', ...env } });

const restore = (args: readonly string[], options?: Options) => run('restore', args, options);

async function withLive<Result>(work: (db: Database) => Promise<Result>, path = database): Promise<Result> {
  const db = connect(`sqlite:${path}`);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

const usernames = (path = database) =>
  withLive(
    async (db) =>
      (await db.selectFrom('auth_user').select('username').execute()).map(({ username }) => username),
    path,
  );

const kept = () =>
  readdirSync(folder)
    .filter((name) => name.includes('before-restore'))
    .map((name) => join(folder, name));

test('what is restored is the backup, and the old database is kept beside it', async () => {
  const { code, out, err } = await restore(['--noinput', file]);
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /Users: 1; live refresh tokens: 1; the last token was given out \d{4}-.* UTC\n/);
  assert.match(
    out,
    /WARNING: What happened after the backup is forgotten\.\nRevocations are forgotten as well/,
  );
  assert.match(out, /--blacklist-all/);
  assert.match(out, /Restored .*live\.sqlite3\nThe old database is .*\nLog-ins to the admin were ended\.\n$/);
  assert.deepEqual(await usernames(), ['ada']);
  const [old = ''] = kept();
  assert.equal(statSync(old).mode & 0o777, 0o600);
  assert.deepEqual(await usernames(old), ['ada', 'bob']);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.')),
    [],
  );
});

test('what was revoked since works again, as it was warned; log-ins to the admin and set-up keys do not', async () => {
  await restore(['--noinput', file]);
  await withLive(async (db) => {
    assert.deepEqual(await Promise.all(['live', 'revoked'].map((jti) => isBlacklisted(db, jti))), [
      false,
      true,
    ]);
    assert.deepEqual(await db.selectFrom('jotgate_admin_session').selectAll().execute(), []);
    assert.deepEqual(await db.selectFrom('jotgate_setup_key').selectAll().execute(), []);
    const events = await db.selectFrom('jotgate_event').select(['kind', 'actor_name', 'reason']).execute();
    assert.deepEqual(events.at(-1), { kind: 'restored', actor_name: 'zoe', reason: 'from backup.sqlite3' });
  });
});

test('with --blacklist-all no refresh token of the backup works', async () => {
  const { out } = await restore(['--noinput', '--blacklist-all', file]);
  assert.match(out, /Every refresh token of it will be revoked: everybody logs in again\./);
  assert.match(out, /^Tokens revoked: 1$/m);
  await withLive(async (db) => {
    assert.equal(await isBlacklisted(db, 'live'), true);
    const open = await db.selectFrom('jotgate_session').select('id').where('ended_at', 'is', null).execute();
    assert.deepEqual(open, []);
  });
});

test('the backup stays as it was, to the byte', async () => {
  const before = readFileSync(file);
  await restore(['--noinput', '--blacklist-all', file]);
  assert.deepEqual(readFileSync(file), before);
});

describe('the question', () => {
  for (const [input, isYes] of [
    ['y\n', true],
    ['YES\n', true],
    ['n\n', false],
    ['\n', false],
    ['', false],
  ] as const) {
    test(`answered with ${JSON.stringify(input)}`, async () => {
      const { code, out, err } = await restore([file], { input });
      assert.match(out, /Restore it\? \[y\/N\]: /);
      assert.deepEqual([code, err], isYes ? [0, ''] : [1, 'CommandError: Restore cancelled.\n']);
      assert.deepEqual(await usernames(), isYes ? ['ada'] : ['ada', 'bob']);
      assert.equal(kept().length, isYes ? 1 : 0);
    });
  }
});

test('a key ring comes back as well, and it is said how to end it', async () => {
  const { out } = await restore([file], { input: 'n\n', env: { KEY_RING: 'true' } });
  assert.match(out, /Signing keys withdrawn since then are good again; `jotgate rotatekeys --new-ring`/);
});

test('at a terminal it says how far it is', async () => {
  const { out } = await restore(['--noinput', file], { isTTY: true });
  assert.ok(out.split('\r\x1b[K').some((text) => /^\[#*-*\] +\d+ % {2}of \d+ KB restored$/.test(text)));
});

test('where there is no database yet it is made, with its folder', async () => {
  const path = join(folder, 'other', 'machine', 'db.sqlite3');
  const { code, out } = await restore(['--noinput', file], { url: `sqlite:${path}` });
  assert.equal(code, 0);
  assert.match(out, /where there is none/);
  assert.deepEqual(await usernames(path), ['ada']);
  assert.deepEqual(readdirSync(join(folder, 'other', 'machine')), ['db.sqlite3']);
});

test('a database that Django made is taken, and lacks our tables', async () => {
  const { code, out } = await restore(['--noinput', '--blacklist-all', DJANGO]);
  assert.equal(code, 0);
  assert.match(out, /run `jotgate migrate`/);
  assert.equal((await run('migrate', ['--check'])).code, 1);
  assert.equal((await run('migrate', [])).code, 0);
  assert.ok((await usernames()).length > 1);
});

test('a database so broken that it cannot be opened is put aside', async () => {
  for (const content of ['garbage'.repeat(2_000), 'SQLite format 3\0'.repeat(1_000)]) {
    for (const suffix of ['-wal', '-shm']) rmSync(database + suffix, { force: true });
    writeFileSync(database, content);
    const { code, err } = await restore(['--noinput', file]);
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual(await usernames(), ['ada']);
    assert.ok(kept().some((path) => readFileSync(path, 'utf8') === content));
  }
});

test('a backup with other pages is restored', async () => {
  const other = new SqliteDatabase(file);
  other.pragma('page_size = 8192');
  other.exec('vacuum');
  other.close();
  assert.equal((await restore(['--noinput', file])).code, 0);
  assert.deepEqual(await usernames(), ['ada']);
});

test('a copied database with its log beside it is restored with what is in the log', async () => {
  const open = new SqliteDatabase(file);
  open.pragma('journal_mode = WAL');
  open.exec(`update auth_user set username = 'in the log'`);
  for (const suffix of ['', '-wal']) copyFileSync(file + suffix, join(folder, `copied${suffix}`));
  open.close();
  assert.equal((await restore(['--noinput', 'copied'])).code, 0);
  assert.deepEqual(await usernames(), ['in the log']);
});

describe('what is refused is one line, and changes nothing:', () => {
  const cases: Readonly<Record<string, () => readonly [name: string, words: RegExp]>> = {
    'no such file': () => ['none', /There is no file .*none/],
    'a folder': () => [folder, /is no file/],
    'the database itself': () => [database, /is the database itself/],
    'a file that is no database': () => {
      writeFileSync(join(folder, 'text'), 'no database'.repeat(500));
      return ['text', /text is damaged, or no database: file is not a database/];
    },
    'an empty file': () => {
      writeFileSync(join(folder, 'empty'), '');
      return ['empty', /empty is a database, but not of Jotgate or SimpleJWT: it has no table auth_user/];
    },
    'half a backup': () => {
      writeFileSync(join(folder, 'half'), readFileSync(file).subarray(0, statSync(file).size / 2));
      return ['half', /half is damaged/];
    },
    'a database of another program': () => {
      const other = new SqliteDatabase(join(folder, 'other.sqlite3'));
      other.exec('create table song (id integer)');
      other.close();
      return ['other.sqlite3', /not of Jotgate or SimpleJWT: it has no table auth_user/];
    },
    'a backup of a newer version': () => {
      const newer = new SqliteDatabase(file);
      newer.exec(`insert into jotgate_migration values ('9999_future', '')`);
      newer.close();
      return [file, /9999_future.*newer version/];
    },
  };
  for (const [name, prepare] of Object.entries(cases)) {
    test(name, async () => {
      const [path, words] = prepare();
      const { code, out, err } = await restore(['--noinput', path]);
      assert.deepEqual([code, out], [1, '']);
      assert.equal(err.trimEnd().split('\n').length, 1, err);
      assert.match(err, words);
      assert.deepEqual(await usernames(), ['ada', 'bob']);
      assert.deepEqual(kept(), []);
      assert.ok(!readdirSync(folder).some((entry) => entry.startsWith('.')));
    });
  }

  test('a database that somebody has open, also one who does nothing', async () => {
    const idle = connect(`sqlite:${database}`);
    const { code, err } = await restore(['--noinput', file]);
    await idle.destroy();
    assert.equal(code, 1);
    assert.match(err, /^CommandError: .*live\.sqlite3 is in use: stop the server/);
    assert.deepEqual(await usernames(), ['ada', 'bob']);
  });

  test('Postgres, with what to run instead', async () => {
    const url = 'postgres://joe:hush@db.example/jot';
    const { code, err } = await restore([file], { url });
    assert.equal(code, 1);
    assert.match(
      err,
      /pg_restore --clean --if-exists --single-transaction --dbname=postgres:\/\/joe@db\.example\/jot /,
    );
    assert.ok(!err.includes('hush'));
  });

  test('no name of a file', async () => {
    const { code, err } = await restore([]);
    assert.equal(code, 2);
    assert.match(err, /error: the following arguments are required: FILE\n$/);
    assert.equal(existsSync(database), true);
  });
});
