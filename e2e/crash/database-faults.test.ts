import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { type ServerProcess, startServer } from '../server-process.ts';
import { type Answer, ask } from './client.ts';
import { damages, Ledger } from './ledger.ts';

const PASSWORD = 'pw-Fixture-123';
const SETTINGS = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true', LOG_LEVEL: 'fatal' };

/** How soon whoever waits for a locked database is told so, in milliseconds: five seconds, and some for a busy machine. */
const DEADLINE = 9_000;

/** How long the event loop may be held up, in milliseconds. */
const LAG = 400;

const root = mkdtempSync(join(tmpdir(), 'jotgate-faults-'));
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
