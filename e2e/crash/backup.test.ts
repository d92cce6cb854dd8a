import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { run } from '../attack/start.ts';
import { MAIN_FILE, type ServerProcess, startServer } from '../server-process.ts';
import { startLoad } from './steady-load.ts';

const PASSWORD = 'pw-Fixture-123';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const CREDENTIALS = new URLSearchParams({ username: 'ada', password: PASSWORD }).toString();

/** How many records fill a database so that copying it takes a while. */
const MANY = 30_000;

const root = mkdtempSync(join(tmpdir(), 'jotgate-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));

const newFolder = () => mkdtempSync(join(root, 'installation-'));

/** Starts a command without waiting for its end. */
function start(folder: string, parameters: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN_FILE, ...parameters], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: 'ignore',
  });
}

function withFile<Result>(file: string, work: (connection: SqliteDatabase.Database) => Result): Result {
  const connection = new SqliteDatabase(file);
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

function assertSound(file: string): void {
  withFile(file, (connection) => {
    assert.equal(connection.pragma('integrity_check', { simple: true }), 'ok');
    assert.deepEqual(connection.pragma('foreign_key_check'), []);
  });
}

const namesIn = (file: string) =>
  withFile(file, (connection) => connection.prepare('select username from auth_user').pluck().all());

async function post(server: ServerProcess, path: string, body: string): Promise<Response> {
  return fetch(`${server.url}${path}`, { method: 'POST', headers: FORM, body });
}

async function logIn(server: ServerProcess): Promise<string> {
  const answer = await post(server, '/api/token/', CREDENTIALS);
  return ((await answer.json()) as { refresh: string }).refresh;
}

const refreshStatus = async (server: ServerProcess, refresh: string) =>
  (await post(server, '/api/token/refresh/', `refresh=${refresh}`)).status;

const jtiOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti as string;

test('a backup under load is whole, has all that was acknowledged before it, and holds nobody up', async () => {
  const folder = newFolder();
  const server = await startServer({ folder, settings: { WORKERS: '2' } });
  try {
    await server.createUser({ username: 'ada', password: PASSWORD });
    fill(server.database);
    const load = startLoad(
      server.url,
      [{ method: 'POST', path: '/api/token/', headers: FORM, body: CREDENTIALS, status: 200 }],
      { connections: 4 },
    );
    for (const name of ['one', 'two']) {
      const acknowledged = await logIn(server);
      const before = load.answered();
      const { code, stderr } = await run(folder, {}, ['backup', name]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(load.answered() > before, 'nobody was served meanwhile');
      const file = join(folder, name);
      assertSound(file);
      const found = withFile(file, (connection) =>
        connection
          .prepare('select count(*) from token_blacklist_outstandingtoken where jti = ?')
          .pluck()
          .get(jtiOf(acknowledged)),
      );
      assert.equal(found, 1);
    }
    assert.deepEqual((await load.stop()).failures, []);
  } finally {
    await server.stop();
  }
});

describe('restoring', () => {
  for (const isRevoking of [false, true]) {
    test(`what was revoked since then ${isRevoking ? 'stays dead with --blacklist-all' : 'works again'}`, async () => {
      const folder = newFolder();
      const first = await startServer({ folder });
      await first.createUser({ username: 'ada', password: PASSWORD });
      const revoked = await logIn(first);
      assert.equal((await run(folder, {}, ['backup', 'copy'])).code, 0);
      assert.equal((await post(first, '/api/token/blacklist/', `refresh=${revoked}`)).status, 200);
      assert.equal(await refreshStatus(first, revoked), 401);
      const refused = await run(folder, {}, ['restore', '--noinput', 'copy']);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /is in use: stop the server/);
      await first.stop();

      const parameters = isRevoking ? ['--blacklist-all'] : [];
      assert.equal((await run(folder, {}, ['restore', '--noinput', ...parameters, 'copy'])).code, 0);
      const second = await startServer({ folder });
      try {
        assert.equal(await refreshStatus(second, revoked), isRevoking ? 401 : 200);
        assert.equal(await refreshStatus(second, await logIn(second)), 200);
      } finally {
        await second.stop();
      }
    });
  }

  test('is refused while workers run, also when nobody asks them anything', async () => {
    const folder = newFolder();
    const server = await startServer({ folder, settings: { WORKERS: '2' } });
    try {
      assert.equal((await run(folder, {}, ['backup', 'copy'])).code, 0);
      assert.match((await run(folder, {}, ['restore', '--noinput', 'copy'])).stderr, /is in use/);
    } finally {
      await server.stop();
    }
  });
});

describe('kill -9', () => {
  let folder: string;
  let database: string;

  before(async () => {
    folder = newFolder();
    const server = await startServer({ folder });
    await server.createUser({ username: 'ada', password: PASSWORD });
    await server.stop();
    database = server.database;
    fill(database);
    assert.equal((await run(folder, {}, ['backup', 'copy'])).code, 0);
    withFile(database, (connection) => connection.exec(`update auth_user set username = 'bob'`));
  });

  test('in the middle of a backup leaves no backup, and the database as it was', async () => {
    const child = start(folder, ['backup', 'cut']);
    await until('the copy to be written', () => draftSize(folder) > 0);
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.equal(existsSync(join(folder, 'cut')), false);
    assertSound(database);
    assert.deepEqual(namesIn(database), ['bob']);
  });

  test('and Ctrl-C: that leaves not even the beginning of one', async () => {
    rmSync(join(folder, 'cut'), { force: true });
    const there = readdirSync(folder).length;
    const child = start(folder, ['backup', 'cut']);
    await until('the copy to be begun', () => readdirSync(folder).length > there);
    await delay(20);
    child.kill('SIGINT');
    await once(child, 'close');
    assert.equal(child.signalCode, 'SIGINT');
    assert.equal(readdirSync(folder).length, there);
  });

  test('while the database is being replaced leaves it as it was', async () => {
    const child = start(folder, ['restore', '--noinput', 'copy']);
    // SQLite keeps there what it writes over, until all is written.
    const journal = `${database}-journal`;
    await until('the replacement', () => sizeOf(journal) > 500_000);
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.ok(existsSync(journal), 'it was over already');
    const server = await startServer({ folder });
    await server.stop();
    assertSound(database);
    assert.deepEqual(namesIn(database), ['bob']);
    assert.equal(rowsIn(database), MANY);
  });

  test('at any other time leaves it as it was, or as it should be', async () => {
    const found = new Set<unknown>();
    for (let wait = 300; wait <= 1_800; wait += 250) {
      const child = start(folder, ['restore', '--noinput', 'copy']);
      await Promise.race([once(child, 'close'), delay(wait)]);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
      assertSound(database);
      const [name] = namesIn(database);
      assert.ok(name === 'ada' || name === 'bob', String(name));
      found.add(name);
      withFile(database, (connection) => connection.exec(`update auth_user set username = 'bob'`));
      for (const entry of readdirSync(join(folder, 'data'))) {
        if (/before-restore|^\.jotgate/.test(entry)) rmSync(join(folder, 'data', entry), { recursive: true });
      }
    }
    assert.ok(found.has('bob'), 'none was killed in time');
  });
});

/** Gives ada so many tokens that copying the database takes a while. */
function fill(database: string): void {
  withFile(database, (connection) => {
    connection.pragma('synchronous = OFF');
    connection.exec(`
      insert into token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
      with recursive number(n) as (select 1 union all select n + 1 from number where n < ${MANY})
      select 'h.' || hex(zeroblob(700)), '2026-01-01 00:00:00', '2099-01-01 00:00:00', 1, 'jti' || n from number`);
  });
}

const rowsIn = (file: string) =>
  withFile(file, (connection) =>
    connection.prepare('select count(*) from token_blacklist_outstandingtoken').pluck().get(),
  );

/** Bytes of the unfinished copy of a backup. */
function draftSize(folder: string): number {
  const [draft] = readdirSync(folder).filter((name) => name.startsWith('.jotgate'));
  if (draft === undefined) return 0;
  return readdirSync(join(folder, draft)).length;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Looks as often as it can: what is waited for may last for milliseconds. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!isSo()) {
    assert.ok(performance.now() < deadline, `not in time: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
