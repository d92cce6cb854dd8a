import type { Database } from '../../../db/statement.ts';
import type { NewEvent, Origin } from '../../audit/record.ts';
import { ascending } from '../account-differences.ts';
import { groupChanges, groupDifferences, NO_GROUP } from '../group-state.ts';
import { storePermissions } from '../groups.ts';
import { type Grants, readGrants, resolvePermissions } from './file-grants.ts';
import type { ImportOptions } from './import-options.ts';
import type { Outcome, Problem } from './outcomes.ts';
import { passIds } from './pass-ids.ts';
import type { Survey } from './survey.ts';

/** A group of the file, or one that users of the file are in: those have no permissions, or keep theirs. */
interface WantedGroup {
  place: string;
  id: number | null;
  name: string;
  /** Null where the file says nothing of them. */
  permissions: readonly number[] | null;
}

type GroupPlan = WantedGroup &
  ({ outcome: 'new' | 'unchanged' | 'conflict' } | { outcome: 'changed'; before: readonly number[] });

export interface GroupsResult {
  outcomes: Outcome[];
  problems: Problem[];
  /** References to permissions that stand for nothing here. */
  missing: string[];
  /** As they are when the groups are there. */
  grants: Grants;
  events: NewEvent[];
}

/**
 * Makes or changes the groups of a file, matched by their names. An id of the file is kept where it is free: nothing
 * outside the database knows a group by it.
 *
 * @param db a transaction, unless it is a dry run
 */
export async function importGroups(
  db: Database,
  survey: Survey,
  options: ImportOptions,
  origin: Origin,
): Promise<GroupsResult> {
  const grants = await readGrants(db, survey);
  const wanted = wantedGroups(survey, grants);
  const stored = await permissionsByGroup(db);
  const plans = wanted.groups.map((group) => planned(group, grants, stored, options));
  const events: NewEvent[] = [];
  if (!options.dryRun) {
    for (const plan of plans) events.push(...(await write(db, plan, grants, origin)));
  }
  return {
    outcomes: plans.map(({ outcome }) => outcome),
    problems: plans.flatMap((plan) => (plan.outcome === 'conflict' ? [problemOf(plan)] : [])),
    missing: wanted.missing,
    grants: options.dryRun ? withImagined(grants, plans) : await readGrants(db, survey),
    events,
  };
}

function wantedGroups(survey: Survey, grants: Grants): { groups: WantedGroup[]; missing: string[] } {
  const missing: string[] = [];
  const groups = survey.groups.map(({ place, id, name, permissions }) => {
    const resolved = permissions === null ? null : resolvePermissions(grants, permissions);
    missing.push(...(resolved?.missing ?? []));
    return { place, id, name, permissions: resolved?.ids ?? null };
  });
  const declared = new Set(groups.map(({ name }) => name));
  for (const name of survey.named) {
    if (!declared.has(name)) groups.push({ place: 'a user', id: null, name, permissions: null });
  }
  return { groups, missing };
}

function planned(
  group: WantedGroup,
  grants: Grants,
  stored: ReadonlyMap<number, readonly number[]>,
  { update }: ImportOptions,
): GroupPlan {
  const id = grants.groups.get(group.name);
  if (id === undefined) return { ...group, outcome: 'new' };
  const before = ascending(stored.get(id) ?? []);
  const isSame = group.permissions === null || group.permissions.join() === before.join();
  if (isSame) return { ...group, outcome: 'unchanged' };
  return update ? { ...group, outcome: 'changed', before } : { ...group, outcome: 'conflict' };
}

function problemOf({ place, name }: GroupPlan): Problem {
  return { outcome: 'conflict', place, name, reason: 'the group differs in Permissions' };
}

async function permissionsByGroup(db: Database): Promise<ReadonlyMap<number, number[]>> {
  const rows = await db.selectFrom('auth_group_permissions').select(['group_id', 'permission_id']).execute();
  const byGroup = new Map<number, number[]>();
  for (const { group_id, permission_id } of rows) {
    byGroup.set(group_id, [...(byGroup.get(group_id) ?? []), permission_id]);
  }
  return byGroup;
}

async function write(db: Database, plan: GroupPlan, grants: Grants, origin: Origin): Promise<NewEvent[]> {
  if (plan.outcome === 'unchanged' || plan.outcome === 'conflict') return [];
  const { name } = plan;
  const before = plan.outcome === 'changed' ? { name, permissions: plan.before } : NO_GROUP;
  const after = { name, permissions: plan.permissions ?? [] };
  const id = plan.outcome === 'new' ? await insertGroup(db, plan) : (grants.groups.get(name) as number);
  await storePermissions(db, id, before.permissions, after.permissions);
  const changes = groupChanges(groupDifferences(before, after, grants.permissions));
  const kind = plan.outcome === 'new' ? 'group_added' : 'group_changed';
  return [{ kind, origin, object: { type: 'group', id: String(id), name }, changes }];
}

async function insertGroup(db: Database, { id, name }: WantedGroup): Promise<number> {
  const owner =
    id === null
      ? undefined
      : await db.selectFrom('auth_group').select('id').where('id', '=', id).executeTakeFirst();
  const isFree = id !== null && owner === undefined;
  const group = db.insertInto('auth_group').values(isFree ? { id, name } : { name });
  const added = await group.returning('id').executeTakeFirstOrThrow();
  if (isFree) await passIds(db, 'auth_group');
  return added.id;
}

/** The groups as if the new ones were there. */
function withImagined(grants: Grants, plans: readonly GroupPlan[]): Grants {
  const names = plans.filter(({ outcome }) => outcome === 'new').map(({ name }) => name);
  const imagined = names.map((name, index) => [name, -1 - index] as const);
  return { ...grants, groups: new Map([...grants.groups, ...imagined]) };
}
