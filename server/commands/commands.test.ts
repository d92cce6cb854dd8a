import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '../../db/connect.ts';
import { MIGRATIONS } from '../../db/migrations/index.ts';
import type { Database } from '../../db/statement.ts';
import { epochToSqlTime } from '../../db/values.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { type EventView, eventsByIds } from '../audit/events.ts';
import { sessionsOf } from '../sessions/session-list.ts';
import { obtainPair } from '../tokens/issue.ts';
import { contextAt } from '../tokens/tokens.fixture.ts';
import { checkPassword } from '../users/hashers.ts';
import { createUser, findUserByUsername } from '../users/users.ts';
import { runCommandLine } from './command-line.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const LOADER = import.meta.resolve('tsx');
const MIGRATION_NAMES = Object.keys(MIGRATIONS);
const folder = mkdtempSync(join(tmpdir(), 'jotgate-commands-'));
const ready = { url: `sqlite:${join(folder, 'ready.sqlite3')}` };
after(() => rmSync(folder, { recursive: true }));

interface Options {
  url?: string;
  env?: Record<string, string>;
  input?: string;
}

/** A process's stream, of which all that is written to it is kept. */
function keeper() {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream: stream as NodeJS.WriteStream, read: () => text };
}

/** Runs a command in this process, without a terminal. */
async function run(args: readonly string[], { url = ready.url, env = {}, input = '' }: Options = {}) {
  const [out, err] = [keeper(), keeper()];
  const code = await runCommandLine(
    {
      stdin: Readable.from([input]) as NodeJS.ReadStream,
      stdout: out.stream,
      stderr: err.stream,
      env: { DATABASE_URL: url, BCRYPT_ROUNDS: '4', SECRET_KEY: 'x'.repeat(64), USER: 'zoe', ...env },
      cwd: folder,
    },
    args,
  );
  return { code, out: out.read(), err: err.read() };
}

/** What `migrate --list` says of all migrations. */
const listOf = (mark: string) => MIGRATION_NAMES.map((name) => ` [${mark}] ${name}\n`).join('');

/** What a command recorded of itself since it was last asked. */
async function newEvents(db: Database): Promise<EventView[]> {
  const rows = await db.selectFrom('jotgate_event').select('id').where('id', '>', seen).execute();
  seen = rows.at(-1)?.id ?? seen;
  return eventsByIds(
    db,
    rows.map(({ id }) => id),
  );
}

let seen = 0;

test('migrate applies what is lacking and says so as Django does', async () => {
  const all = ['migrate', '--list'];
  assert.deepEqual(await run(all), { code: 0, out: listOf(' '), err: '' });
  assert.equal((await run(['migrate', '--check'])).code, 1);
  const head = 'Operations to perform:\n  Apply all migrations\nRunning migrations:\n';
  const applying = MIGRATION_NAMES.map((name) => `  Applying ${name}... OK\n`).join('');
  assert.deepEqual(await run(['migrate']), { code: 0, out: head + applying, err: '' });
  assert.deepEqual(await run(['migrate']), { code: 0, out: `${head}  No migrations to apply.\n`, err: '' });
  assert.deepEqual(await run(all), { code: 0, out: listOf('X'), err: '' });
  assert.deepEqual(await run(['migrate', '--check']), { code: 0, out: '', err: '' });
});

test('commands that need tables say how to get them', async () => {
  const url = `sqlite:${join(folder, 'empty.sqlite3')}`;
  for (const args of [
    ['createsuperuser', '--noinput', '--username=a', '--email=a@b.example'],
    ['changepassword', 'root'],
    ['flushexpiredtokens'],
  ]) {
    const { code, err } = await run(args, { url });
    assert.equal(code, 1);
    assert.match(err, /^CommandError: The database lacks tables .* Run `jotgate migrate` .*\n$/);
  }
});

test('a database of a newer version is left alone', async () => {
  const url = `sqlite:${join(folder, 'newer.sqlite3')}`;
  await run(['migrate'], { url });
  const db = connect(url);
  await db
    .withTables<{ jotgate_migration: { name: string; timestamp: string } }>()
    .insertInto('jotgate_migration')
    .values({ name: '9999_future', timestamp: '' })
    .execute();
  await db.destroy();
  for (const args of [['migrate'], ['flushexpiredtokens'], ['changepassword', 'root']]) {
    const { code, err } = await run(args, { url });
    assert.equal(code, 1);
    assert.match(err, /^The database has migrations .*9999_future.*\n$/);
  }
  assert.match(
    (await run(['check'], { url })).err,
    /9999_future.*\n\nSystem check identified 1 issue \(0 silenced\)\.\n$/,
  );
});

