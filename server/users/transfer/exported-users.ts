import type { Database } from '../../../db/statement.ts';
import type { UserRow } from '../../../db/tables.ts';
import { listPermissions, type Permission } from '../permissions.ts';
import { finder } from './many-rows.ts';

/** A user with what he was granted himself: names of groups, and permissions. */
export interface ExportedUser {
  user: UserRow;
  groups: readonly string[];
  permissions: readonly Permission[];
}

export interface ExportedGroup {
  id: number;
  name: string;
  permissions: readonly Permission[];
}

/** How many users are read at once. */
const AT_ONCE = 500;

const groupsOf = finder(0, (db, ids) =>
  db
    .selectFrom('auth_user_groups as member')
    .innerJoin('auth_group as group', 'group.id', 'member.group_id')
    .select(['member.user_id as owner', 'group.name as granted'])
    .where('member.user_id', 'in', ids)
    .orderBy('group.id'),
);
const permissionsOf = finder(0, (db, ids) =>
  db
    .selectFrom('auth_user_user_permissions')
    .select(['user_id as owner', 'permission_id as granted'])
    .where('user_id', 'in', ids),
);

export async function exportedGroups(db: Database): Promise<ExportedGroup[]> {
  const permissions = await listPermissions(db);
  const groups = await db.selectFrom('auth_group').selectAll().orderBy('id').execute();
  const links = await db
    .selectFrom('auth_group_permissions')
    .select(['group_id as owner', 'permission_id as granted'])
    .execute();
  const granted = byOwner(links);
  return groups.map(({ id, name }) => ({ id, name, permissions: named(permissions, granted.get(id)) }));
}

/** Every user by id, some at a time. It is no snapshot: what others change meanwhile is in it or not. */
export async function* exportedUsers(db: Database): AsyncGenerator<ExportedUser[]> {
  const permissions = await listPermissions(db);
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const users = await db
      .selectFrom('auth_user')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(AT_ONCE)
      .execute();
    const last = users.at(-1);
    if (last === undefined) return;
    const ids = users.map(({ id }) => id);
    const groups = byOwner(await groupsOf(db, ids));
    const granted = byOwner(await permissionsOf(db, ids));
    yield users.map((user) => ({
      user,
      groups: groups.get(user.id) ?? [],
      permissions: named(permissions, granted.get(user.id)),
    }));
    after = last.id;
  }
}

function byOwner<Granted>(links: readonly { owner: number; granted: Granted }[]): Map<number, Granted[]> {
  const granted = new Map<number, Granted[]>();
  for (const link of links) {
    const found = granted.get(link.owner);
    if (found === undefined) granted.set(link.owner, [link.granted]);
    else found.push(link.granted);
  }
  return granted;
}

/** In Django's order. */
function named(permissions: readonly Permission[], ids: readonly number[] = []): Permission[] {
  return permissions.filter(({ id }) => ids.includes(id));
}
