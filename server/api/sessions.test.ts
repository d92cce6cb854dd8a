import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { PASSWORD, startSite, type TestSite } from '../app.fixture.ts';
import type { SettingName } from '../settings.ts';

let site: TestSite;
afterEach(() => site.close());

async function start(env: Partial<Record<SettingName, string>> = {}): Promise<void> {
  site = await startSite(env);
  await site.addUser({ username: 'ada' });
  await site.addUser({ username: 'eve' });
}

async function obtain(username = 'ada', headers = {}) {
  const answer = await site.app.inject({
    method: 'POST',
    url: '/api/token/',
    headers: { 'user-agent': 'curl/8.5.0', ...headers },
    payload: { username, password: PASSWORD },
  });
  return { ...answer.json<{ access: string; refresh?: string }>(), answer };
}

function ask(method: 'GET' | 'DELETE', url: string, access: string) {
  return site.app.inject({ method, url, headers: { authorization: `Bearer ${access}` } });
}

const refresh = (token: unknown) =>
  site.app.inject({ method: 'POST', url: '/api/token/refresh/', payload: { refresh: token } });

describe('/api/sessions/', () => {
  test('lists one’s own sessions, the last used first, with device and address', async () => {
    await start({ CHECK_SESSION: 'true' });
    await obtain('eve');
    await obtain('ada', {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    });
    site.clock.now += 60;
    const { access } = await obtain();
    const sessions = (await ask('GET', '/api/sessions/', access)).json();
    assert.deepEqual(
      sessions.map(({ device, address, current, alive, started_at }: Record<string, unknown>) => [
        ...[device, address, current, alive, started_at],
      ]),
      [
        ['curl/8.5.0', '127.0.0.1', true, true, '2026-03-04T05:07:07.000Z'],
        ['Firefox on Linux', '127.0.0.1', false, true, '2026-03-04T05:06:07.000Z'],
      ],
    );
  });

  test('DELETE ends all but the one it is asked from', async () => {
    await start({ CHECK_SESSION: 'true' });
    const other = await obtain();
    const mine = await obtain();
    const eves = await obtain('eve');
    assert.deepEqual((await ask('DELETE', '/api/sessions/', mine.access)).json(), { ended: 1 });
    assert.equal((await refresh(other.refresh)).statusCode, 401);
    assert.equal((await ask('GET', '/api/me/', other.access)).statusCode, 401);
    assert.equal((await refresh(mine.refresh)).statusCode, 200);
    assert.equal((await refresh(eves.refresh)).statusCode, 200);
  });

  test('DELETE ends every one where tokens do not say which they are of', async () => {
    await start();
    const { access, refresh: token } = await obtain();
    assert.deepEqual((await ask('DELETE', '/api/sessions/', access)).json(), { ended: 1 });
    assert.equal((await refresh(token)).statusCode, 401);
    assert.equal((await ask('GET', '/api/me/', access)).statusCode, 200);
  });

  test('one can be looked at and ended, another’s is not there', async () => {
    await start({ CHECK_SESSION: 'true' });
    const mine = await obtain();
    const eves = await obtain('eve');
    const [{ sid }] = (await ask('GET', '/api/sessions/', mine.access)).json();
    const url = `/api/sessions/${sid}/`;
    assert.equal((await ask('GET', url, eves.access)).statusCode, 404);
    assert.equal((await ask('DELETE', url, eves.access)).statusCode, 404);
    assert.equal((await ask('GET', url, mine.access)).json().current, true);
    assert.deepEqual((await ask('DELETE', url, mine.access)).json(), { ended: 1 });
    assert.equal((await ask('GET', url, mine.access)).statusCode, 401);
    const events = await site.db
      .selectFrom('jotgate_event')
      .selectAll()
      .where('kind', '=', 'session_ended')
      .execute();
    assert.deepEqual(
      events.map(({ actor_name, object_name }) => [actor_name, object_name]),
      [['ada', 'ada']],
    );
  });

  test('wants a token', async () => {
    await start();
    for (const url of ['/api/sessions/', '/api/sessions/x/']) {
      assert.equal((await site.app.inject(url)).statusCode, 401);
    }
  });

  test('is a page as well', async () => {
    await start({ CHECK_SESSION: 'true' });
    const { access } = await obtain();
    const [{ sid, url }] = (await ask('GET', '/api/sessions/', access)).json();
    assert.equal(new URL(url).pathname, `/api/sessions/${sid}/`);
    const headers = { authorization: `Bearer ${access}`, accept: 'text/html' };
    const list = await site.app.inject({ url: '/api/sessions/', headers });
    assert.ok(list.body.includes(`<a href="${url}"`), 'each can be opened from there');
    const page = await site.app.inject({ url: `/api/sessions/${sid}/`, headers });
    assert.match(page.body, new RegExp(`action="/api/sessions/${sid}/"`));
    assert.match(page.body, new RegExp(`<a href="/api/sessions/${sid}/" aria-current="page">Session</a>`));
  });
});

