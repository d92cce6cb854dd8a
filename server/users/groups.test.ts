import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Acting } from './acting.ts';
import { deleteGroups, previewGroupDeletion } from './group-deletion.ts';
import { mergeGroup } from './group-state.ts';
import { changeGroup, createGroup, findGroup, groupsByIds, listGroups } from './groups.ts';
import { actorOf, listPermissions } from './permissions.ts';
import { createSuperuser, createUser } from './users.ts';

const NOW = new Date('2026-03-04T05:06:07.089Z');
let db: Database;
let root: Acting;
let ids: ReadonlyMap<string, number>;

beforeEach(async () => {
  db = await newDatabase();
  ids = new Map((await listPermissions(db)).map(({ key, id }) => [key, id]));
  root = await actingAs(await createSuperuser(db, { username: 'root', passwordHash: 'x' }, NOW));
});
afterEach(() => db.destroy());

async function actingAs(user: UserRow): Promise<Acting> {
  const origin = { via: 'admin', actor: { id: user.id, name: user.username } } as const;
  return { actor: await actorOf(db, user), origin, now: NOW };
}

/** Somebody who may do just this. */
async function staff(...keys: string[]): Promise<Acting> {
  const user = await createUser(
    db,
    { username: `s${Math.random()}`, passwordHash: 'x', is_staff: true },
    NOW,
  );
  for (const permission_id of permissions(...keys)) {
    await db.insertInto('auth_user_user_permissions').values({ user_id: user.id, permission_id }).execute();
  }
  return actingAs(user);
}

function permissions(...keys: string[]): number[] {
  return keys.map((key) => ids.get(key) ?? assert.fail(key)).sort((one, other) => one - other);
}

const fields = (name: string, ...keys: string[]) => ({ name, permissions: permissions(...keys) });

const make = (name: string, ...keys: string[]) => createGroup(db, root, fields(name, ...keys));

async function join(id: number, ...names: string[]): Promise<void> {
  for (const username of names) {
    const user = await createUser(db, { username, passwordHash: 'x' }, NOW);
    await db.insertInto('auth_user_groups').values({ user_id: user.id, group_id: id }).execute();
  }
}

async function stored(id: number) {
  const group = await findGroup(db, id);
  return group && { name: group.name, permissions: group.permissions };
}

async function lastEvent() {
  const row = await db.selectFrom('jotgate_event').selectAll().orderBy('id', 'desc').executeTakeFirst();
  return row && [row.kind, row.object_type, row.object_id, row.object_name, JSON.parse(row.changes)];
}

/** The body of the refusal that a call must end with. */
async function refusal(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(
    () => assert.fail('it was let through'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw error;
  return error.body;
}

describe('a group is added', () => {
  test('and read again with its members counted', async () => {
    const group = await make('  Editors ', 'auth.view_user', 'auth.add_user', 'auth.view_user');
    await join(group.id, 'a', 'b');
    assert.deepEqual(await findGroup(db, group.id), {
      id: group.id,
      ...fields('Editors', 'auth.add_user', 'auth.view_user'),
      members: 2,
    });
    assert.equal(await findGroup(db, 99), null);
  });

  test('and its history says with what', async () => {
    const group = await make('Editors', 'auth.view_user', 'auth.add_user');
    const granted = { field: 'Permissions', before: null };
    assert.deepEqual(await lastEvent(), [
      'group_added',
      'group',
      String(group.id),
      'Editors',
      [
        { field: 'Name', before: null, after: 'Editors' },
        { ...granted, after: 'auth | user | Can add user' },
        { ...granted, after: 'auth | user | Can view user' },
      ],
    ]);
  });

  test('without any permission', async () => {
    const group = await make('Empty');
    assert.deepEqual(await stored(group.id), fields('Empty'));
  });

  const complaints: Readonly<Record<string, string>> = {
    '': 'This field is required.',
    '  ': 'This field is required.',
    'a\0b': 'Null characters are not allowed.',
    ['x'.repeat(151)]: 'Ensure this value has at most 150 characters (it has 151).',
    Taken: 'Group with this Name already exists.',
    ' Taken ': 'Group with this Name already exists.',
  };
  for (const [name, text] of Object.entries(complaints)) {
    test(`but not as ${JSON.stringify(name.slice(0, 12))}`, async () => {
      await make('Taken');
      assert.deepEqual(await refusal(make(name)), { name: [text] });
      assert.equal((await listGroups(db)).length, 1);
    });
  }

  test('a name may be 150 characters long, whatever characters, and capitals count', async () => {
    await make('𝒜'.repeat(150));
    await make('taken');
    await make('Taken');
    assert.equal((await listGroups(db)).length, 3);
  });

  test('but not with a permission that there is none of', async () => {
    const entered = { name: 'x', permissions: [4711] };
    assert.deepEqual(await refusal(createGroup(db, root, entered)), {
      permissions: ['Select a valid choice. 4711 is not one of the available choices.'],
    });
  });

  test('once, when ten want the name at the same time', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => make('Wanted')));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    const events = await db.selectFrom('jotgate_event').select('id').execute();
    assert.equal(events.length, 1);
  });
});

