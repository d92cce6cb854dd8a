import { inBatches } from '../../db/batches.ts';
import { isStillReferredTo } from '../../db/failures.ts';
import type { Database } from '../../db/statement.ts';
import type { GroupRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { forbidden, mayGrantGroup } from './account-policy.ts';
import { type Acting, freshActor } from './acting.ts';
import { groupChanges, groupDifferences, NO_GROUP } from './group-state.ts';
import { groupObject, requireGroupPermission } from './groups.ts';
import { type Actor, listPermissions, type Permission } from './permissions.ts';

export interface DoomedGroup {
  group: GroupRow;
  /** How many users are in it: their places in it go with it. */
  members: number;
  /** Some of the members by name: those who joined first. */
  memberNames: readonly string[];
  /** What it grants to its members. */
  permissions: readonly Permission[];
  /** Why the actor may not delete it; null where he may. */
  refusal: string | null;
}

/** How many members are named before a deletion. */
const NAMED_MEMBERS = 10;

/** What would go with each of some groups, by name. Those that are gone already are left out. Writes nothing. */
export async function previewGroupDeletion(
  db: Database,
  actor: Actor,
  ids: readonly number[],
): Promise<DoomedGroup[]> {
  const granted = await readGroups(db, ids);
  const doomed: DoomedGroup[] = [];
  for (const { group, permissions } of granted) {
    doomed.push({
      group,
      members: await countMembers(db, group.id),
      memberNames: await firstMembers(db, group.id),
      permissions,
      refusal: findRefusal(actor, group, permissions),
    });
  }
  return doomed;
}

/**
 * Deletes groups with the places in them and their permissions, all of them or none. Those that are gone meanwhile
 * are left out.
 *
 * @returns those that were deleted
 * @throws AppError `forbidden` when there is one among them that the actor may not delete
 */
export async function deleteGroups(
  db: Database,
  acting: Acting,
  ids: readonly number[],
): Promise<GroupRow[]> {
  try {
    return await inTransaction(db, (trx) => deleteAll(trx, acting, ids));
  } catch (error) {
    if (!isStillReferredTo(error)) throw error;
    throw forbidden(
      'Records of another application in this database belong to the group. Delete those there first.',
    );
  }
}

async function deleteAll(trx: Database, acting: Acting, ids: readonly number[]): Promise<GroupRow[]> {
  const actor = await freshActor(trx, acting);
  requireGroupPermission(actor, 'delete');
  const doomed = await readGroups(trx, ids);
  for (const { group, permissions } of doomed) {
    const refusal = findRefusal(actor, group, permissions);
    if (refusal !== null) throw forbidden(refusal);
  }
  const groups = doomed.map(({ group }) => group);
  for (const batch of inBatches(groups.map(({ id }) => id))) {
    await trx.deleteFrom('auth_user_groups').where('group_id', 'in', batch).execute();
    await trx.deleteFrom('auth_group_permissions').where('group_id', 'in', batch).execute();
    await trx.deleteFrom('auth_group').where('id', 'in', batch).execute();
  }
  const events = doomed.map(({ group, permissions }) => {
    const before = { name: group.name, permissions: permissions.map(({ id }) => id) };
    const changes = groupChanges(groupDifferences(before, NO_GROUP, permissions));
    return { kind: 'group_deleted', origin: acting.origin, object: groupObject(group), changes } as const;
  });
  await recordEvents(trx, events, acting.now);
  return groups;
}

/** Members would lose what somebody who lacks it cannot give them back. */
function findRefusal(
  actor: Actor,
  { id, name }: GroupRow,
  permissions: readonly Permission[],
): string | null {
  const keys = new Set(permissions.map(({ key }) => key));
  if (mayGrantGroup(actor, { id, name, keys })) return null;
  return `You may not delete the group “${name}”: it grants permissions that you lack.`;
}

/** Groups with their permissions, both in the order in which they are listed. */
async function readGroups(db: Database, ids: readonly number[]) {
  const groups: GroupRow[] = [];
  const granted = new Map<number, Set<number>>();
  for (const batch of inBatches(ids)) {
    groups.push(...(await db.selectFrom('auth_group').selectAll().where('id', 'in', batch).execute()));
    const links = db.selectFrom('auth_group_permissions').select(['group_id', 'permission_id']);
    for (const { group_id, permission_id } of await links.where('group_id', 'in', batch).execute()) {
      granted.set(group_id, (granted.get(group_id) ?? new Set()).add(permission_id));
    }
  }
  const permissions = await listPermissions(db);
  return groups
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((group) => ({
      group,
      permissions: permissions.filter(({ id }) => granted.get(group.id)?.has(id)),
    }));
}

async function countMembers(db: Database, groupId: number): Promise<number> {
  const row = await db
    .selectFrom('auth_user_groups')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('group_id', '=', groupId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function firstMembers(db: Database, groupId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('auth_user_groups')
    .innerJoin('auth_user', 'auth_user.id', 'auth_user_groups.user_id')
    .select('auth_user.username')
    .where('auth_user_groups.group_id', '=', groupId)
    .orderBy('auth_user_groups.id')
    .limit(NAMED_MEMBERS)
    .execute();
  return rows.map((row) => row.username);
}
