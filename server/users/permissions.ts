import { type Database, statement } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';

/** A permission of django.contrib.auth, with the model it is about. */
export interface Permission {
  id: number;
  /** What code asks for: `auth.add_user`. */
  key: string;
  codename: string;
  name: string;
  appLabel: string;
  model: string;
}

/** Who acts in the admin, and what he may, as keys of permissions. */
export interface Actor {
  user: UserRow;
  permissions: ReadonlySet<string>;
}

/** A group, and the keys of what it lets its members do. */
export interface GroupGrant {
  id: number;
  name: string;
  keys: ReadonlySet<string>;
}

const everyPermission = statement((db) =>
  db
    .selectFrom('auth_permission as permission')
    .innerJoin('django_content_type as type', 'type.id', 'permission.content_type_id')
    .select(['permission.id', 'permission.codename', 'permission.name'])
    .select(['type.app_label as appLabel', 'type.model'])
    .orderBy('type.app_label')
    .orderBy('type.model')
    .orderBy('permission.codename'),
);

const grantedTo = statement((db) =>
  db
    .selectFrom('auth_permission as permission')
    .innerJoin('django_content_type as type', 'type.id', 'permission.content_type_id')
    .select(['type.app_label as appLabel', 'permission.codename'])
    .where((eb) =>
      eb.or([
        eb(
          'permission.id',
          'in',
          eb.selectFrom('auth_user_user_permissions').select('permission_id').where('user_id', '=', 0),
        ),
        eb(
          'permission.id',
          'in',
          eb
            .selectFrom('auth_group_permissions as granted')
            .innerJoin('auth_user_groups as member', 'member.group_id', 'granted.group_id')
            .select('granted.permission_id')
            .where('member.user_id', '=', 0),
        ),
      ]),
    ),
);

const everyGroupGrant = statement((db) =>
  db
    .selectFrom('auth_group')
    .leftJoin('auth_group_permissions as granted', 'granted.group_id', 'auth_group.id')
    .leftJoin('auth_permission as permission', 'permission.id', 'granted.permission_id')
    .leftJoin('django_content_type as type', 'type.id', 'permission.content_type_id')
    .select(['auth_group.id', 'auth_group.name', 'type.app_label as appLabel', 'permission.codename'])
    .orderBy('auth_group.name'),
);

/** Every permission there is, in Django's order: app, model, codename. */
export async function listPermissions(db: Database): Promise<Permission[]> {
  const { rows } = await everyPermission(db);
  return rows.map((row) => ({ ...row, key: keyOf(row) }));
}

/** How a form shows a permission: `auth | user | Can add user`, as Django's `Permission.__str__`. */
export function permissionLabel(permission: Permission): string {
  return `${permission.appLabel} | ${modelName(permission)} | ${permission.name}`;
}

/**
 * What a permission's model is called. The database has that nowhere but in the texts of the four permissions that
 * Django gives every model; for others it is the model's own name, without spaces.
 */
export function modelName({ codename, name, model }: Permission): string {
  const [, action, named] = /^Can (add|change|delete|view) (.+)$/.exec(name) ?? [];
  return named !== undefined && codename === `${action}_${model}` ? named : model;
}

/**
 * What an account may do: what it and its groups were granted, everything for a superuser, nothing once it is
 * switched off. Django's `ModelBackend.get_all_permissions`.
 */
export async function permissionKeysOf(
  db: Database,
  user: Pick<UserRow, 'id' | 'is_superuser' | 'is_active'>,
): Promise<ReadonlySet<string>> {
  if (user.is_active !== 1) return new Set();
  if (user.is_superuser !== 1) return grantedKeysOf(db, user.id);
  return new Set((await listPermissions(db)).map(({ key }) => key));
}

/** What an account and its groups were granted, also while it is switched off. */
export async function grantedKeysOf(db: Database, userId: number): Promise<ReadonlySet<string>> {
  return new Set((await grantedTo(db, userId, userId)).rows.map(keyOf));
}

/** As `grantedKeysOf`, of several accounts; those without any are left out. */
export async function grantedKeysOfEach(
  db: Database,
  userIds: readonly number[],
): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const own = db
    .selectFrom('auth_user_user_permissions as own')
    .select(['own.user_id as userId', 'own.permission_id as permissionId'])
    .where('own.user_id', 'in', userIds);
  const byGroup = db
    .selectFrom('auth_user_groups as member')
    .innerJoin('auth_group_permissions as granted', 'granted.group_id', 'member.group_id')
    .select(['member.user_id as userId', 'granted.permission_id as permissionId'])
    .where('member.user_id', 'in', userIds);
  const rows = await db
    .selectFrom(own.union(byGroup).as('held'))
    .innerJoin('auth_permission as permission', 'permission.id', 'held.permissionId')
    .innerJoin('django_content_type as type', 'type.id', 'permission.content_type_id')
    .select(['held.userId', 'type.app_label as appLabel', 'permission.codename'])
    .execute();
  const keys = new Map<number, Set<string>>();
  for (const row of rows) keys.set(row.userId, (keys.get(row.userId) ?? new Set()).add(keyOf(row)));
  return keys;
}

/** Every group with what it lets its members do, by name. */
export async function listGroupGrants(db: Database): Promise<GroupGrant[]> {
  const groups = new Map<number, GroupGrant & { keys: Set<string> }>();
  for (const { id, name, appLabel, codename } of (await everyGroupGrant(db)).rows) {
    const group = groups.get(id) ?? { id, name, keys: new Set() };
    groups.set(id, group);
    if (appLabel !== null && codename !== null) group.keys.add(keyOf({ appLabel, codename }));
  }
  return [...groups.values()];
}

export async function actorOf(db: Database, user: UserRow): Promise<Actor> {
  return { user, permissions: await permissionKeysOf(db, user) };
}

/** Whether somebody may do what a permission is for. A superuser may everything, an inactive account nothing. */
export function may({ user, permissions }: Actor, key: string): boolean {
  return user.is_active === 1 && (user.is_superuser === 1 || permissions.has(key));
}

function keyOf({ appLabel, codename }: { appLabel: string; codename: string }): string {
  return `${appLabel}.${codename}`;
}
