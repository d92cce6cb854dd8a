import type { Database } from '../../../db/statement.ts';
import { ascending, type GrantNames } from '../account-differences.ts';
import { listPermissions, type Permission, permissionLabel } from '../permissions.ts';
import { type GroupReference, type PermissionReference, showPermission } from './grant-references.ts';
import type { Survey } from './survey.ts';

/** What references of a file stand for here, as ids in ascending order, and which stand for nothing, for people. */
export interface Resolved {
  ids: number[];
  missing: string[];
}

/** What a file's references are looked up in. */
export interface Grants {
  /** Groups of this database by name; new ones of a dry run have ids below 0. */
  groups: ReadonlyMap<string, number>;
  permissions: readonly Permission[];
  survey: Pick<Survey, 'groupNames' | 'permissions'>;
}

export async function readGrants(db: Database, survey: Grants['survey']): Promise<Grants> {
  const groups = await db.selectFrom('auth_group').select(['id', 'name']).execute();
  const permissions = await listPermissions(db);
  return { groups: new Map(groups.map(({ id, name }) => [name, id])), permissions, survey };
}

export function resolveGroups({ groups, survey }: Grants, references: readonly GroupReference[]): Resolved {
  return resolve(references, (reference) => {
    const name = typeof reference === 'string' ? reference : survey.groupNames.get(reference);
    const id = name === undefined ? undefined : groups.get(name);
    return id ?? `the group of the id ${reference}, which the file does not name`;
  });
}

/**
 * A permission that this database has not is left out, and so is one that is named by an id of another database: who
 * knows what it would be here.
 */
export function resolvePermissions(grants: Grants, references: readonly PermissionReference[]): Resolved {
  return resolve(references, (reference) => {
    const named = typeof reference === 'number' ? grants.survey.permissions.get(reference) : reference;
    if (named === undefined)
      return `the permission ${showPermission(reference)}, which the file does not name`;
    const [found, ...others] = grants.permissions.filter(
      ({ codename, appLabel, model }) =>
        codename === named.codename &&
        appLabel === named.appLabel &&
        (named.model === null || model === named.model),
    );
    if (others.length > 0) return `the permission ${showPermission(named)}, of which there are several`;
    return found?.id ?? `the permission ${showPermission(named)}, which this database does not have`;
  });
}

/** What ids are called in the history. */
export function grantNames({ groups, permissions }: Grants): GrantNames {
  return {
    groups: new Map([...groups].map(([name, id]) => [id, name])),
    user_permissions: new Map(permissions.map((permission) => [permission.id, permissionLabel(permission)])),
  };
}

function resolve<Reference>(
  references: readonly Reference[],
  find: (reference: Reference) => number | string,
): Resolved {
  const found = references.map(find);
  return {
    ids: ascending(found.filter((one) => typeof one === 'number')),
    missing: found.filter((one) => typeof one === 'string'),
  };
}