test('a file that is no database is one line', async () => {
  writeFileSync(join(folder, 'junk'), 'no database at all');
  const { code, err } = await run(['migrate'], { url: `sqlite:${join(folder, 'junk')}` });
  assert.equal(code, 1);
  assert.equal(err, 'The database cannot be used: file is not a database (SQLITE_NOTADB)\n');
});

test('createsuperuser without a terminal', async () => {
  assert.deepEqual(await run(['createsuperuser']), {
    code: 0,
    out:
      'Superuser creation skipped due to not running in a TTY. ' +
      'You can run `jotgate createsuperuser` in your project to create one manually.\n',
    err: '',
  });
  const noinput = ['createsuperuser', '--noinput'];
  const refusals: readonly [args: string[], env: Record<string, string>, message: string][] = [
    [[], {}, 'You must use --username with --noinput.'],
    [['--username', 'x'], {}, 'You must use --email with --noinput.'],
    [['--username', ''], {}, 'Username cannot be blank.'],
    [['--username', 'x', '--email', 'nowhere'], {}, 'Enter a valid email address.'],
    [
      ['--username', 'x', '--email', 'a@b.example'],
      { DJANGO_SUPERUSER_PASSWORD: '' },
      "Error: Blank passwords aren't allowed.",
    ],
    [['--username', 'x'.repeat(151)], {}, 'Ensure this value has at most 150 characters (it has 151).'],
  ];
  for (const [args, env, message] of refusals) {
    assert.deepEqual(await run([...noinput, ...args], { env }), {
      code: 1,
      out: '',
      err: `CommandError: ${message}\n`,
    });
  }
  const env = {
    DJANGO_SUPERUSER_USERNAME: 'root',
    DJANGO_SUPERUSER_EMAIL: 'root@example.com',
    DJANGO_SUPERUSER_PASSWORD: '123',
  };
  assert.deepEqual(await run(noinput, { env }), {
    code: 0,
    out: 'Superuser created successfully.\n',
    err: '',
  });
  assert.deepEqual(await run(noinput, { env }), {
    code: 1,
    out: '',
    err: 'CommandError: Error: That username is already taken.\n',
  });
  const keyless = [...noinput, '--username=keyless', '--email=', '-v', '0'];
  assert.deepEqual(await run(keyless), { code: 0, out: '', err: '' });
  const db = connect(ready.url);
  const root = await findUserByUsername(db, 'root');
  assert.equal((await checkPassword('123', root?.password ?? '', settingsOf())).matches, true);
  assert.deepEqual([root?.is_superuser, root?.email], [1, 'root@example.com']);
  assert.match((await findUserByUsername(db, 'keyless'))?.password ?? '', /^![A-Za-z0-9]{40}$/);
  const [event, , ...more] = await newEvents(db);
  assert.deepEqual(more, []);
  assert.equal(event?.kind, 'superuser_created');
  assert.deepEqual([event.via, event.actor], ['command', { id: null, name: 'zoe' }]);
  assert.deepEqual(event.object, { type: 'user', id: String(root?.id), name: 'root' });
  assert.deepEqual(event.changes, [
    { field: 'Username', before: null, after: 'root' },
    { field: 'Email address', before: null, after: 'root@example.com' },
  ]);
  await db.destroy();
});

test('changepassword takes the password from a pipe', async () => {
  const db = connect(ready.url);
  await createUser(db, { username: 'zoe', passwordHash: '!x' }, new Date());
  const { code, out } = await run(['changepassword'], { input: 'Correct-horse-9\nCorrect-horse-9\n' });
  assert.equal(code, 0);
  assert.match(out, /Password changed successfully for user 'zoe'\n$/);
  const user = await findUserByUsername(db, 'zoe');
  assert.equal((await checkPassword('Correct-horse-9', user?.password ?? '', settingsOf())).matches, true);
  const events = await newEvents(db);
  assert.deepEqual(
    events.map(({ kind, actor, object }) => [kind, actor?.name, object?.name]),
    [['password_changed', 'zoe', 'zoe']],
  );
  assert.deepEqual(events[0]?.changes, [{ field: 'Password', before: '********', after: '********' }]);
  await db.destroy();
  assert.equal((await run(['changepassword'], { input: 'Correct-horse-9\n' })).code, 1);
  assert.equal((await run(['changepassword', 'nobody'])).err, "CommandError: user 'nobody' does not exist\n");
});

