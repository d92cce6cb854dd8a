import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { countAlive } from './alive-count.ts';
import { newDatabase, START } from './tokens.fixture.ts';

test('tokens are counted that are neither expired nor revoked, up to where it matters', async () => {
  const db = await newDatabase();
  const now = new Date(START * 1000);
  assert.deepEqual(await countAlive(db, now), { total: 0, isMore: false });
  for (const [from, to, expiry] of [
    [1, 9_000, '2026-03-05 00:00:00'],
    [9_001, 20_500, '2026-03-04 00:00:00'],
  ] as const) {
    await sql`
      with recursive numbers(n) as (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${to})
      insert into token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
      select 'x', null, ${expiry}, null, 'j' || n from numbers`.execute(db);
  }
  assert.deepEqual(await countAlive(db, now), { total: 9_000, isMore: false });
  await sql`
    insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
    select '2026-03-04 00:00:00', id from token_blacklist_outstandingtoken where id % 3 = 0`.execute(db);
  assert.deepEqual(await countAlive(db, now), { total: 6_000, isMore: false });
  await sql`update token_blacklist_outstandingtoken set expires_at = '2026-03-06 00:00:00'`.execute(db);
  assert.deepEqual(await countAlive(db, now), { total: 10_000, isMore: true });
  // Nearly all revoked: not all are looked at, and what is counted is no more than what is sure.
  await sql`insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
    select '2026-03-04 00:00:00', id from token_blacklist_outstandingtoken where id % 100 <> 0
    on conflict do nothing`.execute(db);
  const { total, isMore } = await countAlive(db, now);
  assert.ok(isMore && total > 100 && total < 205, String(total));
  await db.destroy();
});
