import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';

/** A row of the list of users: Django's columns, and what else is to be seen at a glance. */
export type ListedUser = Omit<UserRow, 'password'>;

const COLUMNS = [
  'id',
  'username',
  'email',
  'first_name',
  'last_name',
  'is_staff',
  'is_superuser',
  'is_active',
  'date_joined',
  'last_login',
] as const;

/** Users by their ids, in the order of these. Who is gone meanwhile is left out. */
export async function findListedUsers(db: Database, ids: readonly number[]): Promise<ListedUser[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('auth_user').select(COLUMNS).where('id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** The names of several users' groups, sorted, by user; those in none are left out. */
export async function groupNamesOfEach(db: Database, ids: readonly number[]): Promise<Map<number, string[]>> {
  const names = new Map<number, string[]>();
  if (ids.length === 0) return names;
  const rows = await db
    .selectFrom('auth_user_groups as member')
    .innerJoin('auth_group as group', 'group.id', 'member.group_id')
    .select(['member.user_id', 'group.name'])
    .where('member.user_id', 'in', ids)
    .orderBy('group.name')
    .execute();
  for (const { user_id, name } of rows) names.set(user_id, [...(names.get(user_id) ?? []), name]);
  return names;
}
