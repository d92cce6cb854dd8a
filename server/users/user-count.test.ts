import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { newDatabase } from '../../db/database.fixture.ts';
import { countUsers } from './user-count.ts';

test('accounts are counted up to ten thousand', async () => {
  const db = await newDatabase();
  const add = (from: number, to: number) =>
    sql`with recursive numbers(n) as (select ${sql.lit(from)} union all select n + 1 from numbers where n < ${to})
      insert into auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, date_joined, first_name)
      select '!', false, 'u' || n, '', '', false, true, '2026-03-04 00:00:00', '' from numbers`.execute(db);
  assert.deepEqual(await countUsers(db), { total: 0, isMore: false });
  await add(1, 10_000);
  assert.deepEqual(await countUsers(db), { total: 10_000, isMore: false });
  await add(10_001, 10_001);
  assert.deepEqual(await countUsers(db), { total: 10_000, isMore: true });
  await db.destroy();
});
