import type { Change } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { ascending } from './account-differences.ts';
import { nameComplaints } from './fields.ts';
import { type Actor, may, type Permission, permissionLabel } from './permissions.ts';

/** What a form shows of a group, and sends back. */
export interface GroupFields {
  name: string;
  /** Ids of permissions. */
  permissions: readonly number[];
}

const FIELD_LABELS = { name: 'Name', permissions: 'Permissions' } as const satisfies Record<
  keyof GroupFields,
  string
>;

/** How one field differs, for people. A permission that came or went is a difference of its own. */
export interface GroupDifference {
  field: keyof GroupFields;
  before: string | null;
  after: string | null;
}

/** What a group is before and after somebody has it otherwise, and all that can be granted. */
export interface GroupEdit {
  actor: Actor;
  before: GroupFields;
  after: GroupFields;
  permissions: readonly Permission[];
}

export const NO_GROUP: GroupFields = { name: '', permissions: [] };

export const NAME_TAKEN = 'Group with this Name already exists.';

/**
 * Lets an edit pass whose fields are well formed and of what its actor may make them.
 *
 * @throws AppError `invalid` with the complaints by field, in the words of Django's forms
 */
export function requireGoodGroup(edit: GroupEdit): void {
  const { name } = edit.after;
  const complaints = {
    name: name === '' ? ['This field is required.'] : nameComplaints(name),
    permissions: permissionComplaints(edit),
  };
  const members = Object.fromEntries(Object.entries(complaints).filter(([, texts]) => texts.length > 0));
  if (Object.keys(members).length > 0) throw new AppError('invalid', { members });
}

function permissionComplaints({ actor, before, after, permissions }: GroupEdit): string[] {
  const byId = new Map(permissions.map((permission) => [permission.id, permission]));
  const added = after.permissions.filter((id) => !before.permissions.includes(id));
  return added.flatMap((id) => {
    const permission = byId.get(id);
    if (permission === undefined) {
      return [`Select a valid choice. ${id} is not one of the available choices.`];
    }
    if (may(actor, permission.key)) return [];
    return [`You may not grant a permission that you lack: ${permissionLabel(permission)}.`];
  });
}

/**
 * What was entered as it is to be stored: without blanks around the name, and with those permissions of the group
 * that are not the actor's to take away.
 */
export function normalizedGroup({ actor, before, after, permissions }: GroupEdit): GroupFields {
  const lacked = permissions.filter(({ id, key }) => before.permissions.includes(id) && !may(actor, key));
  return {
    name: after.name.trim(),
    permissions: ascending([...after.permissions, ...lacked.map(({ id }) => id)]),
  };
}

/** How a group came from one state to another. */
export function groupDifferences(
  before: GroupFields,
  after: GroupFields,
  permissions: readonly Permission[],
): GroupDifference[] {
  const differences: GroupDifference[] = [];
  if (before.name !== after.name) {
    differences.push({ field: 'name', before: before.name || null, after: after.name || null });
  }
  for (const permission of permissions) {
    const [had, has] = [before, after].map((state) => state.permissions.includes(permission.id));
    if (had === has) continue;
    const label = permissionLabel(permission);
    differences.push({ field: 'permissions', before: had ? label : null, after: has ? label : null });
  }
  return differences;
}

/** Differences as the history keeps them. */
export function groupChanges(differences: readonly GroupDifference[]): Change[] {
  return differences.map(({ field, before, after }) => ({ field: FIELD_LABELS[field], before, after }));
}

/**
 * What becomes of a form that was filled from one state and is sent when there is another: where the person changed
 * nothing, what others made of it; else what he entered. Each permission is looked at by itself.
 */
export function mergeGroup(expected: GroupFields, entered: GroupFields, stored: GroupFields): GroupFields {
  const added = entered.permissions.filter((id) => !expected.permissions.includes(id));
  const kept = stored.permissions.filter(
    (id) => entered.permissions.includes(id) || !expected.permissions.includes(id),
  );
  return {
    name: entered.name === expected.name ? stored.name : entered.name,
    permissions: ascending([...kept, ...added]),
  };
}
