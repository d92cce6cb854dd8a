import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { addToBlacklist, isBlacklisted, recordOutstanding } from './store.ts';
import { newDatabase, newUser, recorded, START } from './tokens.fixture.ts';

const AT = new Date(START * 1000);
let db: Database;
let user: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
afterEach(() => db.destroy());

function record(jti: string, expiresAt = START + 60, token = `header.${jti}`) {
  return recordOutstanding(db, { jti, token, userId: user.id, createdAt: START, expiresAt });
}

test('a token is recorded in the formats of Django', async () => {
  await record('a', START + 60.75);
  await recordOutstanding(db, {
    jti: 'b',
    token: 'h.b',
    userId: null,
    createdAt: 0,
    expiresAt: 253_402_300_799,
  });
  assert.deepEqual(await recorded(db), [
    {
      jti: 'a',
      token: 'header.a',
      user_id: user.id,
      created_at: '2026-03-04 05:06:07.250000',
      expires_at: '2026-03-04 05:07:08',
      blacklisted_at: null,
    },
    {
      jti: 'b',
      token: 'h.b',
      user_id: null,
      created_at: '1970-01-01 00:00:00',
      expires_at: '9999-12-31 23:59:59',
      blacklisted_at: null,
    },
  ]);
});

test('a second record of an id changes nothing', async () => {
  await record('a');
  const before = await recorded(db);
  await record('a', START + 999, 'other');
  assert.deepEqual(await recorded(db), before);
});

test('the blacklist goes by the id, to the letter', async () => {
  await record('abc');
  await record('abd');
  assert.equal(await addToBlacklist(db, 'abc', AT), true);
  assert.equal(await isBlacklisted(db, 'abc'), true);
  for (const other of ['abd', 'ABC', ' abc', 'abc ', 'abc\0', 'ab%', 'ab_', '', "abc' or '1'='1"]) {
    assert.equal(await isBlacklisted(db, other), false, JSON.stringify(other));
  }
});

test('twice is one row, and the second is told so', async () => {
  await record('a');
  assert.equal(await addToBlacklist(db, 'a', AT), true);
  assert.equal(await addToBlacklist(db, 'a', new Date(AT.getTime() + 5_000)), false);
  const rows = await db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute();
  assert.deepEqual(
    rows.map((row) => row.blacklisted_at),
    ['2026-03-04 05:06:07.250000'],
  );
});

test('twenty at once make one row, and one of them is told that it did', async () => {
  await record('a');
  const results = await Promise.all(Array.from({ length: 20 }, () => addToBlacklist(db, 'a', AT)));
  assert.equal(results.filter(Boolean).length, 1);
  assert.equal((await db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute()).length, 1);
});

test('what was never recorded cannot be put on the blacklist', async () => {
  assert.equal(await addToBlacklist(db, 'unknown', AT), false);
  assert.equal(await isBlacklisted(db, 'unknown'), false);
});
