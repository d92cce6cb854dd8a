import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { toSqlTime } from '../../db/values.ts';
import { deleteAccounts, previewDeletion } from './delete-accounts.ts';
import { actorOf } from './permissions.ts';
import {
  acting,
  addGroup,
  addRoot,
  addStaff,
  addUser,
  happened,
  NOW,
  newDatabase,
  refusal,
} from './users.fixture.ts';
import { findUserById } from './users.ts';

let db: Database;
let root: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  root = await addRoot(db);
});
afterEach(() => db.destroy());

/** Somebody with one of everything that can hang on an account, and two tokens. */
async function addOwner(username: string): Promise<UserRow> {
  const user = await addUser(db, username, {}, 'auth.view_user');
  await addGroup(db, `friends of ${username}`, [], user);
  const at = toSqlTime(NOW);
  await db
    .insertInto('django_admin_log')
    .values({ object_repr: '', action_flag: 1, change_message: '', user_id: user.id, action_time: at })
    .execute();
  await db
    .insertInto('jotgate_admin_session')
    .values({
      key_hash: username,
      user_id: user.id,
      password_mark: '',
      created_at: at,
      last_seen_at: at,
      address: '',
      user_agent: '',
    })
    .execute();
  for (const jti of [`${username}-1`, `${username}-2`]) {
    await db
      .insertInto('token_blacklist_outstandingtoken')
      .values({ token: '', created_at: at, expires_at: at, user_id: user.id, jti })
      .execute();
  }
  return user;
}

async function count(table: 'auth_user_groups' | 'auth_user_user_permissions' | 'jotgate_admin_session') {
  return (await db.selectFrom(table).select('id').execute()).length;
}

test('what goes with an account is counted first', async () => {
  const owner = await addOwner('owner');
  await addOwner('other');
  const actor = await actorOf(db, root);
  assert.deepEqual(await previewDeletion(db, actor, [root.id, owner.id, 4711]), [
    {
      user: owner,
      belongings: { groups: 1, permissions: 1, logEntries: 1, sessions: 1, tokens: 2 },
      refusal: null,
    },
    {
      user: root,
      belongings: { groups: 0, permissions: 0, logEntries: 0, sessions: 0, tokens: 0 },
      refusal: 'You cannot delete your own account.',
    },
  ]);
  assert.deepEqual(await previewDeletion(db, actor, []), []);
});

test('an account goes with all that hangs on it; tokens stay on record without an owner', async () => {
  const owner = await addOwner('owner');
  const other = await addOwner('other');
  const deleted = await deleteAccounts(db, await acting(db, root), [owner.id, 4711]);
  assert.deepEqual(deleted, [owner]);
  assert.equal(await findUserById(db, owner.id), null);
  assert.deepEqual(
    [
      await count('auth_user_groups'),
      await count('auth_user_user_permissions'),
      await count('jotgate_admin_session'),
    ],
    [1, 1, 1],
  );
  const tokens = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select(['jti', 'user_id'])
    .orderBy('id')
    .execute();
  assert.deepEqual(tokens, [
    { jti: 'owner-1', user_id: null },
    { jti: 'owner-2', user_id: null },
    { jti: 'other-1', user_id: other.id },
    { jti: 'other-2', user_id: other.id },
  ]);
  assert.deepEqual(await happened(db), ['user_deleted of owner by root']);
  const log = await db.selectFrom('django_admin_log').select(['object_repr', 'user_id']).execute();
  assert.deepEqual(log, [
    { object_repr: '', user_id: other.id },
    { object_repr: 'owner', user_id: root.id },
  ]);
});

test('where one may not be deleted none is', async () => {
  const manager = await addStaff(db, 'manager', 'auth.delete_user');
  const user = await addUser(db, 'ada');
  const by = await acting(db, manager);
  assert.equal(
    await refusal(deleteAccounts(db, by, [user.id, root.id])),
    'Only a superuser may delete a superuser.',
  );
  assert.equal(
    await refusal(deleteAccounts(db, by, [user.id, manager.id])),
    'You cannot delete your own account.',
  );
  assert.deepEqual(await findUserById(db, user.id), user);
  assert.deepEqual(await happened(db), []);
});

test('an account that records of another application belong to is refused with words', async () => {
  const user = await addUser(db, 'author');
  await sql`create table blog_post (author_id integer not null references auth_user (id) deferrable initially deferred)`.execute(
    db,
  );
  await sql`insert into blog_post (author_id) values (${user.id})`.execute(db);
  const by = await acting(db, root);
  assert.match(String(await refusal(deleteAccounts(db, by, [user.id]))), /^Records of another application/);
  assert.deepEqual(await findUserById(db, user.id), user);
  await sql`delete from blog_post`.execute(db);
  assert.deepEqual(await deleteAccounts(db, by, [user.id]), [user]);
});
