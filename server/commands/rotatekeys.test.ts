import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { connect } from '../../db/connect.ts';
import { makeTestDatabase, type TestDatabase } from '../../db/database.fixture.ts';
import { migrate } from '../../db/migrate.ts';
import { generateMaterial } from '../tokens/keys/key-material.ts';
import { allKeys } from '../tokens/keys/ring-rows.ts';
import { runCommandLine } from './command-line.ts';

const SECRET_KEY = 'q7Zk-2vX_9bTf4LwYc8NsHd1RgUaJe6M-and-more-of-it';
const folder = mkdtempSync(join(tmpdir(), 'jotgate-rotatekeys-'));
after(() => rmSync(folder, { recursive: true }));

let database: TestDatabase;

beforeEach(async () => {
  database = await makeTestDatabase();
  const db = connect(database.url);
  await migrate(db);
  await db.destroy();
});
afterEach(() => database.remove());

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

interface Options {
  env?: Record<string, string>;
  input?: string;
}

async function run(args: readonly string[], { env = {}, input = '' }: Options = {}) {
  const [out, err] = [keeper(), keeper()];
  const code = await runCommandLine(
    {
      stdin: Readable.from([input]) as NodeJS.ReadStream,
      ...{ stdout: out.stream, stderr: err.stream, cwd: folder },
      env: {
        DATABASE_URL: database.url,
        BCRYPT_ROUNDS: '4',
        SECRET_KEY,
        KEY_RING: 'true',
        USER: 'zoe',
        ...env,
      },
    },
    args,
  );
  return { code, out: out.read(), err: err.read() };
}

const rotatekeys = (args: readonly string[] = [], options: Options = {}) =>
  run(['rotatekeys', ...args], options);

/** The kid and state of each key in a table that was printed. */
function listed(text: string): string[][] {
  const lines = text.split('\n').slice(1, -1);
  return lines.map((line) => line.split(/ {2,}/)).map(([kid = '', , state = '']) => [kid, state]);
}

const statesIn = (text: string) =>
  listed(text)
    .map(([, state]) => state)
    .join(' ');

test('makes the ring where there is none, rotates, and shows the keys', async () => {
  const { code, out, err } = await rotatekeys();
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^Key +Algorithm +State +Created +Live tokens +Safe to retire from\n/);
  assert.equal(statesIn(out), 'active standby retiring');
  assert.match(out, /^[0-9a-f]{16} +HS256 +active +\d{4}-\d\d-\d\d \d\d:\d\d UTC +0 +\d{4}-/m);
  const quiet = await rotatekeys(['--verbosity', '0']);
  assert.equal(quiet.out, '');
});

test('only shows them with --list, and makes none', async () => {
  assert.match((await rotatekeys(['--list'])).out, /^There is no key ring yet/);
  await rotatekeys();
  const { out } = await rotatekeys(['-l']);
  assert.equal(statesIn(out), 'active standby retiring');
});

test('undoes, retires, restores and withdraws', async () => {
  const kids = listed((await rotatekeys()).out).map(([kid = '']) => kid);
  const last = kids[2] ?? '';
  assert.equal(statesIn((await rotatekeys(['--undo'])).out), 'active standby standby');
  assert.equal(statesIn((await rotatekeys()).out), 'active standby retiring');
  assert.equal(statesIn((await rotatekeys(['--retire', last])).out), 'active standby retired');
  assert.equal(statesIn((await rotatekeys(['--restore', last])).out), 'active standby retiring');
  const asked = await rotatekeys(['--withdraw', last], { input: 'no\n' });
  assert.equal(asked.code, 1);
  assert.match(asked.out, new RegExp(`withdraw the key ${last}: 0 refresh and sliding tokens die at once`));
  assert.match(asked.out, /Type 'yes' to continue/);
  assert.equal(asked.err, 'CommandError: Nothing was changed.\n');
  assert.equal(
    statesIn((await rotatekeys(['--withdraw', last], { input: 'yes\n' })).out.split('cancel: ')[1] ?? ''),
    'active standby withdrawn',
  );
  const signing = listed((await rotatekeys(['--list'])).out)[0]?.[0] ?? '';
  const { out } = await rotatekeys(['--withdraw', signing, '--noinput']);
  assert.equal(statesIn(out), 'active standby withdrawn withdrawn');
});