describe('a group is changed', () => {
  test('field by field, and its history says what', async () => {
    const { id } = await make('Editors', 'auth.view_user', 'auth.add_user');
    const expected = fields('Editors', 'auth.view_user', 'auth.add_user');
    const entered = fields('Writers', 'auth.view_user', 'auth.view_group');
    const result = await changeGroup(db, root, { id, expected, entered });
    assert.equal(result.outcome, 'saved');
    assert.deepEqual(await stored(id), entered);
    assert.deepEqual(await lastEvent(), [
      'group_changed',
      'group',
      String(id),
      'Writers',
      [
        { field: 'Name', before: 'Editors', after: 'Writers' },
        { field: 'Permissions', before: null, after: 'auth | group | Can view group' },
        { field: 'Permissions', before: 'auth | user | Can add user', after: null },
      ],
    ]);
  });

  test('or not, and then nothing is recorded', async () => {
    const { id } = await make('Editors', 'auth.view_user');
    const before = await lastEvent();
    const expected = fields('Editors', 'auth.view_user');
    const result = await changeGroup(db, root, { id, expected, entered: expected });
    assert.deepEqual(result, { outcome: 'saved', group: { id, name: 'Editors' }, differences: [] });
    assert.deepEqual(await lastEvent(), before);
  });

  test('but keeps off the name of another', async () => {
    await make('Taken');
    const { id } = await make('Editors');
    const change = { id, expected: fields('Editors'), entered: fields('Taken', 'auth.view_user') };
    assert.deepEqual(await refusal(changeGroup(db, root, change)), {
      name: ['Group with this Name already exists.'],
    });
    assert.deepEqual(await stored(id), fields('Editors'));
  });

  test('but not when it is gone', async () => {
    const change = { id: 99, expected: fields('x'), entered: fields('y') };
    assert.deepEqual(await refusal(changeGroup(db, root, change)), { detail: 'Not found.' });
  });

  test('the second of two is told what the first did, and nothing is written', async () => {
    const { id } = await make('Editors', 'auth.view_user');
    const expected = fields('Editors', 'auth.view_user');
    const first = fields('Writers', 'auth.view_user', 'auth.view_group');
    await changeGroup(db, root, { id, expected, entered: first });
    const event = await lastEvent();
    const second = { id, expected, entered: fields('Authors', 'auth.view_user') };
    assert.deepEqual(await changeGroup(db, root, second), {
      outcome: 'conflict',
      stored: first,
      meanwhile: [
        { field: 'name', before: 'Editors', after: 'Writers' },
        { field: 'permissions', before: null, after: 'auth | group | Can view group' },
      ],
    });
    assert.deepEqual(await stored(id), first);
    assert.deepEqual(await lastEvent(), event);
  });

  test('once, when ten change it at the same time', async () => {
    const { id } = await make('Editors');
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        changeGroup(db, root, { id, expected: fields('Editors'), entered: fields(`Name ${index}`) }),
      ),
    );
    assert.equal(results.filter(({ outcome }) => outcome === 'saved').length, 1);
  });

  test('a form that met a change is filled with what both wanted', () => {
    const expected = { name: 'a', permissions: [1, 2, 3] };
    assert.deepEqual(
      mergeGroup(expected, { name: 'a', permissions: [2, 3, 5] }, { name: 'b', permissions: [1, 2, 4] }),
      { name: 'b', permissions: [2, 4, 5] },
    );
    assert.equal(mergeGroup(expected, { ...expected, name: 'c' }, { ...expected, name: 'b' }).name, 'c');
  });
});

