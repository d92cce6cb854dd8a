import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTestDatabase, type TestDatabase } from '../../db/database.fixture.ts';
import { run } from '../attack/start.ts';
import { type LoadRequest, startLoad } from '../crash/steady-load.ts';
import { queryDatabase } from '../database-query.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';

const ADA = { username: 'ada', password: 'pw-Fixture-123' };

/** How many log-ins of an account may fail. */
const MOST = 6;

const SETTINGS = {
  SECRET_KEY: TEST_KEY,
  KEY_RING: 'true',
  ALGORITHM: 'ES256',
  ROTATE_REFRESH_TOKENS: 'true',
  BLACKLIST_AFTER_ROTATION: 'true',
  REFRESH_TOKEN_GRACE_PERIOD: '10s',
  REVOKE_SESSION_ON_REUSE: 'true',
  CHECK_SESSION: 'true',
  LOGIN_FAILURES_PER_ACCOUNT: String(MOST),
  LOGIN_FAILURES_PER_ADDRESS: '0',
  SHUTDOWN_DELAY: '1s',
};

/** Two instances on one database, as on two machines. */
let database: TestDatabase;
let one: ServerProcess;
let other: ServerProcess;

const start = () => startServer({ settings: { ...SETTINGS, DATABASE_URL: database.url } });

before(async () => {
  database = await makeTestDatabase();
  [one, other] = await Promise.all([start(), start()]);
  await one.createUser(ADA);
});
after(async () => {
  await Promise.all([one?.stop(), other?.stop()]);
  await database.remove();
});

interface Reply {
  status: number;
  body: Record<string, string>;
  retryAfter: number;
}

interface Pair {
  refresh: string;
  access: string;
}

async function send(at: { url: string }, path: string, body: Record<string, string>): Promise<Reply> {
  const response = await fetch(`${at.url}${path}`, { method: 'POST', body: new URLSearchParams(body) });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, string>,
    retryAfter: Number(response.headers.get('retry-after')),
  };
}

async function logIn(at: { url: string }): Promise<Pair> {
  const { status, body } = await send(at, '/api/token/', ADA);
  assert.equal(status, 200);
  return body as unknown as Pair;
}

const refresh = (at: { url: string }, token: string) => send(at, '/api/token/refresh/', { refresh: token });

async function ask(at: { url: string }, method: string, path: string, access: string): Promise<number> {
  const response = await fetch(`${at.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${access}` },
  });
  await response.arrayBuffer();
  return response.status;
}

const partOf = (token: string, part: 0 | 1) =>
  JSON.parse(Buffer.from(token.split('.')[part] ?? '', 'base64url').toString()) as Record<string, string>;

/** Either order of the two. */
const BOTH_WAYS = () =>
  [
    [one, other],
    [other, one],
  ] as const;

test('case 12: with a grace period, 50 refreshes of one token, spread over both, all get the same successor', async () => {
  for (const [here, there] of BOTH_WAYS()) {
    const token = (await logIn(here)).refresh;
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(index % 2 === 0 ? here : there, token)),
    );
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
    const successor = replies[0]?.body.refresh ?? '';
    // ES256 never signs anything twice in the same way, and no signature is kept.
    for (const { body } of replies) assert.deepEqual(partOf(body.refresh ?? '', 1), partOf(successor, 1));
    const rows = await queryDatabase<{ jti: string }>(
      database.url,
      'select jti from jotgate_session_token where predecessor_jti = ?',
      partOf(token, 1).jti,
    );
    assert.deepEqual(rows, [{ jti: partOf(successor, 1).jti }]);
    // Once the successor was used, here, the first is no immediate predecessor any more, there.
    assert.equal((await refresh(here, successor)).status, 200);
    assert.equal((await refresh(there, token)).status, 401);
  }
});

test('case 13: what came twice at one ends the session at the other', async () => {
  for (const [here, there] of BOTH_WAYS()) {
    const first = await logIn(here);
    const second = (await refresh(there, first.refresh)).body as unknown as Pair;
    const third = (await refresh(here, second.refresh)).body as unknown as Pair;
    assert.equal(await ask(there, 'GET', '/api/me/', third.access), 200);
    assert.equal((await refresh(here, first.refresh)).status, 401);
    assert.equal(await ask(there, 'GET', '/api/me/', third.access), 401);
    assert.equal((await refresh(there, third.refresh)).status, 401);
  }
});

test('case 43: a session that its owner ends at one is over at the other, by the next request', async () => {
  for (const [here, there] of BOTH_WAYS()) {
    const ended = await logIn(there);
    const kept = await logIn(here);
    assert.equal(
      await ask(here, 'DELETE', `/api/sessions/${partOf(ended.access, 1).sid}/`, kept.access),
      200,
    );
    assert.equal(await ask(there, 'GET', '/api/me/', ended.access), 401);
    assert.equal((await refresh(there, ended.refresh)).status, 401);
    assert.equal((await refresh(there, kept.refresh)).status, 200);
  }
});

