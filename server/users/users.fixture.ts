import assert from 'node:assert/strict';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Acting } from './acting.ts';
import { actorOf, listPermissions } from './permissions.ts';
import { createUser, findUserById, type NewUser } from './users.ts';

export { newDatabase } from '../../db/database.fixture.ts';

/** When everything in these tests happens. */
export const NOW = new Date('2026-03-04T05:06:07.089Z');

/** Adds an account, with the permissions of some keys. Its password is one that nobody has tried. */
export async function addUser(
  db: Database,
  username: string,
  extra: Partial<NewUser> = {},
  ...keys: readonly string[]
): Promise<UserRow> {
  const user = await createUser(db, { username, passwordHash: `hash-of-${username}`, ...extra }, NOW);
  for (const id of await permissionIds(db, ...keys)) {
    await db
      .insertInto('auth_user_user_permissions')
      .values({ user_id: user.id, permission_id: id })
      .execute();
  }
  return user;
}

export function addRoot(db: Database, username = 'root'): Promise<UserRow> {
  return addUser(db, username, { is_staff: true, is_superuser: true });
}

export function addStaff(db: Database, username: string, ...keys: readonly string[]): Promise<UserRow> {
  return addUser(db, username, { is_staff: true }, ...keys);
}

/** Adds a group that grants the permissions of some keys, with some members. */
export async function addGroup(
  db: Database,
  name: string,
  keys: readonly string[],
  ...members: readonly UserRow[]
): Promise<number> {
  const { id } = await db.insertInto('auth_group').values({ name }).returning('id').executeTakeFirstOrThrow();
  for (const permission_id of await permissionIds(db, ...keys)) {
    await db.insertInto('auth_group_permissions').values({ group_id: id, permission_id }).execute();
  }
  for (const { id: user_id } of members) {
    await db.insertInto('auth_user_groups').values({ user_id, group_id: id }).execute();
  }
  return id;
}

export async function permissionIds(db: Database, ...keys: readonly string[]): Promise<number[]> {
  const permissions = await listPermissions(db);
  return keys.map((wanted) => {
    const permission = permissions.find(({ key }) => key === wanted);
    assert.ok(permission, `no permission ${wanted}`);
    return permission.id;
  });
}

/** Somebody at work in the admin. */
export async function acting(db: Database, user: UserRow): Promise<Acting> {
  return {
    actor: await actorOf(db, user),
    origin: { via: 'admin', actor: { id: user.id, name: user.username }, address: '192.0.2.1' },
    now: NOW,
  };
}

/** An account as it is stored now. */
export async function reread(db: Database, { id }: Pick<UserRow, 'id'>): Promise<UserRow> {
  const user = await findUserById(db, id);
  assert.ok(user, `account ${id} is gone`);
  return user;
}

/** What happened, oldest first: kind, by whom, to whom, and each change as `field: before -> after`. */
export async function happened(db: Database): Promise<string[]> {
  const rows = await db.selectFrom('jotgate_event').selectAll().orderBy('id').execute();
  return rows.map((row) => {
    const changes = JSON.parse(row.changes) as {
      field: string;
      before: string | null;
      after: string | null;
    }[];
    const told = changes.map(({ field, before, after }) => `${field}: ${before} -> ${after}`);
    return [`${row.kind} of ${row.object_name} by ${row.actor_name}`, ...told].join('; ');
  });
}

/** What a call was refused with: the reason, or the complaints by field. Null when it went through. */
export async function refusal(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code === 'forbidden'
      ? error.body.detail
      : error.code === 'invalid'
        ? error.body
        : error.code;
  }
}
