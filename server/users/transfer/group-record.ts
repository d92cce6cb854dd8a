import { nameComplaints } from '../fields.ts';
import type { UserEntry } from './entries.ts';
import { isId, type PermissionReference, permissionReference } from './grant-references.ts';

/** A group as the file has it. */
export interface GroupRecord {
  place: string;
  /** The file's; null where there is none. */
  id: number | null;
  name: string;
  /** Null where the file says nothing of them. */
  permissions: readonly PermissionReference[] | null;
}

/** A record that cannot be taken, and why. */
export interface Refusal {
  place: string;
  /** The username or the group's name, where there is one. */
  name: string;
  problem: string;
}

/** Reads a group of a dump. */
export function groupRecordOf({ place, id, fields }: UserEntry): GroupRecord | Refusal {
  const name = fields.get('name');
  if (typeof name !== 'string' || name === '') return { place, name: '', problem: 'name: there is none' };
  const complaints = nameComplaints(name);
  if (complaints.length > 0) return { place, name, problem: `name: ${complaints.join(' ')}` };
  const permissions = permissionsOf(fields.get('permissions'));
  if (permissions === undefined) return { place, name, problem: 'permissions: is no list of permissions' };
  return { place, id: isId(id) ? id : null, name, permissions };
}

/** Null where nothing is said; undefined for what is no list of permissions. */
function permissionsOf(value: unknown): PermissionReference[] | null | undefined {
  if (value === undefined) return null;
  if (!Array.isArray(value)) return undefined;
  const references = value.map(permissionReference);
  return references.includes(null) ? undefined : (references as PermissionReference[]);
}
