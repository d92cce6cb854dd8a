import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { newDatabase } from '../../../db/database.fixture.ts';
import type { Database } from '../../../db/statement.ts';
import { settingsOf } from '../../../e2e/settings-of.ts';
import { recordOutstanding } from '../../tokens/store.ts';
import { startUpkeep } from './upkeep.ts';

let db: Database;
let errors: unknown[];
const logger = { error: (entry: unknown) => void errors.push(entry) };

beforeEach(async () => {
  db = await newDatabase();
  errors = [];
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(async () => {
  mock.timers.reset();
  await db.destroy();
});

const record = (jti: string) =>
  recordOutstanding(db, { jti, token: 'h.p', userId: null, createdAt: 1, expiresAt: 2 });

async function isGone(): Promise<boolean> {
  return (await db.selectFrom('token_blacklist_outstandingtoken').select('id').execute()).length === 0;
}

/** The one that no test takes the place of. */
const realTimeout = setTimeout;

const pause = (milliseconds: number) => new Promise<void>((resolve) => realTimeout(resolve, milliseconds));

/** Lets what the timers began come to its end: the database answers when it likes. */
async function settled(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const patience = performance.now() + 10_000;
  while (performance.now() < patience) {
    if (await isSo()) return true;
    await pause(1);
  }
  return false;
}

/** For what comes after what can be seen, which is that the next timer is set. */
const AFTERWARDS = 50;

test('what is over is deleted soon after the start and then each interval, and the history says so', async () => {
  const end = startUpkeep(db, settingsOf({ FLUSH_INTERVAL: '5m' }), logger);
  await record('a');
  mock.timers.tick(9_000);
  assert.equal(await isGone(), false);
  mock.timers.tick(1_000);
  assert.ok(await settled(isGone));
  const count = async () => (await db.selectFrom('jotgate_event').selectAll().execute()).length;
  assert.ok(await settled(async () => (await count()) === 1));
  await record('b');
  await pause(AFTERWARDS);
  mock.timers.tick(300_000);
  assert.ok(await settled(isGone));
  assert.ok(await settled(async () => (await count()) === 2));
  const [event] = await db.selectFrom('jotgate_event').select(['kind', 'reason', 'actor_name']).execute();
  assert.deepEqual(event, { kind: 'tokens_flushed', reason: '1 expired token', actor_name: '' });
  await end();
  assert.deepEqual(errors, []);
});

test('an interval of 0 is never, and one of a century overflows no timer', async () => {
  await record('a');
  const end = startUpkeep(db, settingsOf({ FLUSH_INTERVAL: '0' }), logger);
  mock.timers.tick(10_000_000);
  await end();
  const endLong = startUpkeep(db, settingsOf({ FLUSH_INTERVAL: '36500d' }), logger);
  mock.timers.tick(10_000);
  assert.ok(await settled(isGone));
  await pause(AFTERWARDS);
  await record('b');
  mock.timers.tick(1_000_000_000);
  assert.equal(await isGone(), false);
  await endLong();
});

test('what goes wrong is logged, and tried again', async () => {
  await db.schema.dropTable('token_blacklist_blacklistedtoken').execute();
  await record('a');
  const end = startUpkeep(db, settingsOf({ FLUSH_INTERVAL: '1m' }), logger);
  mock.timers.tick(10_000);
  assert.ok(await settled(() => errors.length === 1));
  await pause(AFTERWARDS);
  mock.timers.tick(60_000);
  assert.ok(await settled(() => errors.length === 2));
  await end();
});