test('flushexpiredtokens removes expired tokens alone, with their blacklisting', async () => {
  const db = connect(ready.url);
  const now = Date.now() / 1000;
  for (const [jti, expires] of [
    ['old', now - 60],
    ['live', now + 3600],
  ] as const) {
    const { id } = await db
      .insertInto('token_blacklist_outstandingtoken')
      .values({ jti, token: 'x', created_at: null, expires_at: epochToSqlTime(expires), user_id: null })
      .returning('id')
      .executeTakeFirstOrThrow();
    await db
      .insertInto('token_blacklist_blacklistedtoken')
      .values({ token_id: id, blacklisted_at: epochToSqlTime(now) })
      .execute();
  }
  assert.deepEqual(await run(['flushexpiredtokens']), {
    code: 0,
    out: '1 expired token flushed.\n',
    err: '',
  });
  const left = await db.selectFrom('token_blacklist_outstandingtoken').select('jti').execute();
  assert.deepEqual(left, [{ jti: 'live' }]);
  assert.equal((await db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute()).length, 1);
  const events = await newEvents(db);
  assert.deepEqual(
    events.map(({ kind, via, reason }) => [kind, via, reason]),
    [['tokens_flushed', 'command', '1 expired token']],
  );
  await db.destroy();
});

test('check shows every setting but no secret, and makes no database', async () => {
  const url = `sqlite:${join(folder, 'absent.sqlite3')}`;
  const { code, out } = await run(['check'], { url, env: { SECRET_KEY: 'top-secret-value', LEEWAY: '90s' } });
  assert.equal(code, 0);
  assert.match(out, /\nACCESS_TOKEN_LIFETIME +5m +default\n/);
  assert.match(out, /\nLEEWAY +90s +environment\n/);
  assert.match(out, /\nSECRET_KEY +\*+.* +environment\n/);
  assert.ok(!out.includes('top-secret-value'));
  assert.match(out, /\nSystem check identified no issues \(0 silenced\)\.\n$/);
  assert.ok(!existsSync(join(folder, 'absent.sqlite3')));
});

test('check names every setting that is wrong', async () => {
  const { code, out, err } = await run(['check'], { env: { PORT: 'x', LEEWAY: 'y' } });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /^SystemCheckError: System check identified some issues:\n\nERRORS:\n/);
  for (const name of ['PORT', 'LEEWAY']) assert.match(err, new RegExp(`\n\\?: ${name} takes `));
  assert.match(err, /\n\nSystem check identified 2 issues \(0 silenced\)\.\n$/);
});

test('the .env file of the working folder is read', async () => {
  writeFileSync(join(folder, '.env'), 'LEEWAY=7\n');
  const { out } = await run(['check']);
  rmSync(join(folder, '.env'));
  assert.match(out, /\nLEEWAY +7s +\.env file\n/);
});

test('help lists the commands and explains each', async () => {
  for (const args of [[], ['help'], ['--help']]) {
    const { code, out } = await run(args);
    assert.equal(code, 0);
    for (const name of ['serve, runserver', 'migrate', 'createsuperuser', 'check', 'version']) {
      assert.match(out, new RegExp(`\n  ${name} +\\S`));
    }
  }
  const { out } = await run(['help', 'createsuperuser']);
  assert.match(out, /^usage: jotgate createsuperuser /);
  assert.equal((await run(['createsuperuser', '--help'])).out, out);
});

test('what nobody knows is refused', async () => {
  assert.deepEqual(await run(['xyzzy']), {
    code: 1,
    out: '',
    err: "Unknown command: 'xyzzy'. Type 'jotgate help' for usage.\n",
  });
  assert.match((await run(['migrat'])).err, /Did you mean migrate\?/);
  assert.equal((await run(['constructor'])).code, 1);
  for (const [args, message] of [
    [['migrate', '--foo'], "Unknown option '--foo'"],
    [['migrate', 'auth'], 'unrecognized arguments: auth'],
    [['migrate', '--database=x'], "argument --database: invalid choice: 'x' (choose from default)"],
    [
      ['flushexpiredtokens', '-v', '9'],
      "argument -v/--verbosity: invalid choice: '9' (choose from 0, 1, 2, 3)",
    ],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 2);
    const [usage, complaint] = err.split('\n');
    assert.match(usage ?? '', /^usage: jotgate /);
    assert.equal(complaint, `jotgate ${args[0]}: error: ${message}`);
  }
});

test('the version is that of the package', async () => {
  assert.match((await run(['version'])).out, /^\d+\.\d+\.\d+\n$/);
});

