import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { spawn as spawnInTerminal } from '@lydell/node-pty';
import { run } from '../attack/start.ts';
import { MAIN_FILE, type ServerOptions, type ServerProcess, startServer } from '../server-process.ts';
import { type Load, type LoadRequest, startLoad } from './steady-load.ts';

const PASSWORD = 'pw-Fixture-123';

/** How long anything may take that is waited for, in milliseconds. */
const PATIENCE = 30_000;

const folders: string[] = [];

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-workers-'));
  folders.push(folder);
  return folder;
}

function startWorkers(count: number, { settings = {}, ...options }: ServerOptions = {}) {
  return startServer({ ...options, settings: { WORKERS: String(count), LOG_LEVEL: 'info', ...settings } });
}

/** The process ids of the workers in the order in which they were ready, those that are gone as well. */
function workersOf({ stderr }: Pick<ServerProcess, 'stderr'>): number[] {
  return [...stderr().matchAll(/Worker (\d+) is ready/g)].map(([, pid]) => Number(pid));
}

function messagesOf(server: ServerProcess, level = 40): string[] {
  const lines = server.stderr().trim().split('\n');
  const entries = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  return entries.filter((entry) => entry.level >= level).map(({ msg }) => msg);
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `not in time: ${what}`);
    await delay(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Reads and writes, as busy clients mix them. */
async function requestsFor(server: ServerProcess): Promise<LoadRequest[]> {
  await server.createUser({ username: 'ada', password: PASSWORD });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  // A connection that is kept, and asks for nothing, is served for more than a minute.
  const once = { ...form, connection: 'close' };
  const credentials = new URLSearchParams({ username: 'ada', password: PASSWORD }).toString();
  const login = await fetch(`${server.url}/api/token/`, { method: 'POST', body: credentials, headers: once });
  const { access, refresh } = (await login.json()) as { access: string; refresh: string };
  return [
    { method: 'GET', path: '/api/me/', headers: { authorization: `Bearer ${access}` }, status: 200 },
    { method: 'POST', path: '/api/token/verify/', headers: form, body: `token=${access}`, status: 200 },
    { method: 'POST', path: '/api/token/refresh/', headers: form, body: `refresh=${refresh}`, status: 200 },
    { method: 'POST', path: '/api/token/', headers: form, body: credentials, status: 200 },
  ];
}

async function answersMore(load: Load, count = 200): Promise<void> {
  const before = load.answered();
  await until(`${count} more answers`, () => load.answered() >= before + count);
}

describe('three workers', () => {
  test('are ready once, on one port', async () => {
    const server = await startWorkers(3);
    try {
      assert.equal(server.stdout().match(/ready at/g)?.length, 1);
      assert.equal(server.stdout().match(/admin\/setup\/\?key=/g)?.length, 1);
      assert.equal(server.stdout().match(/Applied migration 0001/g)?.length, 1);
      const workers = workersOf(server);
      assert.equal(new Set(workers).size, 3);
      assert.ok(workers.every((pid) => pid !== server.pid && isAlive(pid)));
      const statuses = await Promise.all(
        Array.from({ length: 12 }, async () => (await fetch(`${server.url}/readyz`)).status),
      );
      assert.deepEqual(new Set(statuses), new Set([200]));
    } finally {
      await server.stop();
    }
  });

  test('of which one is killed: the others serve, and another takes its place', async () => {
    const server = await startWorkers(3);
    const connections = 9;
    try {
      const load = startLoad(server.url, await requestsFor(server), { connections });
      await answersMore(load);
      const [victim = 0] = workersOf(server);
      process.kill(victim, 'SIGKILL');
      await answersMore(load);
      await until('a fourth worker', () => workersOf(server).length === 4);
      const failedByThen = load.failures().length;
      await answersMore(load, 500);
      const { failures } = await load.stop();
      assert.deepEqual(failures.slice(failedByThen), [], 'after it was replaced');
      // What was on its way to the one that died is lost, and nothing else.
      assert.ok(failures.length <= connections, failures.join('\n'));
      assert.deepEqual(messagesOf(server), [`Worker ${victim} was ended by SIGKILL; another is started`]);
      assert.equal(workersOf(server).filter(isAlive).length, 3);
    } finally {
      await server.stop();
    }
  });

  test('are replaced at SIGHUP under load, and no request is lost', async () => {
    const server = await startWorkers(3);
    try {
      const load = startLoad(server.url, await requestsFor(server), { connections: 12 });
      await answersMore(load);
      const before = workersOf(server);
      process.kill(server.pid, 'SIGHUP');
      await until('three new workers', () => /Every worker was replaced/.test(server.stderr()));
      await until('the old ones to go', () => !before.some(isAlive));
      await answersMore(load);
      const { answered, failures } = await load.stop();
      assert.deepEqual(failures, []);
      assert.ok(answered > 400);
      assert.deepEqual(messagesOf(server), []);
      assert.equal(workersOf(server).filter(isAlive).length, 3);
      assert.equal(server.stdout().match(/ready at/g)?.length, 1);
    } finally {
      await server.stop();
    }
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} under load: what was sent is answered, new connections are refused, exit 0`, async () => {
      const server = await startWorkers(3);
      try {
        const load = startLoad(server.url, await requestsFor(server), { connections: 12 });
        await answersMore(load);
        process.kill(server.pid, signal);
        await until('the end', () => !isAlive(server.pid));
        await server.stop();
        const { failures } = await load.stop();
        assert.deepEqual(
          failures.filter((failure) => !failure.endsWith(': ECONNREFUSED')),
          [],
        );
        assert.ok(!workersOf(server).some(isAlive), 'a worker is left');
        assert.deepEqual(messagesOf(server), []);
      } finally {
        await server.stop();
      }
    });
  }
});

test('a worker that ends again and again is started after longer and longer pauses', async () => {
  const server = await startWorkers(2);
  try {
    for (let count = 2; count <= 4; count += 1) {
      const newest = workersOf(server).at(-1) as number;
      process.kill(newest, 'SIGKILL');
      await until('the next worker', () => workersOf(server).length > count);
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    }
    assert.deepEqual(
      messagesOf(server).map((message) => message.replace(/^.*; /, '')),
      ['another is started', ...[1, 2].map((pause) => `another is started in ${pause} s`)],
    );
  } finally {
    await server.stop();
  }
});

test('SIGHUP takes new settings, and those that are wrong change nothing', async () => {
  const folder = newFolder();
  const server = await startWorkers(2, { folder });
  try {
    const requests = await requestsFor(server);
    const load = startLoad(server.url, requests, { connections: 4, pause: 5 });
    const before = workersOf(server);
    writeFileSync(join(folder, '.env'), 'ACCESS_TOKEN_LIFETIME=soon\n');
    process.kill(server.pid, 'SIGHUP');
    await until('the complaint', () => /The restart ends here/.test(server.stderr()));
    assert.match(server.stderr(), /^ACCESS_TOKEN_LIFETIME takes a time/m);
    assert.deepEqual(workersOf(server), before);
    assert.ok(before.every(isAlive));

    writeFileSync(join(folder, '.env'), 'ACCESS_TOKEN_LIFETIME=2h\n');
    process.kill(server.pid, 'SIGHUP');
    await until('two new workers', () => /Every worker was replaced/.test(server.stderr()));
    assert.deepEqual((await load.stop()).failures, []);
    const login = await fetch(`${server.url}/api/token/`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
    });
    const { access } = (await login.json()) as { access: string };
    const { exp, iat } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString());
    assert.equal(exp - iat, 7_200);
  } finally {
    await server.stop();
  }
});

test('with SHUTDOWN_DELAY it serves on after SIGTERM, and says that it is not ready', async () => {
  for (const count of [1, 2]) {
    const server = await startWorkers(count, { settings: { SHUTDOWN_DELAY: '2s' } });
    try {
      assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
      process.kill(server.pid, 'SIGTERM');
      await until('it to say so', async () => (await fetch(`${server.url}/readyz`)).status === 503);
      const ready = await fetch(`${server.url}/readyz`);
      assert.deepEqual(await ready.json(), {
        status: 'unavailable',
        failed: { server: 'It was told to stop.' },
      });
      assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
      assert.equal((await fetch(`${server.url}/api/`)).status, 200);
      await until('the end', () => !isAlive(server.pid));
    } finally {
      await server.stop();
    }
  }
});

test('when the process that looks after them is killed, no worker is left', async () => {
  const server = await startWorkers(2);
  process.kill(server.pid, 'SIGKILL');
  await until('the workers to end', () => !workersOf(server).some(isAlive));
  await assert.rejects(server.stop());
});

test('a port that is taken is one line', async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  try {
    const { code, stderr } = await run(newFolder(), { WORKERS: '2', PORT: String(port) });
    assert.equal(code, 1);
    assert.match(stderr, /^CommandError: That port is already in use\. .*PORT.*\n$/);
  } finally {
    listener.close();
  }
});

test('a terminal that closes ends what was started in it', async () => {
  const folder = newFolder();
  const terminal = spawnInTerminal(process.execPath, [MAIN_FILE, 'serve', '--migrate'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, WORKERS: '2', PORT: '0' },
  });
  let shown = '';
  terminal.onData((text) => {
    shown += text;
  });
  await until('it to be ready', () => /ready at/.test(shown));
  const workers = workersOf({ stderr: () => shown });
  assert.equal(workers.length, 2);
  // Ends as a window does that is closed: by the terminal itself.
  (terminal as typeof terminal & { destroy(): void }).destroy();
  await until('all to end', () => ![terminal.pid, ...workers].some(isAlive));
});

test('standing in no terminal, as under nohup, it is restarted by SIGHUP and lives', async () => {
  const folder = newFolder();
  const child = spawn(process.execPath, [MAIN_FILE, 'serve', '--migrate'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, WORKERS: '2', PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  await until('two workers', () => workersOf({ stderr: () => stderr }).length === 2);
  process.kill(child.pid as number, 'SIGHUP');
  await until('two new ones', () => workersOf({ stderr: () => stderr }).length === 4);
  child.kill('SIGTERM');
  await once(child, 'close');
  assert.equal(child.exitCode, 0);
});
