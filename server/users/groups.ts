import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import type { GroupRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { forbidden } from './account-policy.ts';
import { type Acting, freshActor } from './acting.ts';
import {
  type GroupDifference,
  type GroupFields,
  groupChanges,
  groupDifferences,
  NAME_TAKEN,
  NO_GROUP,
  normalizedGroup,
  requireGoodGroup,
} from './group-state.ts';
import { type Actor, listPermissions, may } from './permissions.ts';

export interface Group extends GroupFields {
  id: number;
  /** How many users are in it. */
  members: number;
}

export interface GroupChange {
  id: number;
  /** What the form was filled from. */
  expected: GroupFields;
  entered: GroupFields;
}

export type GroupResult =
  | { outcome: 'saved'; group: GroupRow; differences: readonly GroupDifference[] }
  /** Somebody else changed the group since the form was filled; nothing was written. */
  | { outcome: 'conflict'; stored: GroupFields; meanwhile: readonly GroupDifference[] };

/** Every group by name: what one chooses from. */
export async function listGroups(db: Database): Promise<GroupRow[]> {
  return db.selectFrom('auth_group').selectAll().orderBy('name').execute();
}

export async function findGroup(db: Database, id: number): Promise<Group | null> {
  const row = await db.selectFrom('auth_group').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return null;
  const { count } = await db
    .selectFrom('auth_user_groups')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('group_id', '=', id)
    .executeTakeFirstOrThrow();
  return { ...row, members: Number(count), permissions: await permissionsOf(db, id) };
}

/** Groups by their ids, in the order of the ids, without those that are gone. */
export async function groupsByIds(db: Database, ids: readonly number[]): Promise<GroupRow[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('auth_group').selectAll().where('id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/**
 * Makes a group.
 *
 * @throws AppError `forbidden` when the actor may not; `invalid` with the complaints by field, among them that he
 *   lacks what the group would grant
 */
export async function createGroup(db: Database, acting: Acting, entered: GroupFields): Promise<GroupRow> {
  return inTransaction(db, async (trx) => {
    const actor = await freshActor(trx, acting);
    requireGroupPermission(actor, 'add');
    const permissions = await listPermissions(trx);
    const after = normalizedGroup({ actor, before: NO_GROUP, after: entered, permissions });
    requireGoodGroup({ actor, before: NO_GROUP, after, permissions });
    const group = await trx
      .insertInto('auth_group')
      .values({ name: after.name })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (group === undefined) throw nameTaken();
    await storePermissions(trx, group.id, [], after.permissions);
    const changes = groupChanges(groupDifferences(NO_GROUP, after, permissions));
    const event = { kind: 'group_added', origin: acting.origin, object: groupObject(group) } as const;
    await recordEvents(trx, [{ ...event, changes }], acting.now);
    return group;
  });
}

/**
 * Gives a group another name and other permissions, all of it or nothing. Permissions of the group that the actor
 * lacks stay as they are, whether they are asked for or not.
 *
 * @throws AppError `not_found`; else as `createGroup`
 */
export async function changeGroup(db: Database, acting: Acting, change: GroupChange): Promise<GroupResult> {
  const { id, expected, entered } = change;
  return inTransaction(db, async (trx): Promise<GroupResult> => {
    const actor = await freshActor(trx, acting);
    requireGroupPermission(actor, 'change');
    const before = await lockGroup(trx, id);
    const permissions = await listPermissions(trx);
    const meanwhile = groupDifferences(expected, before, permissions);
    if (meanwhile.length > 0) return { outcome: 'conflict', stored: before, meanwhile };
    const after = normalizedGroup({ actor, before, after: entered, permissions });
    requireGoodGroup({ actor, before, after, permissions });
    const group = { id, name: after.name };
    const differences = groupDifferences(before, after, permissions);
    if (differences.length === 0) return { outcome: 'saved', group, differences };
    if (after.name !== before.name) await renameGroup(trx, group);
    await storePermissions(trx, id, before.permissions, after.permissions);
    const event = { kind: 'group_changed', origin: acting.origin, object: groupObject(group) } as const;
    await recordEvents(trx, [{ ...event, changes: groupChanges(differences) }], acting.now);
    return { outcome: 'saved', group, differences };
  });
}

/** @throws AppError `forbidden` */
export function requireGroupPermission(actor: Actor, action: 'add' | 'change' | 'delete'): void {
  if (!may(actor, `auth.${action}_group`)) {
    throw forbidden(`You do not have the permission to ${action} groups.`);
  }
}

/** What an event calls a group. */
export function groupObject({ id, name }: GroupRow) {
  return { type: 'group' as const, id: String(id), name };
}

/**
 * Reads a group so that nobody else can change it before the transaction ends.
 *
 * @throws AppError `not_found`
 */
async function lockGroup(trx: Database, id: number): Promise<GroupFields> {
  const row = await trx
    .updateTable('auth_group')
    .set({ name: sql.ref('name') })
    .where('id', '=', id)
    .returning('name')
    .executeTakeFirst();
  if (row === undefined) throw new AppError('not_found');
  return { name: row.name, permissions: await permissionsOf(trx, id) };
}

async function renameGroup(trx: Database, { id, name }: GroupRow): Promise<void> {
  const namesake = await trx
    .selectFrom('auth_group')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst();
  if (namesake !== undefined) throw nameTaken();
  await trx.updateTable('auth_group').set({ name }).where('id', '=', id).execute();
}

function nameTaken(): AppError {
  return new AppError('invalid', { members: { name: [NAME_TAKEN] } });
}

/** The ids of a group's permissions, in order. */
async function permissionsOf(db: Database, groupId: number): Promise<number[]> {
  const rows = await db
    .selectFrom('auth_group_permissions')
    .select('permission_id')
    .where('group_id', '=', groupId)
    .orderBy('permission_id')
    .execute();
  return rows.map((row) => row.permission_id);
}

/** Gives a group the permissions it is to have, and writes only those that come or go. */
export async function storePermissions(
  trx: Database,
  groupId: number,
  before: readonly number[],
  after: readonly number[],
): Promise<void> {
  const gone = before.filter((id) => !after.includes(id));
  const come = after.filter((id) => !before.includes(id));
  if (gone.length > 0) {
    const rows = trx.deleteFrom('auth_group_permissions').where('group_id', '=', groupId);
    await rows.where('permission_id', 'in', gone).execute();
  }
  if (come.length > 0) {
    const rows = come.map((id) => ({ group_id: groupId, permission_id: id }));
    await trx.insertInto('auth_group_permissions').values(rows).execute();
  }
}
