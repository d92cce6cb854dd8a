import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import {
  actorOf,
  grantedKeysOf,
  grantedKeysOfEach,
  listGroupGrants,
  listPermissions,
  may,
  permissionKeysOf,
  permissionLabel,
} from './permissions.ts';
import { addGroup, addRoot, addUser, newDatabase } from './users.fixture.ts';

let db: Database;
before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

test('permissions come in the order of Django, under the name a form shows', async () => {
  const permissions = await listPermissions(db);
  assert.equal(permissions.length, 32);
  assert.deepEqual(permissions.slice(3, 6).map(permissionLabel), [
    'admin | log entry | Can view log entry',
    'auth | group | Can add group',
    'auth | group | Can change group',
  ]);
  const label = permissions.find(({ key }) => key === 'token_blacklist.view_outstandingtoken');
  assert.equal(
    label && permissionLabel(label),
    'token_blacklist | Outstanding Token | Can view Outstanding Token',
  );
});

test('a permission that is not one of the usual four is shown with its model as it is', () => {
  const permission = { id: 1, key: '', codename: 'publish', name: 'Can add issue', appLabel: 'press' };
  assert.equal(permissionLabel({ ...permission, model: 'blogpost' }), 'press | blogpost | Can add issue');
});

test('an account has its own permissions and those of its groups', async () => {
  const user = await addUser(db, 'both', {}, 'auth.view_user');
  await addGroup(db, 'one', ['auth.view_group', 'auth.view_user'], user);
  await addGroup(db, 'two', ['auth.add_group'], user);
  await addGroup(db, 'not his', ['auth.delete_group']);
  const keys = ['auth.add_group', 'auth.view_group', 'auth.view_user'];
  assert.deepEqual([...(await permissionKeysOf(db, user))].sort(), keys);
  assert.deepEqual([...(await permissionKeysOf(db, { ...user, is_active: 0 }))], []);
  assert.deepEqual([...(await grantedKeysOf(db, user.id))].sort(), keys);
  const other = await addUser(db, 'nothing');
  const each = await grantedKeysOfEach(db, [user.id, other.id]);
  assert.deepEqual([[...(each.get(user.id) ?? [])].sort(), each.get(other.id)], [keys, undefined]);
});

test('a superuser may everything, also what there is no permission for; an inactive one nothing', async () => {
  const root = await addRoot(db);
  assert.equal((await permissionKeysOf(db, root)).size, 32);
  assert.equal(may(await actorOf(db, root), 'some.thing'), true);
  const retired = await actorOf(db, { ...root, is_active: 0 });
  assert.deepEqual([retired.permissions.size, may(retired, 'auth.view_user')], [0, false]);
});

test('somebody else may what he has a permission for', async () => {
  const actor = await actorOf(db, await addUser(db, 'viewer', {}, 'auth.view_user'));
  assert.deepEqual([may(actor, 'auth.view_user'), may(actor, 'auth.change_user')], [true, false]);
});

test('groups are listed by name with what they grant', async () => {
  await addGroup(db, 'a group that grants nothing', []);
  const groups = await listGroupGrants(db);
  assert.deepEqual(
    groups.map(({ name, keys }) => [name, [...keys].sort()]),
    [
      ['a group that grants nothing', []],
      ['not his', ['auth.delete_group']],
      ['one', ['auth.view_group', 'auth.view_user']],
      ['two', ['auth.add_group']],
    ],
  );
});
