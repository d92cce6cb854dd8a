import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { type ServerProcess, startServer } from '../server-process.ts';
import { PASSWORD } from './attack.ts';
import { type Ending, run } from './start.ts';

const folders: string[] = [];

after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-process-'));
  folders.push(folder);
  return folder;
}

/** Sends a login on a connection that the client would keep, and says whether it was answered. */
function slowLogin(server: ServerProcess, agent: Agent): Promise<number | undefined> {
  const body = JSON.stringify({ username: 'ada', password: PASSWORD });
  return new Promise((resolve, reject) => {
    const options = { agent, method: 'POST', headers: { 'content-type': 'application/json' } };
    const outgoing = request(new URL('/api/token/', server.url), options, (incoming) => {
      text(incoming).then(() => resolve(incoming.statusCode), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function isRefused(server: ServerProcess): Promise<boolean> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

/** Opens a connection and sends the beginning of a request. */
async function begin(server: ServerProcess, beginning: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(beginning);
  return socket;
}

/** A cost whose hash takes most of a second. */
const SLOW = { BCRYPT_ROUNDS: '13' };

/** How long a server may take to end once nothing is in flight any more, in milliseconds. */
const TIME_TO_END = 3_000;

/**
 * Waits for a server that was told to end, and asks that it ends by itself, soon, and with exit code 0. A second
 * signal would end it at once, so none is sent before.
 */
async function assertEnds(server: ServerProcess): Promise<void> {
  const started = performance.now();
  while (isAlive(server.pid) && performance.now() - started < TIME_TO_END) await delay(10);
  const lives = isAlive(server.pid);
  // Says whether the exit code was 0, and clears up.
  const stopped = await server.stop().then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(!lives, `it still ran ${TIME_TO_END} ms after the last answer`);
  assert.equal(stopped, undefined);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('case 41: SIGTERM and SIGINT', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal}: what is in flight is answered, new connections are refused, exit 0`, async () => {
      const server = await startServer({ settings: SLOW });
      const agent = new Agent({ keepAlive: true });
      try {
        await server.createUser({ username: 'ada', password: PASSWORD });
        const logins = [slowLogin(server, agent), slowLogin(server, agent), slowLogin(server, agent)];
        await delay(150);
        process.kill(server.pid, signal);
        await delay(150);
        assert.ok(await isRefused(server), 'a new connection was taken');
        assert.deepEqual(await Promise.all(logins), [200, 200, 200]);
        await assertEnds(server);
      } finally {
        agent.destroy();
        await server.stop().catch(() => undefined);
      }
    });
  }

  test('a request whose body is still on its way is answered', async () => {
    const server = await startServer();
    const body = '{"token": "x"}';
    const head = `POST /api/token/verify/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n`;
    const socket = await begin(server, `${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    try {
      await delay(100);
      process.kill(server.pid, 'SIGTERM');
      await delay(100);
      socket.write(body.slice(5));
      const [answer] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 401 /);
      await assertEnds(server);
    } finally {
      socket.destroy();
      await server.stop().catch(() => undefined);
    }
  });

  for (const [name, beginning] of [
    ['was answered and is kept by the client', 'GET /api/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['was opened and never used, as browsers do', ''],
  ] as const) {
    test(`a connection that ${name} does not hold it up`, async () => {
      const server = await startServer();
      const socket = await begin(server, beginning);
      socket.on('error', () => undefined);
      try {
        await delay(200);
        process.kill(server.pid, 'SIGTERM');
        await assertEnds(server);
      } finally {
        socket.destroy();
        await server.stop().catch(() => undefined);
      }
    });
  }
});

/** One line for people, on stderr, and an exit code that is not 0. */
function assertOneLine({ code, stderr, stdout, took }: Ending, words: RegExp): void {
  assert.ok(code !== 0 && code !== null, `exit code ${code}: ${stdout}${stderr}`);
  assert.match(stderr, words);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.doesNotMatch(stderr, /^\s+at |node:internal|\.js:\d+/m);
  assert.doesNotMatch(stdout, /ready at/);
  assert.ok(took < 10_000);
}

describe('a start that cannot be', () => {
  test('the port is taken', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    try {
      assertOneLine(await run(newFolder(), { PORT: String(port) }), /port.*in use.*PORT/i);
    } finally {
      listener.close();
    }
  });
  test('data is a file', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'data'), 'x');
    assertOneLine(await run(folder), /data/);
    assert.equal(readFileSync(join(folder, 'data'), 'utf8'), 'x');
  });
  test('data is a file and the key is given', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'data'), 'x');
    assertOneLine(await run(folder, { SECRET_KEY: randomBytes(64).toString('hex') }), /data|database/i);
  });
  test('the folder is not writable', async () => {
    const folder = newFolder();
    const settings = { SECRET_KEY: randomBytes(64).toString('hex') };
    // Whoever runs tests as root may write into every folder but the kernel's own.
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) chmodSync(folder, 0o500);
    const place = isRoot ? { ...settings, DATABASE_URL: 'sqlite:/sys/jotgate/jotgate.sqlite3' } : {};
    assertOneLine(await run(folder, place), isRoot ? /\/sys\/jotgate/ : /not writable|permission/i);
    chmodSync(folder, 0o700);
  });
  test('the database is a folder', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data', 'jotgate.sqlite3'), { recursive: true });
    assertOneLine(await run(folder), /database/i);
  });
  test('the database is no database', async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'));
    const file = join(folder, 'data', 'jotgate.sqlite3');
    writeFileSync(file, 'this is no database, and long enough to be looked at as one'.repeat(100));
    const before = readFileSync(file);
    assertOneLine(await run(folder), /database/i);
    assert.deepEqual(readFileSync(file), before);
  });
  test('case 44: the schema is newer than the program', async () => {
    const folder = newFolder();
    const first = await startServer({ folder });
    await first.stop();
    const database = new SqliteDatabase(join(folder, 'data', 'jotgate.sqlite3'));
    database
      .prepare('INSERT INTO jotgate_migration (name, timestamp) VALUES (?, ?)')
      .run('9999_of_the_future', new Date().toISOString());
    database.close();
    for (const parameters of [['serve', '--migrate'], ['serve'], ['migrate']]) {
      assertOneLine(await run(folder, {}, parameters), /9999_of_the_future/);
    }
  });
  test('the tables are missing and nobody asked to make them', async () => {
    assertOneLine(await run(newFolder(), {}, ['serve']), /migrate/);
  });
});