describe('under AUTH_COOKIE', () => {
  const ENV = { AUTH_COOKIE: 'refresh', ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' };
  const WANTED = { 'x-refresh-cookie': '1' };
  const cookieOf = ({ headers }: { headers: Record<string, unknown> }) => String(headers['set-cookie']);

  const send = (path: string, headers: Record<string, string> = {}, payload: object = {}) =>
    site.app.inject({ method: 'POST', url: path, headers, payload });

  test('a page that asks for it gets the refresh token where no script reads it', async () => {
    await start(ENV);
    const { answer } = await obtain('ada', WANTED);
    assert.deepEqual(Object.keys(answer.json()), ['access']);
    assert.match(
      cookieOf(answer),
      /^refresh=eyJ[^;]+; Max-Age=86400; Path=\/api\/token\/; HttpOnly; SameSite=Strict$/,
    );
  });

  test('nothing changes for whoever does not ask, or where it is off', async () => {
    await start(ENV);
    const plain = await obtain();
    assert.deepEqual(Object.keys(plain.answer.json()), ['refresh', 'access']);
    assert.equal(plain.answer.headers['set-cookie'], undefined);
    await site.close();
    await start();
    const off = await obtain('ada', WANTED);
    assert.ok(off.refresh);
    assert.equal(off.answer.headers['set-cookie'], undefined);
  });

  test('refresh and log-out take it from the cookie, and give it back there', async () => {
    await start(ENV);
    const { answer } = await obtain('ada', WANTED);
    const cookie = cookieOf(answer).split(';')[0] as string;
    const refreshed = await send('/api/token/refresh/', { cookie });
    assert.deepEqual(Object.keys(refreshed.json()), ['access']);
    const next = cookieOf(refreshed).split(';')[0] as string;
    assert.notEqual(next, cookie);
    assert.equal((await send('/api/token/refresh/', { cookie })).statusCode, 401, 'it was rotated');
    const out = await send('/api/token/blacklist/', { cookie: next });
    assert.deepEqual([out.statusCode, out.json()], [200, {}]);
    assert.match(cookieOf(out), /^refresh=; Max-Age=0; Path=\/api\/token\//);
    assert.equal((await send('/api/token/refresh/', { cookie: next })).statusCode, 401);
  });

  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    test(`another site is refused: ${Object.keys(headers)}`, async () => {
      await start(ENV);
      const cookie = cookieOf((await obtain('ada', WANTED)).answer).split(';')[0] as string;
      assert.equal((await send('/api/token/refresh/', { cookie, ...headers })).statusCode, 403);
      assert.equal((await send('/api/token/blacklist/', { cookie, ...headers })).statusCode, 403);
      assert.equal((await obtain('ada', { ...WANTED, ...headers })).answer.statusCode, 403);
      assert.equal((await send('/api/token/refresh/', { cookie })).statusCode, 200);
    });
  }

  test('what the body says goes before the cookie', async () => {
    await start(ENV);
    const cookie = cookieOf((await obtain('ada', WANTED)).answer).split(';')[0] as string;
    assert.equal((await send('/api/token/refresh/', { cookie }, { refresh: 'x' })).statusCode, 401);
    assert.equal((await send('/api/token/refresh/', { cookie }, { refresh: '' })).statusCode, 400);
  });

  test('over https it is secure', async () => {
    await start({ ...ENV, TRUST_PROXY: '127.0.0.1' });
    const { answer } = await obtain('ada', { ...WANTED, 'x-forwarded-proto': 'https' });
    assert.match(cookieOf(answer), /^__Secure-refresh=[^;]+;.*; Secure; SameSite=Strict$/);
  });
});
