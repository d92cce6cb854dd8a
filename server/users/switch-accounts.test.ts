import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { switchAccounts } from './switch-accounts.ts';
import {
  acting,
  addRoot,
  addStaff,
  addUser,
  happened,
  newDatabase,
  refusal,
  reread,
} from './users.fixture.ts';

let db: Database;
let root: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  root = await addRoot(db);
});
afterEach(() => db.destroy());

test('those that are in the other state are switched, and each has it in its history', async () => {
  const users = [await addUser(db, 'on'), await addUser(db, 'off', { is_active: false })];
  const ids = [...users.map(({ id }) => id), 4711];
  const by = await acting(db, root);
  const off = await switchAccounts(db, by, 'deactivate', ids);
  assert.deepEqual(
    off.map(({ username }) => username),
    ['on'],
  );
  const on = await switchAccounts(db, by, 'activate', ids);
  assert.deepEqual(
    on.map(({ username }) => username),
    ['off', 'on'],
  );
  assert.deepEqual(await happened(db), [
    'user_changed of on by root; Active: yes -> no',
    'user_changed of off by root; Active: no -> yes',
    'user_changed of on by root; Active: no -> yes',
  ]);
});

test('as many as are given are switched', async () => {
  const rows = Array.from({ length: 1200 }, (_, index) => ({
    ...root,
    id: 1000 + index,
    username: `u${index}`,
  }));
  for (const row of rows)
    await db
      .insertInto('auth_user')
      .values({ ...row, is_superuser: 0 })
      .execute();
  const ids = rows.map(({ id }) => id);
  assert.equal((await switchAccounts(db, await acting(db, root), 'deactivate', ids)).length, 1200);
  const left = await db.selectFrom('auth_user').select('id').where('is_active', '=', 1).execute();
  assert.deepEqual(left, [{ id: root.id }]);
});

test('where one may not be switched none is', async () => {
  const manager = await addStaff(db, 'manager', 'auth.change_user');
  const user = await addUser(db, 'ada');
  const by = await acting(db, manager);
  for (const [id, reason] of [
    [root.id, 'Only a superuser may deactivate a superuser.'],
    [manager.id, 'You cannot deactivate your own account.'],
  ] as const) {
    assert.equal(await refusal(switchAccounts(db, by, 'deactivate', [user.id, id])), reason);
    assert.equal((await reread(db, user)).is_active, 1);
  }
  assert.deepEqual(await happened(db), []);
});
