import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '../postgres.ts';
import { makeTemplate } from '../postgres-template.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';

const PASSWORD = 'pw-Fixture-123';

/** Two instances of the server, as on two machines, on one Postgres. */
let postgres: PostgresServer;
let url: string;
let one: ServerProcess;
let other: ServerProcess;

const start = () =>
  startServer({
    settings: {
      DATABASE_URL: url,
      SECRET_KEY: TEST_KEY,
      ROTATE_REFRESH_TOKENS: 'true',
      BLACKLIST_AFTER_ROTATION: 'true',
      LOG_LEVEL: 'fatal',
    },
  });

before(async () => {
  postgres = await startPostgres();
  url = await makeTemplate(postgres.url);
  [one, other] = await Promise.all([start(), start()]);
  await one.createUser({ username: 'ada', password: PASSWORD, is_staff: true, is_superuser: true });
});
after(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await postgres.remove();
});

interface Reply {
  status: number;
  body: Record<string, string>;
  retryAfter: string | null;
}

async function post(server: ServerProcess, path: string, body: Record<string, string>): Promise<Reply> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, string>,
    retryAfter: response.headers.get('retry-after'),
  };
}

const logIn = async (server: ServerProcess) =>
  (await post(server, '/api/token/', { username: 'ada', password: PASSWORD })).body as {
    refresh: string;
    access: string;
  };
const refresh = (server: ServerProcess, token: string) =>
  post(server, '/api/token/refresh/', { refresh: token });

test('of 50 refreshes of one token, spread over both, one wins', async () => {
  for (let round = 0; round < 3; round += 1) {
    const token = (await logIn(one)).refresh;
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(index % 2 === 0 ? one : other, token)),
    );
    const winners = replies.filter(({ status }) => status === 200);
    assert.equal(winners.length, 1);
    assert.ok(replies.every(({ status }) => status === 200 || status === 401));
    assert.equal((await refresh(other, winners[0]?.body.refresh ?? '')).status, 200);
  }
});

test('what is revoked on one is refused by the very next request to the other', async () => {
  for (let round = 0; round < 10; round += 1) {
    const [here, there] = round % 2 === 0 ? [one, other] : [other, one];
    const token = (await logIn(here)).refresh;
    assert.equal((await post(here, '/api/token/blacklist/', { refresh: token })).status, 200);
    assert.equal((await refresh(there, token)).status, 401);
    assert.equal((await post(there, '/api/token/verify/', { token })).status, 400);
  }
});

test('of 20 that revoke one token on both, one does', async () => {
  const token = (await logIn(one)).refresh;
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      post(index % 2 === 0 ? one : other, '/api/token/blacklist/', { refresh: token }),
    ),
  );
  assert.equal(replies.filter(({ status }) => status === 200).length, 1);
});

test('who logs in to the admin here is logged in there, and out there as well', async () => {
  const cookies = new Map<string, string>();
  const visit = async (server: ServerProcess, path: string, form?: Record<string, string>) => {
    const response = await fetch(`${server.url}${path}`, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return { status: response.status, body: await response.text() };
  };
  const tokenIn = (body: string) => /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1] ?? '';
  const login = await visit(one, '/admin/login/');
  const form = { username: 'ada', password: PASSWORD, csrfmiddlewaretoken: tokenIn(login.body) };
  assert.equal((await visit(one, '/admin/login/', form)).status, 303);
  const there = await visit(other, '/admin/');
  assert.equal(there.status, 200);
  const logout = { csrfmiddlewaretoken: tokenIn(there.body) };
  assert.ok((await visit(other, '/admin/logout/', logout)).status < 400);
  assert.notEqual((await visit(one, '/admin/')).status, 200);
});

test('while the database is away both answer 503 and live, and then go on by themselves', async () => {
  const token = (await logIn(one)).refresh;
  await postgres.stop(false);
  for (const server of [one, other, one, other]) {
    const started = performance.now();
    const reply = await refresh(server, token);
    assert.equal(reply.status, 503);
    assert.equal(reply.retryAfter, '1');
    assert.ok(performance.now() - started < 6_000);
    assert.ok(!JSON.stringify(reply.body).includes(new URL(url).password));
  }
  await postgres.start();
  assert.equal((await refresh(one, token)).status, 200);
  assert.equal((await refresh(other, token)).status, 401);
  for (const server of [one, other]) assert.ok(!server.stderr().includes(new URL(url).password));
});

test('when one is killed the other serves, and what was under way there is whole or not there', async () => {
  const doomed = await start();
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => (await logIn(one)).refresh));
  const answers = tokens.map((token) => refresh(doomed, token).catch(() => null));
  const ended = doomed.stop().catch(() => undefined);
  await pause(5);
  process.kill(doomed.pid, 'SIGKILL');
  const replies = await Promise.all(answers);
  await ended;
  for (const [index, reply] of replies.entries()) {
    const again = await refresh(one, tokens[index] as string);
    // Acknowledged is done; else it either was done or can be done now.
    if (reply?.status === 200) assert.equal(again.status, 401);
    else assert.ok([200, 401].includes(again.status));
  }
  assert.ok((await logIn(other)).access);
});
