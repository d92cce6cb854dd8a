import type { Database } from '../../db/statement.ts';
import type { GrantNames } from './account-differences.ts';
import {
  type GroupGrant,
  listGroupGrants,
  listPermissions,
  type Permission,
  permissionLabel,
} from './permissions.ts';

/** All that can be granted to an account. */
export interface Grants {
  groups: readonly GroupGrant[];
  permissions: readonly Permission[];
}

export async function findGrants(db: Database): Promise<Grants> {
  return { groups: await listGroupGrants(db), permissions: await listPermissions(db) };
}

export function namesOf({ groups, permissions }: Grants): GrantNames {
  return {
    groups: new Map(groups.map(({ id, name }) => [id, name])),
    user_permissions: new Map(permissions.map((permission) => [permission.id, permissionLabel(permission)])),
  };
}
