import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { Origin } from '../audit/record.ts';
import { blacklistOutstanding, countRevivable, restoreBlacklisted } from './blacklist.ts';
import { obtainPair } from './issue.ts';
import { refreshPair } from './refresh.ts';
import { isBlacklisted, recordOutstanding } from './store.ts';
import { contextAt, newDatabase, newUser, refusalOf, START } from './tokens.fixture.ts';

const NOW = new Date(START * 1000);
const ORIGIN: Origin = { via: 'admin', actor: { id: 1, name: 'root' }, address: '192.0.2.1' };
let db: Database;

beforeEach(async () => {
  db = await newDatabase();
  await newUser(db, 'root');
});
afterEach(() => db.destroy());

function record(jti: string, expiresAt = START + 60) {
  return recordOutstanding(db, { jti, token: 'e30.e30', userId: null, createdAt: START, expiresAt });
}

const rows = () => db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute();

const events = async () =>
  (await db.selectFrom('jotgate_event').selectAll().execute()).map(
    ({ kind, object_type, object_id, object_name }) => [kind, object_type, object_id, object_name],
  );

test('a token is put on the blacklist once, expired or not', async () => {
  await record('a');
  await record('over', START - 60);
  assert.equal(await blacklistOutstanding(db, 1, NOW, ORIGIN), 'revoked');
  assert.equal(await blacklistOutstanding(db, 1, new Date(NOW.getTime() + 5_000), ORIGIN), 'already');
  assert.equal(await blacklistOutstanding(db, 2, NOW, ORIGIN), 'revoked');
  assert.equal(await blacklistOutstanding(db, 3, NOW, ORIGIN), 'gone');
  assert.deepEqual(
    (await rows()).map(({ token_id, blacklisted_at }) => [token_id, blacklisted_at]),
    [
      [1, '2026-03-04 05:06:07.250000'],
      [2, '2026-03-04 05:06:07.250000'],
    ],
  );
  assert.deepEqual(await events(), [
    ['token_blacklisted', 'outstandingtoken', '1', 'a'],
    ['token_blacklisted', 'outstandingtoken', '2', 'over'],
  ]);
});

test('twenty at once make one row and one event, and one of them is told that it did', async () => {
  await record('a');
  const results = await Promise.all(
    Array.from({ length: 20 }, () => blacklistOutstanding(db, 1, NOW, ORIGIN)),
  );
  assert.equal(results.filter((result) => result === 'revoked').length, 1);
  assert.equal(results.filter((result) => result === 'already').length, 19);
  assert.equal((await rows()).length, 1);
  assert.equal((await events()).length, 1);
});

test('a revoked token is refused, and works again once it is taken off the blacklist', async () => {
  const context = contextAt(settingsOf());
  const { refresh } = await obtainPair(db, context, await newUser(db, 'ada'));
  await blacklistOutstanding(db, 1, NOW, ORIGIN);
  assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
  assert.equal(await restoreBlacklisted(db, [1], NOW, ORIGIN), 1);
  assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), undefined);
});

test('entries are taken off the blacklist by their own ids, and those that are gone are not counted', async () => {
  for (const jti of ['a', 'b', 'c']) await record(jti);
  for (const id of [3, 1]) await blacklistOutstanding(db, id, NOW, ORIGIN);
  assert.equal(await restoreBlacklisted(db, [], NOW, ORIGIN), 0);
  assert.equal(await restoreBlacklisted(db, [1, 7, 1], NOW, ORIGIN), 1);
  assert.deepEqual([await isBlacklisted(db, 'a'), await isBlacklisted(db, 'c')], [true, false]);
  assert.deepEqual((await events()).at(-1), ['token_restored', 'outstandingtoken', '3', 'c']);
  assert.equal(await restoreBlacklisted(db, [1, 2], NOW, ORIGIN), 1);
  assert.deepEqual(await rows(), []);
});

test('how many of some tokens would work again without their entries', async () => {
  await record('a');
  await record('over', START);
  await record('b', START + 0.5);
  for (const id of [1, 2, 3]) await blacklistOutstanding(db, id, NOW, ORIGIN);
  assert.equal(await countRevivable(db, [1, 2, 3, 3, 99], NOW), 2);
  assert.equal(await countRevivable(db, [], NOW), 0);
});

test('of twenty that take one entry away at once, one does, and nothing is recorded twice', async () => {
  await record('a');
  await blacklistOutstanding(db, 1, NOW, ORIGIN);
  const counts = await Promise.all(
    Array.from({ length: 20 }, () => restoreBlacklisted(db, [1], NOW, ORIGIN)),
  );
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    1,
  );
  assert.equal((await events()).filter(([kind]) => kind === 'token_restored').length, 1);
});

test('more entries than one query is asked about', async () => {
  await db.transaction().execute(async (trx) => {
    for (let number = 1; number <= 1_100; number += 1) {
      await recordOutstanding(trx, {
        jti: String(number),
        token: 'e30.e30',
        userId: null,
        createdAt: START,
        expiresAt: START + 60,
      });
      await blacklistOutstanding(trx, number, NOW, ORIGIN);
    }
  });
  const ids = (await rows()).map(({ id }) => id);
  assert.equal(await restoreBlacklisted(db, ids, NOW, ORIGIN), 1_100);
  assert.deepEqual(await rows(), []);
});
