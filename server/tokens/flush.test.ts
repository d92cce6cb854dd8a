import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { findAdminSession, startAdminSession } from '../sessions/admin-sessions.ts';
import { makeSetupKey } from '../sessions/setup-keys.ts';
import { flushExpired, flushExpiredTokens } from './flush.ts';
import { addToBlacklist, isBlacklisted, recordOutstanding } from './store.ts';
import { newDatabase, newUser, recorded, START, signed } from './tokens.fixture.ts';

const SETTINGS = settingsOf();
const AT = new Date(START * 1000);
let db: Database;
let user: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
afterEach(() => db.destroy());

function record(jti: string, expiresAt: number, { token = `header.${jti}`, createdAt = START } = {}) {
  return recordOutstanding(db, { jti, token, userId: user.id, createdAt, expiresAt });
}

const left = async () =>
  (await recorded(db)).map(({ jti, blacklisted_at }) => [jti, blacklisted_at !== null]);

/** Records many tokens that are over, every third of them revoked, and one that is not. */
async function recordMany(count: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (let index = 0; index < count; index += 1) {
      const expiresAt = START - 1_000 + (index % 7);
      const jti = `over${index}`;
      await recordOutstanding(trx, { jti, token: 'h.p', userId: user.id, createdAt: START, expiresAt });
      if (index % 3 === 0) await addToBlacklist(trx, jti, AT);
    }
  });
  await record('fresh', START + 60);
  await addToBlacklist(db, 'fresh', AT);
}

describe('expired tokens', () => {
  test('are forgotten, and nothing else', async () => {
    await record('long over', START - 86_400);
    await record('over now', START);
    await record('a hair left', START + 0.001);
    await record('fresh', START + 60);
    for (const jti of ['long over', 'over now', 'fresh']) await addToBlacklist(db, jti, AT);
    assert.equal(await flushExpiredTokens(db, SETTINGS, AT), 2);
    assert.deepEqual(await left(), [
      ['a hair left', false],
      ['fresh', true],
    ]);
    assert.equal(await isBlacklisted(db, 'fresh'), true);
    assert.equal((await db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute()).length, 1);
    assert.equal(await flushExpiredTokens(db, SETTINGS, AT), 0);
  });

  test('a moment later in the same second is later, whether the stored time has a fraction or not', async () => {
    await record('whole', Math.floor(START));
    await record('fraction', Math.floor(START) + 0.5);
    const flushAt = (milliseconds: number) =>
      flushExpiredTokens(db, SETTINGS, new Date(Math.floor(START) * 1000 + milliseconds));
    assert.deepEqual(
      [await flushAt(-1), await flushAt(0), await flushAt(499), await flushAt(500)],
      [0, 1, 0, 1],
    );
  });

  test('are kept for as long as LEEWAY lets them pass: a revoked one must not come back', async () => {
    await record('revoked', START - 30);
    await addToBlacklist(db, 'revoked', AT);
    assert.equal(await flushExpiredTokens(db, settingsOf({ LEEWAY: '60' }), AT), 0);
    assert.equal(await isBlacklisted(db, 'revoked'), true);
    assert.equal(await flushExpiredTokens(db, settingsOf({ LEEWAY: '30' }), AT), 1);
  });

  test('a sliding one that Django recorded with its first end is kept while it can be renewed', async () => {
    const sliding = signed({ token_type: 'sliding', jti: 'x', user_id: '1' }, 'k');
    await record('renewable', START - 60, { token: sliding, createdAt: START - 360 });
    await record('long over', START - 60, { token: sliding, createdAt: START - 2 * 86_400 });
    assert.equal(await flushExpiredTokens(db, SETTINGS, AT), 1);
    assert.deepEqual(await left(), [['renewable', false]]);
  });
});

describe('batches', () => {
  test('many are forgotten to the last, with those of the same moment and those that are kept among them', async () => {
    await recordMany(1_501);
    const sliding = signed({ token_type: 'sliding', jti: 'x', user_id: '1' }, 'k');
    for (let index = 0; index < 60; index += 1) {
      await record(`kept${index}`, START - 998, { token: sliding, createdAt: START - 1_300 });
    }
    assert.equal(await flushExpiredTokens(db, SETTINGS, AT), 1_501);
    assert.equal((await left()).length, 61);
    assert.deepEqual(
      (await left()).filter(([, blacklisted]) => blacklisted),
      [['fresh', true]],
    );
  });

  test('are small, and leave whoever waits a turn in between', async () => {
    await recordMany(900);
    const progress: number[] = [];
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await flushExpiredTokens(db, SETTINGS, AT, { onProgress: (count) => progress.push(count) });
    clearInterval(timer);
    const sizes = progress.map((count, index) => count - (progress[index - 1] ?? 0));
    assert.equal(progress.at(-1), 900);
    assert.ok(Math.max(...sizes) <= 500, sizes.join());
    assert.ok(turns >= sizes.length - 1, `${turns} turns in ${sizes.length} batches`);
  });

  test('stop when they are told to', async () => {
    await recordMany(900);
    const flushed = await flushExpiredTokens(db, SETTINGS, AT, { isOver: () => true });
    assert.ok(flushed > 0 && flushed < 500);
    assert.equal((await left()).length, 901 - flushed);
  });

  test('of two at the same time neither fails, and together they forget all', async () => {
    await recordMany(900);
    const counts = await Promise.all([1, 2].map(() => flushExpiredTokens(db, SETTINGS, AT)));
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 900);
    assert.deepEqual(await left(), [['fresh', true]]);
  });
});

test('with them go the admin sessions and set-up keys whose time is over', async () => {
  const place = { address: '', userAgent: '' };
  const before = (seconds: number) => new Date(AT.getTime() - seconds * 1000);
  await startAdminSession(db, user, place, before(3_600));
  const key = await startAdminSession(db, user, place, before(60));
  await makeSetupKey(db, before(1_700));
  await makeSetupKey(db, before(10));
  const later = new Date(AT.getTime() + 120_000);
  await record('over', START + 60);
  assert.equal(await flushExpired(db, SETTINGS, later), 1);
  const sessions = await db.selectFrom('jotgate_admin_session').selectAll().execute();
  assert.equal(sessions.length, 1);
  assert.notEqual(await findAdminSession(db, key, { idle: 3_600, lifetime: 43_200 }, later), null);
  assert.equal((await db.selectFrom('jotgate_setup_key').selectAll().execute()).length, 1);
});
