import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { connect } from '../../db/connect.ts';
import { makeTestDatabase, type TestDatabase } from '../../db/database.fixture.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import { HASH } from '../users/transfer/transfer.fixture.ts';
import { findUserByUsername } from '../users/users.ts';
import { runCommandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'jotgate-transfer-'));
let database: TestDatabase;
let db: Database;

before(async () => {
  database = await makeTestDatabase();
  db = connect(database.url);
  await migrate(db);
});
after(async () => {
  await db.destroy();
  await database.remove();
  rmSync(folder, { recursive: true });
});

/** A process's stream, of which all that is written to it is kept. */
function keeper(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream, read: () => text };
}

async function run(args: readonly string[], { input = '', isTTY = false } = {}) {
  const [out, err] = [keeper(false), keeper(isTTY)];
  const env = { DATABASE_URL: database.url, SECRET_KEY: 'x'.repeat(64), USER: 'zoe' };
  const stdin = Readable.from([input]) as NodeJS.ReadStream;
  const code = await runCommandLine(
    { stdin, stdout: out.stream, stderr: err.stream, env, cwd: folder },
    args,
  );
  const said = { code, out: out.read(), err: err.read() };
  // No report may hold a hash: exports to the output are looked at elsewhere.
  if (args[0] === 'importusers') assert.ok(!JSON.stringify(said).includes(HASH.slice(20, 40)));
  return said;
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const reasons = async () => {
  const events = await db.selectFrom('jotgate_event').select(['kind', 'reason']).orderBy('id').execute();
  return events.map(({ kind, reason }) => `${kind}: ${reason}`);
};

test('importusers says what a dry run would do, does it, and does it once', async () => {
  const users = file(
    'users.csv',
    `username,password,email,is_superuser,groups,phone\nada,${HASH},a@b.example,yes,editors,1\nbob,md5$a$b,,,,\n`,
  );
  const table =
    '        new  changed  unchanged  conflicts  not taken\n' +
    'Users   2    0        0          0          0\n' +
    'Groups  1    0        0          0          0\n\n' +
    'Password hash  Users\n' +
    'pbkdf2_sha256  1\n' +
    'md5            1      these cannot log in with it\n\n' +
    'Passed over, fields that no user has:\n  1 x phone\n\n' +
    '1 new user is a superuser.\n';
  const dry = await run(['importusers', '--dry-run', users]);
  assert.deepEqual(dry, { code: 0, out: `${table}This was a dry run: nothing was changed.\n`, err: '' });
  assert.equal(await findUserByUsername(db, 'ada'), null);
  assert.deepEqual(await run(['importusers', users]), { code: 0, out: table, err: '' });
  assert.equal((await findUserByUsername(db, 'ada'))?.password, HASH);
  const again = await run(['importusers', users]);
  assert.equal(again.code, 0);
  assert.match(again.out, /\nUsers +0 +0 +2 +0 +0\n/);
  assert.deepEqual(await run(['importusers', '-v', '0', users]), { code: 0, out: '', err: '' });
  assert.deepEqual((await reasons()).slice(0, 4), [
    'group_added: ',
    'superuser_created: ',
    'users_imported: users.csv: users 2 new; groups 1 new',
    'users_imported: users.csv: users 2 unchanged; groups 1 unchanged',
  ]);
});

test('importusers tells which records it does not take, where and why, and exits with 1', async () => {
  const records = [
    { username: 'ada', email: 'other@example.com' },
    { username: 'joe\u009b2J', password: HASH },
    { username: 'eve', password: 'hunter2' },
    { username: 'joe' },
  ];
  const lines = `${records.map((record) => JSON.stringify(record)).join('\n')}\n{"username": "${HASH}\n`;
  const users = file('odd.ndjson', lines);
  const { code, out } = await run(['importusers', users]);
  assert.equal(code, 1);
  assert.equal(
    out.split('\n\n')[0],
    [
      'line 2, "joe\ufffd2J": not taken: username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      'line 3, "eve": not taken: password: is no hash of Django\'s; a password itself is not taken, but may be left out here and set later',
      'line 5: not taken: is no JSON',
      'line 1, "ada": conflict: differs in Email address',
    ].join('\n'),
  );
  assert.match(out, /\nUsers +1 +0 +0 +1 +3\n/);
  assert.match(out, /\n2 users have no password in the file\.\n/);
  assert.match(out, /\nConflicts are left as they are; --update makes them what the file says\.\n$/);
  assert.ok(!out.includes('hunter2'));
  const updated = await run(['importusers', '--update', users]);
  assert.equal(updated.code, 1);
  assert.match(updated.out, /\nUsers +0 +1 +1 +0 +3\n/);
  assert.equal((await findUserByUsername(db, 'ada'))?.email, 'other@example.com');
});

test('importusers tells of the first records that it does not take, or of all', async () => {
  file('bad.csv', `username\n${'bad name\n'.repeat(30)}`);
  const users = 'bad.csv';
  const { out } = await run(['importusers', users]);
  assert.equal(out.match(/not taken: /g)?.length, 20);
  assert.match(out, /\nand 10 more; -v 2 tells of all\n/);
  assert.equal((await run(['importusers', '-v', '2', users])).out.match(/not taken: /g)?.length, 30);
});

test('importusers reads the input, and leaves no copy of it', async () => {
  const copies = () => readdirSync(tmpdir()).filter((name) => /^jotgate-\w{6}$/.test(name));
  const before = copies();
  const dump = JSON.stringify([
    { model: 'auth.user', pk: 900, fields: { username: 'piped', password: HASH } },
  ]);
  const { code } = await run(['importusers', '--format', 'json', '-'], { input: dump });
  assert.equal(code, 0);
  assert.equal((await findUserByUsername(db, 'piped'))?.id, 900);
  assert.deepEqual(copies(), before);
});

test('what cannot be read is told in a line, and nothing is changed', async () => {
  const before = (await reasons()).length;
  for (const [name, text, expected] of [
    [
      'cut.json',
      '[{"model": "auth.user", "pk": 1',
      /^CommandError: The file ends too early, .*\. Nothing was changed\.\n$/,
    ],
    ['wrong.json', '{"users": []}', /^CommandError: The file is no array of JSON/],
    ['nameless.csv', 'name,hash\n', /^CommandError: The first line should name the columns/],
    ['binary.jsonl', '\ud800'.repeat(2), /^$/],
  ] as const) {
    const { err } = await run(['importusers', file(name, text)]);
    assert.match(err, expected, name);
  }
  assert.match((await run(['importusers', join(folder, 'absent.csv')])).err, /^ENOENT: no such file/);
  writeFileSync(join(folder, 'latin.csv'), Buffer.from('username\ncaf\xe9\n', 'latin1'));
  assert.match((await run(['importusers', join(folder, 'latin.csv')])).err, /The file is not UTF-8/);
  assert.match((await run(['importusers', '--format=csv', folder])).err, /is no file; - reads the input\n$/);
  // The one of lines that are no JSON was read to its end.
  assert.equal((await reasons()).length, before + 1);
});

test('exportusers writes a file that its owner alone reads, and importusers takes', async () => {
  for (const name of ['out.json', 'out.jsonl', 'out.csv']) {
    const path = join(folder, name);
    const { code, out, err } = await run(['exportusers', path]);
    assert.deepEqual([code, err], [0, '']);
    assert.match(
      out,
      name === 'out.csv' ? /^4 users and 0 groups written\.\n$/ : /^4 users and 1 group written\.\n$/,
    );
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const again = await run(['importusers', path]);
    assert.equal(again.code, 0, again.out);
    assert.match(again.out, /\nUsers +0 +0 +4 +0 +0\n/);
  }
  assert.ok((await reasons()).includes('exported: 4 users, with password hashes, to out.json'));
});

test('exportusers replaces no file unless it is told to, and leaves no part of one', async () => {
  const path = file('there.csv', 'mine');
  const { code, err } = await run(['exportusers', path]);
  assert.deepEqual([code, err], [1, `CommandError: ${path} is there already; --force replaces it\n`]);
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  assert.equal((await run(['exportusers', '--force', path])).code, 0);
  assert.match(readFileSync(path, 'utf8'), /^id,username,/);
  for (const nowhere of [join(folder, 'nowhere', 'x.csv'), folder]) {
    assert.equal((await run(['exportusers', '--force', '--format', 'csv', nowhere])).code, 1);
  }
  assert.ok(!readdirSync(folder).some((name) => name.endsWith('.part')));
});

test('exportusers writes to the output where no file is named', async () => {
  const { code, out } = await run(['exportusers']);
  assert.equal(code, 0);
  assert.equal(JSON.parse(out).length, 5);
  assert.match((await run(['exportusers', '--format', 'csv'])).out, /^id,username,.*\r\n/);
});

test('at a terminal both say how far they are', async () => {
  const path = join(folder, 'shown.json');
  const exported = await run(['exportusers', path], { isTTY: true });
  assert.match(exported.err, /\[[#-]{24}\] +\d+ % {2}[\d,]+ users/);
  const imported = await run(['importusers', path], { isTTY: true });
  assert.match(imported.err, /\[[#-]{24}\] +\d+ % {2}of the file looked through/);
});

test('flags that make no sense are refused', async () => {
  for (const [args, message] of [
    [['importusers'], 'the following arguments are required: FILE'],
    [
      ['importusers', 'users'],
      'argument --format: the name users tells no format (choose from json, jsonl, csv)',
    ],
    [
      ['importusers', '--format=xml', 'x'],
      "argument --format: invalid choice: 'xml' (choose from json, jsonl, csv)",
    ],
    [['importusers', 'a.csv', 'b.csv'], 'unrecognized arguments: b.csv'],
    [
      ['exportusers', '--format=xml'],
      "argument --format: invalid choice: 'xml' (choose from json, jsonl, csv)",
    ],
    [
      ['exportusers', 'users'],
      'argument --format: the name users tells no format (choose from json, jsonl, csv)',
    ],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 2);
    assert.equal(err.split('\n').at(-2), `jotgate ${args[0]}: error: ${message}`);
  }
});
