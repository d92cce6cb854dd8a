import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { changePassword } from './change-password.ts';
import { unusablePassword } from './hashers.ts';
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

test('a password is changed, and the history says so without it', async () => {
  const user = await addUser(db, 'ada');
  await changePassword(db, await acting(db, root), user.id, 'new-hash');
  assert.equal((await reread(db, user)).password, 'new-hash');
  assert.deepEqual(await happened(db), ['password_changed of ada by root']);
  const rows = await db.selectFrom('jotgate_event').selectAll().execute();
  assert.ok(!JSON.stringify(rows).includes('new-hash'));
});

test('who may not, and an account that is gone, are refused', async () => {
  const manager = await addStaff(db, 'manager', 'auth.change_user');
  const by = await acting(db, manager);
  assert.equal(
    await refusal(changePassword(db, by, root.id, 'new-hash')),
    'Only a superuser may set the password of a superuser.',
  );
  assert.equal(await refusal(changePassword(db, by, 4711, 'new-hash')), 'not_found');
  assert.equal((await reread(db, root)).password, 'hash-of-root');
});

test('the last superuser who can log in keeps a password', async () => {
  const LAST =
    'This would leave no active superuser who can log in. Make another superuser first, then try again.';
  const by = await acting(db, root);
  assert.equal(await refusal(changePassword(db, by, root.id, unusablePassword())), LAST);
  assert.equal((await reread(db, root)).password, 'hash-of-root');
  assert.equal(await refusal(changePassword(db, by, root.id, 'another')), null);
  const second = await addRoot(db, 'second');
  assert.equal(await refusal(changePassword(db, by, second.id, unusablePassword())), null);
  assert.equal(await refusal(changePassword(db, by, root.id, unusablePassword())), LAST);
});
