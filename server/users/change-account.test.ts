import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { onTwoConnections } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { type AccountFields, fieldsOf, findAccount } from './accounts.ts';
import { changeAccount, type EditResult } from './change-account.ts';
import {
  acting,
  addGroup,
  addRoot,
  addStaff,
  addUser,
  happened,
  newDatabase,
  permissionIds,
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

async function fields(user: UserRow): Promise<AccountFields> {
  const account = await findAccount(db, user.id);
  assert.ok(account);
  return fieldsOf(account);
}

/** Sends the change form of an account as it is now, with some entries. */
async function change(
  by: UserRow,
  user: UserRow,
  entries: Partial<AccountFields>,
  base = db,
): Promise<EditResult> {
  const expected = await fields(user);
  return changeAccount(base, await acting(db, by), {
    id: user.id,
    expected,
    entered: { ...expected, ...entries },
  });
}

test('every field is changed at once, and the history says how', async () => {
  const user = await addUser(db, 'ada', { email: 'ada@old.example' });
  const left = await addGroup(db, 'left', [], user);
  const joined = await addGroup(db, 'joined', ['auth.view_user']);
  const granted = await permissionIds(db, 'auth.add_user', 'auth.view_user');
  const result = await change(root, user, {
    username: ' Ａda ',
    first_name: 'Ada ',
    last_name: 'Lovelace',
    email: 'Ada@NEW.example',
    is_active: false,
    is_staff: true,
    is_superuser: true,
    groups: [joined, joined],
    user_permissions: [...granted].reverse(),
    last_login: '2026-01-02 03:04:05',
    date_joined: '2020-01-02 03:04:05',
  });
  assert.equal(result.outcome, 'saved');
  assert.deepEqual(await fields(user), {
    username: 'Ada',
    first_name: 'Ada',
    last_name: 'Lovelace',
    email: 'Ada@new.example',
    is_active: false,
    is_staff: true,
    is_superuser: true,
    groups: [joined],
    user_permissions: granted,
    last_login: '2026-01-02 03:04:05',
    date_joined: '2020-01-02 03:04:05',
  });
  assert.ok(left !== joined);
  assert.deepEqual(await happened(db), [
    'user_changed of Ada by root; Username: ada -> Ada; First name:  -> Ada; Last name:  -> Lovelace; ' +
      'Email address: ada@old.example -> Ada@new.example; Active: yes -> no; Staff status: no -> yes; ' +
      'Superuser status: no -> yes; Groups: left -> null; Groups: null -> joined; ' +
      'User permissions: null -> auth | user | Can add user; User permissions: null -> auth | user | Can view user; ' +
      'Last login: null -> 2026-01-02 03:04:05 UTC; ' +
      'Date joined: 2026-03-04 05:06:07 UTC -> 2020-01-02 03:04:05 UTC',
  ]);
});

test('a form in which nothing was changed changes nothing, and nothing happened', async () => {
  const user = await addUser(db, 'ada');
  const result = await change(root, user, {});
  assert.deepEqual([result.outcome, 'differences' in result && result.differences], ['saved', []]);
  assert.deepEqual(await happened(db), []);
});

test('complaints stand beside their fields, in the words of Django, and nothing is written', async () => {
  const user = await addUser(db, 'ada');
  await addUser(db, 'taken');
  const before = await reread(db, user);
  assert.deepEqual(
    await refusal(
      change(root, user, {
        username: 'a b',
        first_name: 'x'.repeat(151),
        last_name: 'a\0b',
        email: 'nowhere',
        groups: [4711],
        user_permissions: [4712],
        date_joined: 'yesterday',
      }),
    ),
    {
      username: [
        'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      ],
      first_name: ['Ensure this value has at most 150 characters (it has 151).'],
      last_name: ['Null characters are not allowed.'],
      email: ['Enter a valid email address.'],
      groups: ['Select a valid choice. 4711 is not one of the available choices.'],
      user_permissions: ['Select a valid choice. 4712 is not one of the available choices.'],
      date_joined: ['Enter a valid date/time.'],
    },
  );
  assert.deepEqual(await refusal(change(root, user, { username: 'ｔaken' })), {
    username: ['A user with that username already exists.'],
  });
  assert.deepEqual(await refusal(change(root, user, { username: ' ' })), {
    username: ['This field is required.'],
  });
  assert.deepEqual(await reread(db, user), before);
  assert.deepEqual(await happened(db), []);
});

test('what others changed meanwhile is told, and nothing is written over', async () => {
  const user = await addUser(db, 'ada');
  const group = await addGroup(db, 'editors', []);
  const expected = await fields(user);
  await change(root, user, { first_name: 'Ada', groups: [group] });
  const entered = { ...expected, last_name: 'Lovelace' };
  const result = await changeAccount(db, await acting(db, root), { id: user.id, expected, entered });
  assert.deepEqual(result, {
    outcome: 'conflict',
    stored: await fields(user),
    meanwhile: [
      { field: 'first_name', before: '', after: 'Ada' },
      { field: 'groups', before: null, after: 'editors' },
    ],
  });
  assert.equal((await reread(db, user)).last_name, '');
  assert.equal((await happened(db)).length, 1);
});

test('a login meanwhile is no conflict, and is kept', async () => {
  const user = await addUser(db, 'ada');
  const expected = await fields(user);
  const logIn = (last_login: string) =>
    db.updateTable('auth_user').set({ last_login }).where('id', '=', user.id).execute();
  await logIn('2026-02-01 00:00:00');
  const save = async (entries: Partial<AccountFields>) =>
    changeAccount(db, await acting(db, root), {
      id: user.id,
      expected,
      entered: { ...expected, ...entries },
    });
  assert.equal((await save({ first_name: 'Ada' })).outcome, 'saved');
  assert.equal((await reread(db, user)).last_login, '2026-02-01 00:00:00');
  const result = await save({ first_name: 'Ada', last_login: '2026-03-01 00:00:00' });
  assert.deepEqual('meanwhile' in result && result.meanwhile.map(({ field }) => field), [
    'first_name',
    'last_login',
  ]);
});

test('who may not, and an account that is gone, are refused', async () => {
  const manager = await addStaff(db, 'manager', 'auth.change_user');
  const user = await addUser(db, 'ada');
  assert.equal(await refusal(change(manager, root, {})), 'Only a superuser may change a superuser.');
  assert.deepEqual(await refusal(change(manager, manager, { is_superuser: true })), {
    is_superuser: ['Only a superuser may give superuser status or take it away.'],
  });
  const edit = { id: 4711, expected: await fields(user), entered: await fields(user) };
  assert.equal(await refusal(changeAccount(db, await acting(db, root), edit)), 'not_found');
  // What the manager may was taken from him after his request began.
  const began = await acting(db, manager);
  await db.deleteFrom('auth_user_user_permissions').where('user_id', '=', manager.id).execute();
  const late = { ...edit, id: user.id };
  assert.equal(
    await refusal(changeAccount(db, began, late)),
    'You do not have the permission to change users.',
  );
  await db.updateTable('auth_user').set({ is_staff: 0 }).where('id', '=', manager.id).execute();
  assert.equal(
    await refusal(changeAccount(db, began, late)),
    'Your account may not enter the admin any more.',
  );
});

test('the last superuser who can log in stays one', async () => {
  const LAST =
    'This would leave no active superuser who can log in. Make another superuser first, then try again.';
  await addUser(db, 'retired', { is_superuser: true, is_staff: true, is_active: false });
  assert.equal(await refusal(change(root, root, { is_superuser: false })), LAST);
  assert.equal(await refusal(change(root, root, { is_staff: false })), LAST);
  assert.equal((await reread(db, root)).is_superuser, 1);
  await addRoot(db, 'second');
  assert.equal(await refusal(change(root, root, { is_superuser: false })), null);
});

test('of two superusers who demote each other at once one stays', () =>
  onTwoConnections(async (one, other) => {
    const roots = [await addRoot(one, 'anna'), await addRoot(one, 'berta')] as const;
    const demote = async (base: Database, by: UserRow, whom: UserRow) => {
      const account = await findAccount(base, whom.id);
      assert.ok(account);
      const expected = fieldsOf(account);
      const entered = { ...expected, is_superuser: false };
      return changeAccount(base, await acting(base, by), { id: whom.id, expected, entered });
    };
    const results = await Promise.allSettled([
      demote(one, roots[0], roots[1]),
      demote(other, roots[1], roots[0]),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const left = await one.selectFrom('auth_user').select('id').where('is_superuser', '=', 1).execute();
    assert.equal(left.length, 1);
  }));
