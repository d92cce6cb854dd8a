import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { SettingName } from '../settings.ts';
import { listKeys } from '../tokens/keys/key-list.ts';
import { PASSWORD, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

const KEYS = '/admin/keys/';
const RING = { KEY_RING: 'true', ALGORITHM: 'ES256' } as const;

let admin: TestAdmin;
let root: Visitor;

async function open(env: Partial<Record<SettingName, string>> = RING): Promise<void> {
  admin = await startAdmin(env);
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  await admin.addUser({ username: 'clerk', is_staff: true });
  root = await admin.visitor('root');
}
afterEach(() => admin.close());

const keys = async () => (await listKeys(admin.db, new Date(admin.clock.now * 1000)))?.keys ?? [];
const states = async () => (await keys()).map(({ state }) => state).join(' ');
const version = async () => String((await listKeys(admin.db, new Date()))?.version);

async function obtain(): Promise<{ access: string; refresh: string }> {
  const payload = { username: 'root', password: PASSWORD };
  return (await admin.app.inject({ method: 'POST', url: '/api/token/', payload })).json();
}

async function verify(token: string): Promise<number> {
  return (await admin.app.inject({ method: 'POST', url: '/api/token/verify/', payload: { token } }))
    .statusCode;
}

/** Presses a button of the page, and gives the message on the page that follows. */
async function press(action: string, more: Record<string, string> = {}): Promise<string> {
  await root.get(KEYS);
  const answer = await root.post(KEYS, { action, version: await version(), ...more });
  assert.deepEqual([answer.statusCode, answer.headers.location], [303, KEYS]);
  return shownMessage((await root.get(KEYS)).body) ?? '';
}

describe('without a ring', () => {
  test('the page says what signs and how to switch one on', async () => {
    await open({});
    const { statusCode, body } = await root.get(KEYS);
    assert.equal(statusCode, 200);
    assert.match(body, /Tokens are signed with SECRET_KEY \(HS256\)/);
    assert.match(body, /KEY_RING=true/);
  });

  test('the page of a server that only verifies says so', async () => {
    await open({ ALGORITHM: 'ES256', JWK_URL: 'http://127.0.0.1:9/' });
    assert.match((await root.get(KEYS)).body, /verifies tokens and signs none/);
  });

  test('nothing can be changed', async () => {
    await open({});
    await root.get(KEYS);
    const answer = await root.post(KEYS, { action: 'rotate' });
    assert.equal(answer.headers.location, KEYS);
    assert.match(shownMessage((await root.get(KEYS)).body) ?? '', /KEY_RING is off/);
    for (const path of ['1/retire/', '1/withdraw/'])
      assert.equal((await root.get(KEYS + path)).statusCode, 404);
  });
});

test('superusers alone see the keys', async () => {
  await open();
  const clerk = await admin.visitor('clerk');
  for (const path of ['', '1/retire/', '1/withdraw/']) {
    assert.equal((await clerk.get(KEYS + path)).statusCode, 403, path);
    assert.equal((await clerk.post(KEYS + path, { action: 'rotate' })).statusCode, 403, path);
  }
  assert.doesNotMatch((await clerk.get('/admin/')).body, /Signing keys/);
  assert.match((await root.get('/admin/')).body, /<a href="\/admin\/keys\/">Signing keys<\/a>/);
  assert.equal(await states(), 'active standby');
});

test('the list shows each key, its state, what hangs on it, and never its private half', async () => {
  await open();
  await obtain();
  await obtain();
  await press('rotate');
  const { body } = await root.get(KEYS);
  for (const { kid } of await keys()) assert.ok(body.includes(`<code>${kid}</code>`), kid);
  const cells = [...body.matchAll(/<td [^>]*>(?:<span class="badge badge-\w+">)?([\w,–-]+)(?=<)/g)].map(
    ([, text]) => text,
  );
  assert.deepEqual(
    cells.filter((text) => text !== ''),
    ['active', '0', 'standby', '–', 'retiring', '2'],
  );
  const rows = await admin.db.selectFrom('jotgate_signing_key').select('sealed_key').execute();
  for (const { sealed_key } of rows) assert.ok(!body.includes(sealed_key ?? ' '));
  assert.doesNotMatch(body, /PRIVATE KEY/);
});

describe('a button', () => {
  test('rotates, and logs nobody out; another undoes it', async () => {
    await open();
    const before = await obtain();
    assert.match(await press('rotate'), /^The next key signs now\./);
    assert.equal(await states(), 'active standby retiring');
    const after = await obtain();
    for (const { access } of [before, after]) assert.equal(await verify(access), 200);
    assert.match(await press('undo'), /^The last key signs again\./);
    for (const { access } of [before, after]) assert.equal(await verify(access), 200);
    assert.equal(await states(), 'active standby standby');
    assert.doesNotMatch((await root.get(KEYS)).body, /Undo the last rotation/);
    assert.match(await press('undo'), /no rotation to undo/);
  });

  test('adds a key that stands by', async () => {
    await open();
    assert.match(await press('standby'), /One more key stands by/);
    assert.equal(await states(), 'active standby standby');
  });

  test('that is pressed twice, or on a page from before, does it once', async () => {
    await open();
    const seen = await version();
    await root.get(KEYS);
    await root.post(KEYS, { action: 'rotate', version: seen });
    await root.post(KEYS, { action: 'rotate', version: seen });
    assert.match(shownMessage((await root.get(KEYS)).body) ?? '', /Somebody else changed the keys/);
    assert.equal(await states(), 'active standby retiring');
  });

  for (const form of [{}, { action: 'nonsense' }, { action: 'restore' }, { action: 'restore', key: '99' }]) {
    test(`that there is none of changes nothing: ${JSON.stringify(form)}`, async () => {
      await open();
      await root.get(KEYS);
      assert.equal((await root.post(KEYS, form)).statusCode, 303);
      assert.equal(await states(), 'active standby');
    });
  }
});

describe('retiring', () => {
  test('asks first, says what hangs on the key, and can be undone', async () => {
    await open();
    const { refresh } = await obtain();
    await press('rotate');
    const { body } = await root.get(`${KEYS}1/retire/`);
    assert.match(body, /1 live refresh or sliding token hangs on the key [0-9a-f]{16}\./);
    assert.equal(await verify(refresh), 200);
    await root.post(`${KEYS}1/retire/`, { version: await version() });
    assert.equal(await verify(refresh), 401);
    assert.match((await root.get(KEYS)).body, />Restore</);
    assert.match(await press('restore', { key: '1' }), /verifies again/);
    assert.equal(await verify(refresh), 200);
  });

  test('of a key that signs is refused with a word', async () => {
    await open();
    await root.get(`${KEYS}1/retire/`);
    await root.post(`${KEYS}1/retire/`, { version: await version() });
    assert.match(shownMessage((await root.get(KEYS)).body) ?? '', /The key is active/);
  });
});

describe('withdrawing', () => {
  test('asks first, says how many tokens die, and ends them at once', async () => {
    await open();
    const tokens = [await obtain(), await obtain(), await obtain()];
    const { body } = await root.get(`${KEYS}1/withdraw/`);
    assert.match(body, /3 live refresh and sliding tokens hang on the key/);
    assert.match(body, /access tokens die before their time/);
    assert.match(body, /the next one takes over/);
    assert.match(body, /This cannot be undone/);
    const answer = await root.post(`${KEYS}1/withdraw/`, { version: await version() });
    assert.equal(answer.headers.location, KEYS);
    for (const { access, refresh } of tokens) {
      assert.equal(await verify(access), 401);
      assert.equal(await verify(refresh), 401);
    }
    assert.equal(await verify((await obtain()).access), 200);
    assert.equal(await states(), 'active standby withdrawn');
  });

  test('of a key that is not there is 404', async () => {
    await open();
    for (const id of ['99', 'x', '0']) {
      assert.equal((await root.get(`${KEYS}${id}/withdraw/`)).statusCode, 404, id);
    }
  });
});

test('who changed the keys stands in the history', async () => {
  await open();
  await press('rotate');
  const event = await admin.db
    .selectFrom('jotgate_event')
    .selectAll()
    .where('kind', '=', 'key_rotated')
    .executeTakeFirstOrThrow();
  assert.deepEqual([event.via, event.actor_name, event.object_type], ['admin', 'root', 'signingkey']);
  assert.match((await root.get('/admin/history/')).body, /Signing key rotated/);
  assert.deepEqual(await admin.db.selectFrom('django_admin_log').selectAll().execute(), []);
});

test('the key of tokens without a kid is called so, and can be retired and withdrawn as well', async () => {
  await open();
  const at = '2026-03-04 05:06:07';
  await admin.db
    .insertInto('jotgate_signing_key')
    .values({
      ...{ kid: '', algorithm: 'HS256', state: 'retiring', public_key: '', token_lifetime: 86_400 },
      ...{ created_at: at, retiring_at: at, expires_at: '2026-03-05 05:06:07' },
    })
    .execute();
  assert.match((await root.get(KEYS)).body, /without a kid/);
  assert.match((await root.get(`${KEYS}3/withdraw/`)).body, /hangs on the key without a kid/);
  await root.post(`${KEYS}3/retire/`, { version: await version() });
  await root.post(`${KEYS}3/withdraw/`, { version: await version() });
  assert.equal(await states(), 'active standby withdrawn');
});