test('the program itself passes on arguments, output and exit code', () => {
  const env = { PATH: process.env.PATH, DATABASE_URL: ready.url, SECRET_KEY: 'x'.repeat(64) };
  const start = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', LOADER, MAIN, ...args], { cwd: folder, env, encoding: 'utf8' });
  const { status, stdout } = start('migrate', '-l');
  assert.deepEqual([status, stdout], [0, listOf('X')]);
  const failed = start('changepassword', 'nobody');
  assert.deepEqual([failed.status, failed.stderr], [1, "CommandError: user 'nobody' does not exist\n"]);
});

test('check counts the users by how their passwords are hashed, and says who cannot log in', async () => {
  const url = `sqlite:${join(folder, 'formats.sqlite3')}`;
  await run(['migrate'], { url });
  assert.doesNotMatch((await run(['check'], { url })).out, /Password hash/);
  const db = connect(url);
  for (const [index, passwordHash] of [
    'pbkdf2_sha256$1$s$x',
    'pbkdf2_sha256$2$s$x',
    'bcrypt_sha256$$2b$x',
    'md5$secret',
    '!',
  ].entries()) {
    await createUser(db, { username: `user${index}`, passwordHash }, new Date());
  }
  await db.destroy();
  const { out } = await run(['check'], {
    url,
    env: { PASSWORD_HASHERS: 'django.contrib.auth.hashers.PBKDF2PasswordHasher,bcrypt_sha256' },
  });
  assert.match(out, /\nPassword hash +Users\n/);
  assert.match(out, /\npbkdf2_sha256 +2 +as new ones are\n/);
  assert.match(out, /\nbcrypt_sha256 +1 +becomes pbkdf2_sha256 at the next login\n/);
  assert.match(out, /\nmd5 +1 +refused: not one of PASSWORD_HASHERS\n/);
  assert.match(out, /\nunusable +1 +no password to log in with\n/);
  assert.ok(!out.includes('secret'));
});

test('endsessions ends the sessions of a user, or one, and says so in the history', async () => {
  const url = `sqlite:${join(folder, 'sessions.sqlite3')}`;
  await run(['migrate'], { url });
  const db = connect(url);
  const user = await createUser(db, { username: 'ada', passwordHash: '!x' }, new Date());
  const context = contextAt(settingsOf(), Date.now() / 1000);
  for (let time = 0; time < 3; time += 1) await obtainPair(db, context, user);
  const [session] = await sessionsOf(db, user.id, new Date());
  const alive = async () => (await sessionsOf(db, user.id, new Date(), { aliveOnly: true })).length;
  assert.deepEqual(await run(['endsessions', '--sid', session?.sid ?? ''], { url }), {
    code: 0,
    out: '1 session ended.\n',
    err: '',
  });
  assert.equal(await alive(), 2);
  const again = await run(['endsessions', '--sid', session?.sid ?? ''], { url });
  assert.equal(again.out, 'That session was over already.\n');
  assert.equal((await run(['endsessions', 'ada'], { url })).out, "2 tokens of 'ada' revoked.\n");
  assert.equal(await alive(), 0);
  const kinds = await db.selectFrom('jotgate_event').select(['kind', 'actor_name']).orderBy('id').execute();
  assert.deepEqual(kinds, [
    { kind: 'session_ended', actor_name: 'zoe' },
    { kind: 'tokens_revoked', actor_name: 'zoe' },
  ]);
  await obtainPair(db, context, user);
  await run(['changepassword', '--end-sessions', 'ada'], {
    url,
    input: 'Correct-horse-7\nCorrect-horse-7\n',
  });
  assert.equal(await alive(), 0);
  assert.match(
    (await run(['endsessions'], { url })).err,
    /one of the arguments username and --sid is required/,
  );
  assert.match((await run(['endsessions', 'bob'], { url })).err, /user 'bob' does not exist/);
  assert.match((await run(['endsessions', '--sid', 'x'], { url })).err, /session 'x' does not exist/);
  await db.destroy();
});

test('check --deploy lists what is weak, why, and what mends it', async () => {
  const url = `sqlite:${join(folder, 'nowhere', 'db.sqlite3')}`;
  const weak = await run(['check', '--deploy', '-v', '0'], { url });
  assert.equal(weak.code, 0);
  assert.match(
    weak.err,
    /^System check identified some issues:\n\nWARNINGS:\n\?: \(jotgate\.W001\) NODE_ENV is not/,
  );
  assert.match(weak.err, /\tHINT: .*ROTATE_REFRESH_TOKENS/);
  assert.doesNotMatch(weak.err, /x{20}/);
  assert.equal((await run(['check', '--deploy', '--fail-level', 'WARNING', '-v', '0'], { url })).code, 1);
  assert.equal((await run(['check', '--fail-level', 'x'], { url })).code, 2);
});
