import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { addAccount, addSuperuser } from './add-account.ts';
import { acting, addRoot, addStaff, addUser, happened, NOW, newDatabase, refusal } from './users.fixture.ts';
import { createUser } from './users.ts';

const NEEDS_BOTH =
  'To add users, an account needs both the “Can add user” and the “Can change user” permission.';

let db: Database;
let root: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  root = await addRoot(db);
});
afterEach(() => db.destroy());

test('an account that was added may do nothing yet', async () => {
  const manager = await addStaff(db, 'manager', 'auth.add_user', 'auth.change_user');
  const user = await addAccount(db, await acting(db, manager), { username: 'Ａda', passwordHash: '!x' });
  const { is_active, is_staff, is_superuser, date_joined } = user;
  assert.deepEqual(
    [user.username, is_active, is_staff, is_superuser, date_joined],
    ['Ada', 1, 0, 0, '2026-03-04 05:06:07.089000'],
  );
  assert.deepEqual(await happened(db), ['user_added of Ada by manager']);
});

test('whoever may not both add and change users adds none', async () => {
  for (const key of ['auth.add_user', 'auth.change_user']) {
    const staff = await addStaff(db, key.replace('.', '_'), key);
    const call = addAccount(db, await acting(db, staff), { username: 'ada', passwordHash: '!x' });
    assert.equal(await refusal(call), NEEDS_BOTH);
  }
  assert.deepEqual(await happened(db), []);
});

test('a name is refused that differs from another in case only, or is none', async () => {
  await addUser(db, 'Ada');
  const by = await acting(db, root);
  for (const add of [addAccount, addSuperuser]) {
    assert.deepEqual(await refusal(add(db, by, { username: 'aDa', passwordHash: '!x' })), {
      username: ['A user with that username already exists.'],
    });
    assert.deepEqual(await refusal(add(db, by, { username: 'a b', passwordHash: '!x' })), {
      username: [
        'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      ],
    });
  }
});

test('a superuser is made by a superuser alone', async () => {
  const user = await addSuperuser(db, await acting(db, root), {
    username: 'second',
    email: 'second@EXAMPLE.com',
    passwordHash: '!x',
  });
  assert.deepEqual(
    [user.is_active, user.is_staff, user.is_superuser, user.email],
    [1, 1, 1, 'second@example.com'],
  );
  assert.deepEqual(await happened(db), ['superuser_created of second by root']);
  const manager = await addStaff(db, 'manager', 'auth.add_user', 'auth.change_user');
  const call = addSuperuser(db, await acting(db, manager), { username: 'third', passwordHash: '!x' });
  assert.equal(await refusal(call), 'Only a superuser may make a superuser.');
});

test('with an account its event is gone when the transaction is', async () => {
  const by = await acting(db, root);
  await assert.rejects(
    db.transaction().execute(async (trx) => {
      await addAccount(trx, by, { username: 'ada', passwordHash: '!x' });
      await createUser(trx, { username: 'root', passwordHash: '!x' }, NOW);
    }),
  );
  assert.deepEqual(await happened(db), []);
});
