import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import {
  endAdminSession,
  endAdminSessionsOf,
  findAdminSession,
  isSessionOf,
  keepOnlyAdminSession,
  purgeAdminSessions,
  startAdminSession,
} from './admin-sessions.ts';

const LIMITS = { idle: 3_600, lifetime: 43_200 };
const PLACE = { address: '192.0.2.1', userAgent: 'Browser' };
const START = Date.UTC(2026, 2, 4, 5, 6, 7);
const after = (seconds: number) => new Date(START + seconds * 1000);

let db: Database;
let ada: UserRow;
beforeEach(async () => {
  db = await newDatabase();
  ada = await db
    .insertInto('auth_user')
    .values({
      ...{ username: 'ada', password: 'hash', email: '', first_name: '', last_name: '', last_login: null },
      ...{ is_staff: 1, is_active: 1, is_superuser: 0, date_joined: '2026-01-01 00:00:00' },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
});
afterEach(() => db.destroy());

const start = (at = 0) => startAdminSession(db, ada, PLACE, after(at));
const find = (key: string, at: number) => findAdminSession(db, key, LIMITS, after(at));

test('a session is found by its key alone, and the key is stored nowhere', async () => {
  const key = await start();
  const session = await find(key, 1);
  assert.deepEqual(
    [session?.user_id, session?.address, session?.user_agent],
    [ada.id, '192.0.2.1', 'Browser'],
  );
  assert.equal(await find(`${key}x`, 1), null);
  assert.equal(await find(session?.key_hash ?? '', 1), null);
  assert.doesNotMatch(JSON.stringify(session), new RegExp(key));
});

test('two sessions have two keys, of 256 bits each', async () => {
  const keys = [await start(), await start()];
  assert.notEqual(keys[0], keys[1]);
  for (const key of keys) assert.equal(Buffer.from(key, 'base64url').length, 32);
});

test('it ends when nothing was done for too long, to the second', async () => {
  const key = await start();
  assert.ok(await find(key, 3_599));
  assert.ok(await find(key, 3_599 + 3_599));
  assert.equal(await find(key, 3_599 + 3_599 + 3_600), null);
  assert.equal(await find(key, 3_599 + 3_599 + 1), null, 'what is over does not come back');
});

test('it ends at the end of its lifetime, whatever was done', async () => {
  const key = await start();
  for (let at = 3_000; at < LIMITS.lifetime; at += 3_000) assert.ok(await find(key, at), `${at}`);
  assert.equal(await find(key, LIMITS.lifetime), null);
});

test('the last request is noted now and then, not each time', async () => {
  const key = await start();
  await find(key, 10);
  assert.equal((await find(key, 20))?.last_seen_at, '2026-03-04 05:06:07');
  await find(key, 40);
  assert.equal((await find(key, 41))?.last_seen_at, '2026-03-04 05:06:47');
});

describe('it is its owner’s only while he is', () => {
  for (const [what, change] of [
    ['staff', { is_staff: 0 }],
    ['active', { is_active: 0 }],
    ['of the same password', { password: 'another' }],
    ['himself', { id: 99 }],
  ] as const) {
    test(what, async () => {
      const session = await find(await start(), 1);
      assert.ok(session);
      assert.equal(isSessionOf(session, ada), true);
      assert.equal(isSessionOf(session, { ...ada, ...change }), false);
    });
  }
});

test('one can be ended, or all of some users', async () => {
  const [first, second] = [await start(), await start()];
  await endAdminSession(db, (await find(first, 1))?.id ?? 0);
  assert.deepEqual([await find(first, 1), (await find(second, 1))?.user_id], [null, ada.id]);
  await endAdminSessionsOf(db, []);
  assert.ok(await find(second, 1));
  await endAdminSessionsOf(db, [ada.id]);
  assert.equal(await find(second, 1), null);
});

test('an own change of password keeps this session and ends the others', async () => {
  const [mine, other] = [await start(), await start()];
  const session = await find(mine, 1);
  assert.ok(session);
  await keepOnlyAdminSession(db, session, 'new hash');
  const kept = await find(mine, 1);
  assert.ok(kept && isSessionOf(kept, { ...ada, password: 'new hash' }));
  assert.equal(await find(other, 1), null);
});

test('what nobody came back to is purged, and only that', async () => {
  const [old, fresh] = [await start(), await start(3_000)];
  await purgeAdminSessions(db, LIMITS, after(3_600));
  const rows = await db.selectFrom('jotgate_admin_session').select('id').execute();
  assert.equal(rows.length, 1);
  assert.equal(await find(old, 3_600), null);
  assert.ok(await find(fresh, 3_600));
});

test('it goes with its user, by whatever program he is deleted', async () => {
  await start();
  await db.deleteFrom('auth_user').execute();
  assert.deepEqual(await db.selectFrom('jotgate_admin_session').selectAll().execute(), []);
});
