import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { newDatabase, onTwoConnections } from './database.fixture.ts';
import { lockName, lockRows } from './locks.ts';
import { type Database, statement } from './statement.ts';
import { inTransaction } from './transaction.ts';

/** The same is asked of both databases, and the answers are the same. */
let db: Database;
before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

const ACCOUNT = {
  password: '!',
  first_name: '',
  last_name: '',
  email: '',
  is_superuser: 0,
  is_staff: 1,
  is_active: 1,
} as const;

async function addAccount(base: Database, username: string, joined = '2026-03-04 05:06:07'): Promise<number> {
  const row = { ...ACCOUNT, username, date_joined: joined, last_login: null };
  const { id } = await base.insertInto('auth_user').values(row).returning('id').executeTakeFirstOrThrow();
  return id;
}

test('a row is read as it was written: booleans 0 and 1, times as texts to the microsecond', async () => {
  for (const date_joined of [
    '2026-11-23 15:02:57.163990',
    '2026-11-23 15:02:57',
    '2026-11-23 15:02:57.000001',
    '1970-01-01 00:00:00',
    '9999-12-31 23:59:59.999000',
  ]) {
    const id = await addAccount(db, date_joined, date_joined);
    const row = await db.selectFrom('auth_user').selectAll().where('id', '=', id).executeTakeFirst();
    assert.deepEqual(row, { id, ...ACCOUNT, username: date_joined, date_joined, last_login: null });
  }
});

test('a number of rows is a number, also of changed ones', async () => {
  const { rows } = await sql<{ count: number; sum: number }>`
    select count(*) as count, sum(id) as sum from auth_permission`.execute(db);
  assert.deepEqual(rows, [{ count: 32, sum: 528 }]);
  const { numUpdatedRows } = await db
    .updateTable('auth_permission')
    .set({ name: 'Can add log entry' })
    .where('id', '<', 3)
    .executeTakeFirstOrThrow();
  assert.equal(numUpdatedRows, 2n);
});

test('no number is too large to be asked for, and no text too odd', async () => {
  const byId = statement((base) => base.selectFrom('auth_user').select('id').where('id', '=', 0));
  for (const id of [2_147_483_648, -99_999_999_999, Number.MAX_SAFE_INTEGER, 4711, 2 ** 31]) {
    assert.deepEqual((await byId(db, id)).rows, []);
    assert.deepEqual(await db.selectFrom('auth_user').select('id').where('id', '=', id).execute(), []);
    assert.deepEqual((await sql`select id from auth_user where id = ${id} limit ${1}`.execute(db)).rows, []);
  }
  for (const name of ['a\0b', '\0', '\ud800', '"; drop table auth_user', `'`, '\\', '$1', '?']) {
    const found = await db.selectFrom('auth_user').select('id').where('username', '=', name).execute();
    assert.deepEqual(found, []);
  }
});

test('of two who read and then write under one name, none undoes what the other did', () =>
  onTwoConnections(async (one, other) => {
    const id = await addAccount(one, 'counter');
    const increase = (base: Database) =>
      inTransaction(base, async (trx) => {
        await lockName(trx, 'accounts');
        const { email } = await trx
          .selectFrom('auth_user')
          .select('email')
          .where('id', '=', id)
          .executeTakeFirstOrThrow();
        await trx
          .updateTable('auth_user')
          .set({ email: String(Number(email) + 1) })
          .where('id', '=', id)
          .execute();
      });
    await Promise.all(Array.from({ length: 20 }, (_, index) => increase(index % 2 === 0 ? one : other)));
    const row = await one.selectFrom('auth_user').select('email').where('id', '=', id).executeTakeFirst();
    assert.equal(row?.email, '20');
  }));

test('a locked row is not changed by another before the transaction ends', () =>
  onTwoConnections(async (one, other) => {
    const id = await addAccount(one, 'locked');
    const order: string[] = [];
    let change: Promise<unknown> | undefined;
    await inTransaction(one, async (trx) => {
      await lockRows(trx, 'auth_user', [id, 99_999_999_999]);
      change = other
        .updateTable('auth_user')
        .set({ email: 'x' })
        .where('id', '=', id)
        .execute()
        .then(() => order.push('change'));
      await pause(100);
      order.push('end');
    });
    await change;
    assert.deepEqual(order, ['end', 'change']);
  }));

test('two that come in the way of each other both get done', () =>
  onTwoConnections(async (one, other) => {
    const ids = [await addAccount(one, 'left'), await addAccount(one, 'right')] as const;
    let tries = 0;
    const changeBoth = (base: Database, order: readonly number[]) =>
      inTransaction(base, async (trx) => {
        tries += 1;
        for (const id of order) {
          await trx
            .updateTable('auth_user')
            .set({ email: String(order[0]) })
            .where('id', '=', id)
            .execute();
          await pause(50);
        }
      });
    await Promise.all([changeBoth(one, ids), changeBoth(other, ids.toReversed())]);
    const rows = await one.selectFrom('auth_user').select('email').where('id', 'in', ids).execute();
    assert.equal(new Set(rows.map(({ email }) => email)).size, 1);
    assert.ok(tries >= 2);
  }));

test('what is done in a transaction that fails is not done', async () => {
  const failing = inTransaction(db, async (trx) => {
    await addAccount(trx, 'never');
    throw new Error('enough');
  });
  await assert.rejects(failing, /enough/);
  const rows = await db.selectFrom('auth_user').select('id').where('username', '=', 'never').execute();
  assert.deepEqual(rows, []);
});
