import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { noteCase } from '../case-table.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type Answer, ask, askedSoFar } from './client.ts';
import { damages, Ledger } from './ledger.ts';

const PASSWORD = 'pw-Fixture-123';
const SETTINGS = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true', LOG_LEVEL: 'fatal' };

/** How soon whoever waits for a locked database is told so, in milliseconds: five seconds, and some for a busy machine. */
const DEADLINE = 9_000;

/** How long the event loop may be held up, in milliseconds. */
const LAG = 400;

const root = mkdtempSync(join(tmpdir(), 'jotgate-faults-'));
after(() => noteCase(40, askedSoFar()));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

const refresh = (server: ServerProcess, token: string) =>
  ask(server.url, '/api/token/refresh/', { refresh: token });
const logIn = (server: ServerProcess) =>
  ask(server.url, '/api/token/', { username: 'ada', password: PASSWORD });

function assertUnavailable({ status, headers, body }: Answer): void {
  assert.equal(status, 503, JSON.stringify(body));
  assert.ok(Number(headers['retry-after']) >= 1, 'it says when to come again');
  assert.ok(!('access' in body) && !('refresh' in body), 'a token was issued all the same');
  assert.ok(!/SQLITE|disk|locked|full/i.test(JSON.stringify(body)), 'it says what is wrong inside');
}

/** Asks for what needs no database again and again, and says how long the slowest answer took, in milliseconds. */
function watch(server: ServerProcess): () => Promise<number> {
  let isOver = false;
  let slowest = 0;
  const asking = (async () => {
    while (!isOver) {
      const started = performance.now();
      const { status } = await ask(server.url, '/api/');
      assert.equal(status, 200);
      slowest = Math.max(slowest, performance.now() - started);
      await delay(10);
    }
  })();
  return async () => {
    isOver = true;
    await asking;
    return slowest;
  };
}

describe('case 40: the database is locked by another process', () => {
  test('503 by a deadline, for all who wait; what only reads goes on; then all is as before', async () => {
    const server = await startServer({ settings: SETTINGS });
    try {
      await server.createUser({ username: 'ada', password: PASSWORD });
      const { body } = await logIn(server);
      const token = body.refresh as string;
      const other = new SqliteDatabase(server.database);
      other.exec('BEGIN IMMEDIATE');
      const slowest = watch(server);
      const started = performance.now();
      const waits: number[] = [];
      const writes = Array.from({ length: 20 }, async () => {
        const answer = await refresh(server, token);
        waits.push(performance.now() - started);
        return answer;
      });
      await delay(500);
      const asked = performance.now();
      const verified = await ask(server.url, '/api/token/verify/', { token });
      const readTook = performance.now() - asked;
      for (const answer of await Promise.all(writes)) assertUnavailable(answer);
      const lag = await slowest();
      other.exec('COMMIT');
      other.close();
      console.log(
        `Locked: 20 writes were refused after ${Math.round(Math.min(...waits))} to ${Math.round(Math.max(...waits))} ms; ` +
          `a read took ${Math.round(readTook)} ms, the slowest answer of the rest ${Math.round(lag)} ms.`,
      );
      assert.equal(verified.status, 200);
      assert.ok(Math.max(...waits) < DEADLINE, 'some waited longer');
      assert.ok(lag < LAG, 'the event loop was held up');
      assert.ok(readTook < DEADLINE, 'a read waited longer');
      assert.equal((await refresh(server, token)).status, 200);
    } finally {
      await server.stop();
    }
  });
});

/** How much the disk that fills up holds, in bytes: the database, and little else. */
const DISK_SIZE = 3 * 2 ** 20;

/** Puts a small disk of its own at `disk` in the working folder, with the database on it, and becomes the server. */
const ON_SMALL_DISK = [
  ...['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c'],
  `mount -t tmpfs -o size=${DISK_SIZE} tmpfs disk && cp data/jotgate.sqlite3* disk/ && exec "$@"`,
  'sh',
];

describe('case 40: the disk is full', () => {
  test('503, no token issued, recovery without a restart', async () => {
    const folder = await installation();
    mkdirSync(join(folder, 'disk'));
    const server = await startServer({
      folder,
      through: ON_SMALL_DISK,
      settings: { ...SETTINGS, DATABASE_URL: 'sqlite:disk/jotgate.sqlite3' },
    });
    // Nobody else sees that disk, but for this way.
    const disk = join('/proc', String(server.pid), 'root', folder, 'disk');
    try {
      const filler = join(disk, 'filler');
      await assertOutlasts(server, () => copied(disk, folder), {
        fill: () => fillUp(filler),
        free: () => rmSync(filler),
      });
    } finally {
      await server.stop();
    }
  });

  test('so it is where the file may not grow any more', async () => {
    const folder = await installation();
    const server = await startServer({ folder, settings: SETTINGS });
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}:unlimited`]);
    try {
      const { size } = statSync(`${server.database}-wal`);
      await assertOutlasts(server, () => server.databaseUrl, {
        fill: () => limit(String(size)),
        free: () => limit('unlimited'),
      });
    } finally {
      await server.stop();
    }
  });
});

/** A folder with a database that has an account. */
async function installation(): Promise<string> {
  const folder = mkdtempSync(join(root, 'installation-'));
  const server = await startServer({ folder });
  await server.createUser({ username: 'ada', password: PASSWORD });
  await server.stop();
  return folder;
}

/**
 * The database of a server that is idle, copied from its own disk: SQLite would look for a path that leads there on the
 * disk of everybody.
 */
function copied(disk: string, folder: string): string {
  const copy = mkdtempSync(join(folder, 'copy-'));
  for (const name of ['jotgate.sqlite3', 'jotgate.sqlite3-wal'])
    copyFileSync(join(disk, name), join(copy, name));
  return `sqlite:${join(copy, 'jotgate.sqlite3')}`;
}

/** Writes until there is no room left. */
function fillUp(file: string): void {
  for (let size = 2 ** 20; size >= 1; size /= 2) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(size));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
}

async function assertOutlasts(
  server: ServerProcess,
  databaseUrl: () => string,
  { fill, free }: { fill(): unknown; free(): unknown },
): Promise<void> {
  const ledger = new Ledger();
  let token = (await logIn(server)).body.refresh as string;
  ledger.issued(token);
  for (let turn = 1; turn <= 2; turn += 1) {
    fill();
    let written = 0;
    const refused: Answer[] = [];
    // What was written before and may be written over again takes a few more.
    for (let count = 0; count < 60 && refused.length < 10; count += 1) {
      const answer = await refresh(server, token);
      if (answer.status !== 200) {
        refused.push(answer, await logIn(server));
        continue;
      }
      written += 1;
      ledger.rotated(token, answer.body.refresh as string);
      token = answer.body.refresh as string;
    }
    assert.ok(refused.length >= 10, `the disk did not fill up: ${written} rotations`);
    for (const answer of refused) assertUnavailable(answer);
    assert.equal((await ask(server.url, '/api/')).status, 200);
    assert.equal((await ask(server.url, '/api/token/verify/', { token })).status, 200);
    free();
    const answer = await refresh(server, token);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    ledger.rotated(token, answer.body.refresh as string);
    token = answer.body.refresh as string;
    const url = databaseUrl();
    assert.deepEqual(await damages(url), []);
    assert.deepEqual(await ledger.breaches(url, { all: true }), []);
    console.log(
      `Full: after ${written} more rotations ${refused.length} requests were refused; then all went on.`,
    );
  }
}
