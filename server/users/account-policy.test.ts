import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { type Deed, fieldRefusals, findRefusal, requireSuperuserLeft } from './account-policy.ts';
import { fieldsOf } from './accounts.ts';
import { subjectOf } from './acting.ts';
import { findGrants } from './grants.ts';
import { actorOf } from './permissions.ts';
import {
  addGroup,
  addRoot,
  addStaff,
  addUser,
  newDatabase,
  permissionIds,
  refusal,
} from './users.fixture.ts';

const MANAGER = ['auth.add_user', 'auth.change_user', 'auth.delete_user', 'auth.view_user'];
const DEEDS: readonly Deed[] = ['change', 'delete', 'activate', 'deactivate', 'set the password of'];

let db: Database;
let people: Record<'root' | 'otherRoot' | 'manager' | 'viewer' | 'plain' | 'higher' | 'member', UserRow>;

before(async () => {
  db = await newDatabase();
  people = {
    root: await addRoot(db),
    otherRoot: await addUser(db, 'retired', { is_superuser: true, is_active: false }),
    manager: await addStaff(db, 'manager', ...MANAGER),
    viewer: await addStaff(db, 'viewer', 'auth.view_user'),
    plain: await addUser(db, 'plain', {}, 'auth.view_user'),
    higher: await addUser(db, 'higher', { is_active: false }, 'auth.add_group'),
    member: await addUser(db, 'member'),
  };
  await addGroup(db, 'group makers', ['auth.add_group', 'auth.change_group'], people.member);
});
after(() => db.destroy());

async function refusals(actor: UserRow, subject: UserRow): Promise<(string | null)[]> {
  const [by, on] = [await actorOf(db, actor), await subjectOf(db, subject)];
  return DEEDS.map((deed) => findRefusal(by, deed, on));
}

test('each deed needs the permission of its model', async () => {
  assert.deepEqual(await refusals(people.viewer, people.plain), [
    'You do not have the permission to change users.',
    'You do not have the permission to delete users.',
    'You do not have the permission to activate users.',
    'You do not have the permission to deactivate users.',
    'You do not have the permission to set the password of users.',
  ]);
  assert.deepEqual(
    await refusals(people.manager, people.plain),
    DEEDS.map(() => null),
  );
});

test('who is no superuser leaves superusers alone, also those who are switched off', async () => {
  for (const superuser of [people.root, people.otherRoot]) {
    assert.deepEqual(
      await refusals(people.manager, superuser),
      DEEDS.map((deed) => `Only a superuser may ${deed} a superuser.`),
    );
  }
  assert.deepEqual(
    await refusals(people.root, people.otherRoot),
    DEEDS.map(() => null),
  );
});

test('nobody reaches an account with permissions that he lacks: it would be a way to them', async () => {
  assert.deepEqual(
    await refusals(people.manager, people.higher),
    DEEDS.map((deed) => `You may not ${deed} an account that has permissions you lack (auth.add_group).`),
  );
  assert.deepEqual(
    await refusals(people.manager, people.member),
    DEEDS.map(
      (deed) =>
        `You may not ${deed} an account that has permissions you lack (auth.add_group, auth.change_group).`,
    ),
  );
  assert.deepEqual(
    await refusals(people.root, people.member),
    DEEDS.map(() => null),
  );
});

test('nobody deletes or deactivates himself', async () => {
  for (const person of [people.root, people.manager]) {
    assert.deepEqual(await refusals(person, person), [
      null,
      'You cannot delete your own account.',
      null,
      'You cannot deactivate your own account.',
      null,
    ]);
  }
});

describe('a field may be refused:', () => {
  async function refused(actor: UserRow, subject: UserRow, changes: object, stored: object = {}) {
    const before = { ...fieldsOf({ user: subject, groupIds: [], permissionIds: [] }), ...stored };
    const edit = { id: subject.id, before, after: { ...before, ...changes } };
    return fieldRefusals({ actor: await actorOf(db, actor), ...edit, ...(await findGrants(db)) });
  }

  test('only superusers make superusers, themselves included', async () => {
    const is_superuser = ['Only a superuser may give superuser status or take it away.'];
    for (const subject of [people.plain, people.manager]) {
      assert.deepEqual(await refused(people.manager, subject, { is_superuser: true }), { is_superuser });
    }
    assert.deepEqual(await refused(people.root, people.plain, { is_superuser: true }), {});
    assert.deepEqual(await refused(people.manager, people.plain, { is_staff: true }), {});
  });

  test('nobody deactivates himself', async () => {
    const is_active = ['You cannot deactivate your own account.'];
    assert.deepEqual(await refused(people.root, people.root, { is_active: false }), { is_active });
    assert.deepEqual(await refused(people.root, people.plain, { is_active: false }), {});
  });

  test('nobody grants a group that holds what he lacks; who is in it stays', async () => {
    const harmless = await addGroup(db, 'viewers', ['auth.view_user']);
    const [makers] = (await findGrants(db)).groups.filter(({ name }) => name === 'group makers');
    const groups = [makers?.id, harmless];
    assert.deepEqual(await refused(people.manager, people.plain, { groups }), {
      groups: ['You may not add anybody to “group makers”: that would grant permissions you lack.'],
    });
    assert.deepEqual(await refused(people.manager, people.plain, { groups: [harmless] }), {});
    assert.deepEqual(await refused(people.manager, people.plain, { groups }, { groups: [makers?.id] }), {});
    assert.deepEqual(await refused(people.root, people.plain, { groups }), {});
  });

  test('nobody grants a permission that he lacks; one that is granted stays', async () => {
    const user_permissions = await permissionIds(db, 'auth.add_group', 'auth.view_user');
    const granted = { user_permissions: await permissionIds(db, 'auth.add_group') };
    assert.deepEqual(await refused(people.manager, people.plain, { user_permissions }), {
      user_permissions: ['You may not grant permissions you lack (auth.add_group).'],
    });
    assert.deepEqual(await refused(people.manager, people.plain, { user_permissions }, granted), {});
    assert.deepEqual(await refused(people.root, people.plain, { user_permissions }), {});
  });
});

test('somebody must be left who can log in and may do everything', async () => {
  const LAST =
    'This would leave no active superuser who can log in. Make another superuser first, then try again.';
  const others = await newDatabase();
  try {
    const root = await addRoot(others);
    assert.equal(await refusal(requireSuperuserLeft(others)), null);
    for (const loss of [
      { is_active: 0 },
      { is_staff: 0 },
      { is_superuser: 0 },
      { password: '!x' },
    ] as const) {
      await others.updateTable('auth_user').set(loss).where('id', '=', root.id).execute();
      assert.equal(await refusal(requireSuperuserLeft(others)), LAST, JSON.stringify(loss));
      await others.updateTable('auth_user').set(root).where('id', '=', root.id).execute();
    }
  } finally {
    await others.destroy();
  }
});