describe('refuses', () => {
  for (const [what, args, env, message] of [
    ['without a ring', [], { KEY_RING: 'false' }, /^CommandError: There is no key ring: .*KEY_RING=true/],
    ['a key that there is not', ['--retire', 'x'], {}, /^CommandError: There is no key "x"/],
    ['to undo what was not done', ['--undo'], {}, /^CommandError: There is no rotation to undo/],
    ['two things at once', ['--undo', '--list'], {}, /argument --undo: not allowed with argument --list/],
  ] as const) {
    test(what, async () => {
      const { code, out, err } = await rotatekeys(args, { env });
      assert.notEqual(code, 0);
      assert.equal(out, '');
      assert.match(err.replace(/^usage:.*\n/, ''), message);
    });
  }
});

describe('under another SECRET_KEY', () => {
  const env = { SECRET_KEY: 'another-secret-key-than-before-Zq8vT2mX9kL4' };
  const ONE_LINE = /^The signing keys in the database are encrypted under another SECRET_KEY: .*\n$/;

  test('nothing is changed, and every command that needs the keys says so in one line', async () => {
    await rotatekeys();
    for (const args of [['rotatekeys'], ['rotatekeys', '--list'], ['serve', '0']]) {
      const { code, out, err } = await run(args, { env });
      assert.deepEqual([code, out], [1, ''], args.join(' '));
      assert.match(err, ONE_LINE);
    }
    const check = await run(['check'], { env });
    assert.equal(check.code, 1);
    assert.match(check.err, /encrypted under another SECRET_KEY/);
    assert.equal(statesIn((await rotatekeys(['--list'])).out), 'active standby retiring');
  });

  test('a new ring can be begun, which asks first', async () => {
    await rotatekeys();
    assert.match(
      (await rotatekeys(['--new-ring'], { env, input: 'no\n' })).out,
      /everybody has to log in again/,
    );
    const { code, out } = await rotatekeys(['--new-ring', '--no-input'], { env });
    assert.equal(code, 0);
    assert.equal(statesIn(out), 'active standby withdrawn withdrawn withdrawn');
    assert.equal((await run(['check'], { env })).code, 0);
  });
});

test('who did it stands in the history', async () => {
  await rotatekeys();
  const db = connect(database.url);
  const events = await db.selectFrom('jotgate_event').selectAll().where('kind', '=', 'key_rotated').execute();
  assert.deepEqual(
    events.map(({ via, actor_name }) => [via, actor_name]),
    [['command', 'zoe']],
  );
  assert.equal((await allKeys(db)).length, 3);
  await db.destroy();
});

test('check warns of a private key that others can read, and is content otherwise', async () => {
  const { privateKey } = await generateMaterial('ES256');
  const path = join(folder, 'open.pem');
  writeFileSync(path, privateKey ?? '', { mode: 0o644 });
  const env = { KEY_RING: 'false', ALGORITHM: 'ES256', SIGNING_KEY: path };
  const { code, out, err } = await run(['check'], { env });
  assert.equal(code, 0);
  assert.match(
    err,
    /WARNINGS:\n\?: \(jotgate\.W102\) SIGNING_KEY is in a file that others on this machine can read/,
  );
  assert.match(err, /HINT: .*chmod 600/);
  assert.match(out, /SIGNING_KEY +\*{8} \(\d+ characters\)/);
  assert.doesNotMatch(out + err, /BEGIN|MIG/);
  assert.equal((await run(['check', '--fail-level', 'WARNING'], { env })).code, 1);
});
