import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import type { SqlTime } from '../../db/values.ts';
import { findUserById } from './users.ts';

/** An account with what it was granted, as ids in ascending order. */
export interface Account {
  user: UserRow;
  groupIds: readonly number[];
  permissionIds: readonly number[];
}

/** What the change form is about, under the names of Django's fields. */
export interface AccountFields {
  username: string;
  first_name: string;
  last_name: string;
  email: string;
  is_active: boolean;
  is_staff: boolean;
  is_superuser: boolean;
  /** Ids in ascending order, as in `user_permissions`. */
  groups: readonly number[];
  user_permissions: readonly number[];
  last_login: SqlTime | null;
  date_joined: SqlTime;
}

/** What Django calls each field, in the order of its form. */
export const FIELD_LABELS = {
  username: 'Username',
  first_name: 'First name',
  last_name: 'Last name',
  email: 'Email address',
  is_active: 'Active',
  is_staff: 'Staff status',
  is_superuser: 'Superuser status',
  groups: 'Groups',
  user_permissions: 'User permissions',
  last_login: 'Last login',
  date_joined: 'Date joined',
} as const satisfies Record<keyof AccountFields, string>;

export const FLAG_FIELDS = ['is_active', 'is_staff', 'is_superuser'] as const;
export const SET_FIELDS = ['groups', 'user_permissions'] as const;

export async function findAccount(db: Database, id: number): Promise<Account | null> {
  const user = await findUserById(db, id);
  if (user === null) return null;
  const groups = await db
    .selectFrom('auth_user_groups')
    .select('group_id as id')
    .where('user_id', '=', id)
    .orderBy('group_id')
    .execute();
  const permissions = await db
    .selectFrom('auth_user_user_permissions')
    .select('permission_id as id')
    .where('user_id', '=', id)
    .orderBy('permission_id')
    .execute();
  return { user, groupIds: groups.map((row) => row.id), permissionIds: permissions.map((row) => row.id) };
}

/** An account as the change form shows it. */
export function fieldsOf({ user, groupIds, permissionIds }: Account): AccountFields {
  return {
    username: user.username,
    first_name: user.first_name,
    last_name: user.last_name,
    email: user.email,
    is_active: user.is_active === 1,
    is_staff: user.is_staff === 1,
    is_superuser: user.is_superuser === 1,
    groups: groupIds,
    user_permissions: permissionIds,
    last_login: user.last_login,
    date_joined: user.date_joined,
  };
}