test('a second start keeps the key and the database', async () => {
  const folder = newFolder();
  const first = await startServer({ folder });
  await first.createUser({ username: 'ada', password: PASSWORD });
  const login = await fetch(`${first.url}/api/token/`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
  });
  const { access, refresh } = (await login.json()) as { access: string; refresh: string };
  await first.stop();
  const keyFile = join(folder, 'data', 'secret_key');
  const key = readFileSync(keyFile, 'utf8');
  assert.ok(Buffer.byteLength(key.trim()) >= 64);
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.deepEqual(
    readdirSync(join(folder, 'data')).filter((name) => name.startsWith('secret')),
    ['secret_key'],
  );

  const second = await startServer({ folder });
  try {
    assert.equal(readFileSync(keyFile, 'utf8'), key);
    assert.equal(statSync(keyFile).mode & 0o777, 0o600);
    const me = await fetch(`${second.url}/api/me/`, { headers: { authorization: `Bearer ${access}` } });
    assert.deepEqual(await me.json(), { id: 1, username: 'ada' });
    const refreshed = await fetch(`${second.url}/api/token/refresh/`, {
      method: 'POST',
      body: new URLSearchParams({ refresh }),
    });
    assert.equal(refreshed.status, 200);
  } finally {
    await second.stop();
  }
});

test('no one else on the machine may read what it keeps', async () => {
  const server = await startServer({ folder: newFolder() });
  try {
    const folder = join(server.folder, 'data');
    assert.equal(statSync(folder).mode & 0o077, 0, 'the folder');
    assert.equal(statSync(join(folder, 'secret_key')).mode & 0o777, 0o600);
    assert.ok(existsSync(server.database));
  } finally {
    await server.stop();
  }
});

test('two that start at once in a fresh folder end up with one key and one database', async () => {
  const folder = newFolder();
  const servers = await Promise.all([startServer({ folder }), startServer({ folder })]);
  try {
    await servers[0].createUser({ username: 'ada', password: PASSWORD });
    const login = await fetch(`${servers[0].url}/api/token/`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
    });
    const { access } = (await login.json()) as { access: string };
    const me = await fetch(`${servers[1].url}/api/me/`, { headers: { authorization: `Bearer ${access}` } });
    assert.equal(me.status, 200);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});