describe('by somebody who is no superuser', () => {
  test('a group is made of what he has himself', async () => {
    const acting = await staff('auth.add_group', 'auth.view_user');
    const group = await createGroup(db, acting, fields('Viewers', 'auth.view_user'));
    assert.deepEqual(await stored(group.id), fields('Viewers', 'auth.view_user'));
  });

  test('and of nothing that he lacks', async () => {
    const acting = await staff('auth.add_group', 'auth.change_group', 'auth.view_user');
    const { id } = await make('Editors');
    const entered = fields('Editors', 'auth.view_user', 'auth.delete_user');
    const complaint = {
      permissions: ['You may not grant a permission that you lack: auth | user | Can delete user.'],
    };
    assert.deepEqual(await refusal(createGroup(db, acting, { ...entered, name: 'New' })), complaint);
    const change = { id, expected: fields('Editors'), entered };
    assert.deepEqual(await refusal(changeGroup(db, acting, change)), complaint);
    assert.deepEqual(await stored(id), fields('Editors'));
  });

  for (const asked of [true, false]) {
    test(`what he lacks stays in the group, ${asked ? 'sent along' : 'left out'}`, async () => {
      const acting = await staff('auth.change_group', 'auth.view_user');
      const expected = fields('Editors', 'auth.view_user', 'auth.delete_user');
      const { id } = await make('Editors', 'auth.view_user', 'auth.delete_user');
      const entered = asked ? fields('Writers', 'auth.delete_user') : fields('Writers');
      assert.equal((await changeGroup(db, acting, { id, expected, entered })).outcome, 'saved');
      assert.deepEqual(await stored(id), fields('Writers', 'auth.delete_user'));
    });
  }

  test('a group that grants what he lacks is not deleted, nor any with it', async () => {
    const acting = await staff('auth.delete_group', 'auth.view_user');
    const mine = await make('Mine', 'auth.view_user');
    const beyond = await make('Beyond', 'auth.view_user', 'auth.delete_user');
    const reason = 'You may not delete the group “Beyond”: it grants permissions that you lack.';
    assert.deepEqual(await refusal(deleteGroups(db, acting, [mine.id, beyond.id])), { detail: reason });
    const preview = await previewGroupDeletion(db, acting.actor, [mine.id, beyond.id]);
    assert.deepEqual(
      preview.map(({ group, refusal }) => [group.name, refusal]),
      [
        ['Beyond', reason],
        ['Mine', null],
      ],
    );
    assert.equal((await listGroups(db)).length, 2);
    assert.equal((await deleteGroups(db, acting, [mine.id])).length, 1);
  });

  test('nothing is done without the permission for it', async () => {
    const acting = await staff('auth.view_group');
    const { id } = await make('Editors');
    const deeds = {
      add: () => createGroup(db, acting, fields('x')),
      change: () => changeGroup(db, acting, { id, expected: fields('Editors'), entered: fields('x') }),
      delete: () => deleteGroups(db, acting, [id]),
    };
    for (const [action, deed] of Object.entries(deeds)) {
      const detail = `You do not have the permission to ${action} groups.`;
      assert.deepEqual(await refusal(deed()), { detail });
    }
  });

  test('what was taken from him since his request began counts', async () => {
    const acting = await staff('auth.add_group');
    await db.deleteFrom('auth_user_user_permissions').execute();
    assert.deepEqual(await refusal(createGroup(db, acting, fields('x'))), {
      detail: 'You do not have the permission to add groups.',
    });
    await db.updateTable('auth_user').set({ is_active: 0 }).execute();
    assert.deepEqual(await refusal(createGroup(db, root, fields('x'))), {
      detail: 'Your account may not enter the admin any more.',
    });
  });
});

describe('groups are deleted', () => {
  test('with the places in them and their permissions, after it was told', async () => {
    const editors = await make('Editors', 'auth.view_user', 'auth.add_user');
    const writers = await make('Writers', 'auth.view_user');
    const kept = await make('Kept', 'auth.view_user');
    await join(editors.id, ...'abcdefghijkl');
    await join(kept.id, 'kept');
    const doomed = await previewGroupDeletion(db, root.actor, [writers.id, 99, editors.id, editors.id]);
    assert.deepEqual(
      doomed.map((one) => [one.group.name, one.members, one.memberNames.join(''), one.refusal]),
      [
        ['Editors', 12, 'abcdefghij', null],
        ['Writers', 0, '', null],
      ],
    );
    assert.deepEqual(
      doomed[0]?.permissions.map(({ key }) => key),
      ['auth.add_user', 'auth.view_user'],
    );
    const deleted = await deleteGroups(db, root, [editors.id, writers.id, 99]);
    assert.deepEqual(
      deleted.map(({ name }) => name),
      ['Editors', 'Writers'],
    );
    assert.deepEqual(await listGroups(db), [kept]);
    for (const table of ['auth_user_groups', 'auth_group_permissions'] as const) {
      const rows = await db.selectFrom(table).select('group_id').execute();
      assert.deepEqual(rows, [{ group_id: kept.id }]);
    }
    assert.deepEqual(await lastEvent(), [
      'group_deleted',
      'group',
      String(writers.id),
      'Writers',
      [
        { field: 'Name', before: 'Writers', after: null },
        { field: 'Permissions', before: 'auth | user | Can view user', after: null },
      ],
    ]);
  });

  test('none of none', async () => {
    assert.deepEqual(await deleteGroups(db, root, []), []);
    assert.deepEqual(await previewGroupDeletion(db, root.actor, [1, 2]), []);
  });

  test('but not while a table of another application refers to one', async () => {
    const { id } = await make('Editors');
    const columns = db.schema
      .createTable('shop_discount')
      .addColumn('group_id', 'integer', (column) => column.references('auth_group.id').notNull());
    await columns.execute();
    await db
      .withTables<{ shop_discount: { group_id: number } }>()
      .insertInto('shop_discount')
      .values({ group_id: id })
      .execute();
    assert.deepEqual(await refusal(deleteGroups(db, root, [id])), {
      detail:
        'Records of another application in this database belong to the group. Delete those there first.',
    });
    assert.equal((await listGroups(db)).length, 1);
  });
});

test('groups by name, and by their ids in the order of the ids', async () => {
  const [b, a] = [await make('b'), await make('a')];
  assert.deepEqual(await listGroups(db), [a, b]);
  assert.deepEqual(await groupsByIds(db, [b.id, 99, a.id]), [b, a]);
  assert.deepEqual(await groupsByIds(db, []), []);
});
