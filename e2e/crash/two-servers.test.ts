import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerProcess, startServer } from '../server-process.ts';

const PASSWORD = 'pw-Fixture-123';
const ROTATING = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' };

/** Two servers, one of them with workers, on one SQLite file. */
const folder = mkdtempSync(join(tmpdir(), 'jotgate-two-'));
let one: ServerProcess;
let other: ServerProcess;

before(async () => {
  [one, other] = await Promise.all([
    startServer({ folder, settings: ROTATING }),
    startServer({ folder, settings: { ...ROTATING, WORKERS: '2' } }),
  ]);
  await one.createUser({ username: 'ada', password: PASSWORD, is_staff: true, is_superuser: true });
});
after(async () => {
  await Promise.all([one?.stop(), other?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function post(server: ServerProcess, path: string, body: Record<string, string>) {
  const response = await fetch(`${server.url}${path}`, { method: 'POST', body: new URLSearchParams(body) });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function logIn(server: ServerProcess): Promise<string> {
  return (await post(server, '/api/token/', { username: 'ada', password: PASSWORD })).body.refresh ?? '';
}

const refresh = (server: ServerProcess, token: string) =>
  post(server, '/api/token/refresh/', { refresh: token });

test('what is revoked on one is refused by the very next request to the other', async () => {
  for (const [here, there] of [
    [one, other],
    [other, one],
    [other, other],
  ] as const) {
    for (let round = 0; round < 5; round += 1) {
      const token = await logIn(here);
      assert.equal((await post(here, '/api/token/blacklist/', { refresh: token })).status, 200);
      const refused = await refresh(there, token);
      assert.deepEqual([refused.status, refused.body.detail], [401, 'Token is blacklisted']);
    }
  }
});

test('of 50 refreshes of one token, spread over both, one wins', async () => {
  for (let round = 0; round < 3; round += 1) {
    const token = await logIn(one);
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) => refresh(index % 2 === 0 ? one : other, token)),
    );
    const winners = replies.filter(({ status }) => status === 200);
    assert.equal(winners.length, 1);
    assert.ok(replies.every(({ status }) => status === 200 || status === 401));
    assert.equal((await refresh(other, winners[0]?.body.refresh ?? '')).status, 200);
  }
});

/** A browser without a face, that keeps its cookies. */
class Visitor {
  readonly #cookies = new Map<string, string>();

  async visit(server: ServerProcess, path: string, form?: Record<string, string>) {
    const response = await fetch(`${server.url}${path}`, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const body = await response.text();
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1] ?? '';
    return { status: response.status, csrfmiddlewaretoken: token };
  }

  async logIn(server: ServerProcess): Promise<void> {
    const { csrfmiddlewaretoken } = await this.visit(server, '/admin/login/');
    const form = { username: 'ada', password: PASSWORD, csrfmiddlewaretoken };
    assert.equal((await this.visit(server, '/admin/login/', form)).status, 303);
  }

  async isIn(server: ServerProcess): Promise<boolean> {
    return (await this.visit(server, '/admin/')).status === 200;
  }
}

test('an admin who is logged in here is logged in there, and out there as well', async () => {
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    const visitor = new Visitor();
    await visitor.logIn(here);
    const copy = new Visitor();
    await copy.logIn(here);
    assert.deepEqual([await visitor.isIn(here), await visitor.isIn(there)], [true, true]);
    const { csrfmiddlewaretoken } = await visitor.visit(there, '/admin/');
    assert.ok((await visitor.visit(there, '/admin/logout/', { csrfmiddlewaretoken })).status < 400);
    assert.deepEqual([await visitor.isIn(here), await visitor.isIn(there)], [false, false]);
    assert.equal(await copy.isIn(there), true, 'another log-in goes on');
  }
});

test('when one is killed the other serves on, and knows all that was acknowledged', async () => {
  const tokens = await Promise.all(Array.from({ length: 10 }, () => logIn(one)));
  await Promise.all(
    tokens.slice(0, 5).map((token) => post(one, '/api/token/blacklist/', { refresh: token })),
  );
  process.kill(one.pid, 'SIGKILL');
  const statuses = await Promise.all(tokens.map(async (token) => (await refresh(other, token)).status));
  assert.deepEqual(statuses, [...Array(5).fill(401), ...Array(5).fill(200)]);
  await assert.rejects(one.stop());
  one = await startServer({ folder, settings: ROTATING });
  assert.equal((await refresh(one, tokens[0] ?? '')).status, 401);
});