test('case 22: failures at both count together, and what lifts a lock at one lifts it at the other', async () => {
  const guess = (at: ServerProcess, password: string) =>
    send(at, '/api/token/', { username: ADA.username, password });
  for (let count = 0; count < MOST; count += 1) {
    assert.equal((await guess(count % 2 === 0 ? one : other, 'wrong')).status, 401);
  }
  for (const at of [one, other]) {
    const { status, retryAfter } = await guess(at, ADA.password);
    assert.equal(status, 429);
    assert.ok(retryAfter > 0 && retryAfter <= 900, `${retryAfter} s`);
  }
  await queryDatabase(database.url, 'delete from jotgate_login_failure');
  for (const at of [one, other]) assert.equal((await guess(at, ADA.password)).status, 200);
});

test('case 22: of 40 guesses at once, spread over both, no more get through than those that were being hashed', async () => {
  await one.createUser({ username: 'storm', password: ADA.password });
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      send(index % 2 === 0 ? one : other, '/api/token/', { username: 'storm', password: 'wrong' }),
    ),
  );
  const tried = replies.filter(({ status }) => status === 401).length;
  assert.ok(tried >= MOST && tried <= MOST + 16, `${tried} guesses`);
  assert.ok(replies.every(({ status }) => status === 401 || status === 429));
});

test('case 10: keys that are rotated and withdrawn by a third are so at both, by the next request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-third-'));
  const rotatekeys = async (...flags: string[]) => {
    const settings = { ...SETTINGS, DATABASE_URL: database.url };
    const { code, stderr } = await run(folder, settings, ['rotatekeys', ...flags]);
    assert.equal(code, 0, stderr);
  };
  try {
    const pairs = [await logIn(one), await logIn(other)];
    const { kid = '' } = partOf(pairs[0]?.access ?? '', 0);
    await rotatekeys();
    const later = [await logIn(one), await logIn(other)];
    const kids = later.map(({ access }) => partOf(access, 0).kid);
    assert.equal(new Set(kids).size, 1);
    assert.notEqual(kids[0], kid);
    for (const { access } of [...pairs, ...later]) {
      for (const at of [one, other]) assert.equal(await ask(at, 'GET', '/api/me/', access), 200);
    }
    await rotatekeys('--withdraw', kid, '--noinput');
    for (const pair of pairs) {
      for (const at of [one, other]) {
        assert.equal(await ask(at, 'GET', '/api/me/', pair.access), 401);
        assert.equal((await refresh(at, pair.refresh)).status, 401);
      }
    }
    for (const at of [one, other]) {
      assert.equal(await ask(at, 'GET', '/api/me/', later[0]?.access ?? ''), 200);
      const { keys } = (await (await fetch(`${at.url}/.well-known/jwks.json`)).json()) as {
        keys: { kid: string }[];
      };
      assert.ok(!keys.some((key) => key.kid === kid));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Hands connections on to instances in turn, but to none that says at /readyz that it is about to end. */
class Balancer {
  readonly #ready = new Set<ServerProcess>();
  readonly #server = createServer((client) => {
    const [target] = this.#ready;
    if (target === undefined) return client.destroy();
    // The next one is another's turn.
    this.#ready.delete(target);
    this.#ready.add(target);
    const server = connect(Number(new URL(target.url).port), '127.0.0.1');
    client.pipe(server).pipe(client);
    for (const [socket, peer] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => peer.destroy());
    }
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(instance: ServerProcess): void {
    this.#ready.add(instance);
    void this.#watch(instance);
  }

  end(): void {
    this.#ready.clear();
    this.#server.close();
  }

  async #watch(instance: ServerProcess): Promise<void> {
    while (this.#ready.has(instance)) {
      const answer = await fetch(`${instance.url}/readyz`).catch(() => null);
      if (answer?.status !== 200) this.#ready.delete(instance);
      await answer?.arrayBuffer();
      await delay(100, undefined, { ref: false });
    }
  }
}

test('while they are restarted one after the other, under load, nothing fails', async () => {
  const balancer = new Balancer();
  await balancer.start();
  balancer.add(one);
  balancer.add(other);
  const { access } = await logIn(one);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const requests: LoadRequest[] = [
    { method: 'GET', path: '/api/me/', headers: { authorization: `Bearer ${access}` }, status: 200 },
    { method: 'POST', path: '/api/token/verify/', headers: form, body: `token=${access}`, status: 200 },
    {
      method: 'POST',
      path: '/api/token/',
      headers: form,
      body: new URLSearchParams(ADA).toString(),
      status: 200,
    },
  ];
  let isOver = false;
  const rotations: number[] = [];
  const rotating = async () => {
    let token = (await logIn(balancer)).refresh;
    while (!isOver) {
      const { status, body } = await refresh(balancer, token);
      rotations.push(status);
      token = body.refresh ?? '';
      await delay(20);
    }
  };
  const load = startLoad(balancer.url, requests, { connections: 4, pause: 10 });
  const rotated = Promise.all([rotating(), rotating()]);
  rotated.catch(() => undefined);
  try {
    for (const leaving of [one, other]) {
      const replacement = await start();
      balancer.add(replacement);
      const ended = leaving.stop();
      if (leaving === one) one = replacement;
      else other = replacement;
      await ended;
    }
    // By the new ones alone.
    await delay(300);
  } finally {
    isOver = true;
    await load.stop();
    await rotated.catch(() => undefined);
    balancer.end();
  }
  const { answered, failures } = await load.stop();
  await rotated;
  assert.deepEqual(failures, []);
  assert.ok(answered > 200, `${answered} answers`);
  assert.deepEqual([...new Set(rotations)], [200]);
});
