import type { Database } from '../../../db/statement.ts';
import { ascending } from '../account-differences.ts';
import type { Account } from '../accounts.ts';
import { finder } from './many-rows.ts';

const usersByName = finder('', (db, usernames) =>
  db.selectFrom('auth_user').selectAll().where('username', 'in', usernames),
);
const usersById = finder(0, (db, ids) =>
  db.selectFrom('auth_user').select(['id', 'username']).where('id', 'in', ids),
);
const groupsOf = finder(0, (db, ids) =>
  db.selectFrom('auth_user_groups').select(['user_id', 'group_id as granted_id']).where('user_id', 'in', ids),
);
const permissionsOf = finder(0, (db, ids) =>
  db
    .selectFrom('auth_user_user_permissions')
    .select(['user_id', 'permission_id as granted_id'])
    .where('user_id', 'in', ids),
);

/** The accounts of some distinct usernames, by these. */
export async function accountsByName(
  db: Database,
  usernames: readonly string[],
): Promise<Map<string, Account>> {
  const users = await usersByName(db, usernames);
  const ids = users.map(({ id }) => id);
  const groups = byUser(await groupsOf(db, ids));
  const permissions = byUser(await permissionsOf(db, ids));
  return new Map(
    users.map((user) => {
      const groupIds = ascending(groups.get(user.id) ?? []);
      const permissionIds = ascending(permissions.get(user.id) ?? []);
      return [user.username, { user, groupIds, permissionIds }];
    }),
  );
}

/** The usernames of those who have some distinct ids, by these. */
export async function namesById(db: Database, ids: readonly number[]): Promise<Map<number, string>> {
  const users = await usersById(db, ids);
  return new Map(users.map(({ id, username }) => [id, username]));
}

function byUser(rows: readonly { user_id: number; granted_id: number }[]): Map<number, number[]> {
  const granted = new Map<number, number[]>();
  for (const { user_id, granted_id } of rows) {
    const ids = granted.get(user_id);
    if (ids === undefined) granted.set(user_id, [granted_id]);
    else ids.push(granted_id);
  }
  return granted;
}
