import type { Generated, Insertable, Selectable } from 'kysely';
import type { SqlBoolean, SqlTime } from './values.ts';

/** django.contrib.auth's user. */
export interface UserTable {
  id: Generated<number>;
  password: string;
  last_login: SqlTime | null;
  is_superuser: SqlBoolean;
  username: string;
  last_name: string;
  email: string;
  is_staff: SqlBoolean;
  is_active: SqlBoolean;
  date_joined: SqlTime;
  first_name: string;
}

export interface GroupTable {
  id: Generated<number>;
  name: string;
}

export interface UserGroupTable {
  id: Generated<number>;
  user_id: number;
  group_id: number;
}

export interface GroupPermissionTable {
  id: Generated<number>;
  group_id: number;
  permission_id: number;
}

export interface UserPermissionTable {
  id: Generated<number>;
  user_id: number;
  permission_id: number;
}

export interface PermissionTable {
  id: Generated<number>;
  content_type_id: number;
  codename: string;
  name: string;
}

export interface ContentTypeTable {
  id: Generated<number>;
  app_label: string;
  model: string;
}

/** SimpleJWT's record of a refresh or sliding token it gave out; here `token` is kept without its signature. */
export interface OutstandingTokenTable {
  id: Generated<number>;
  token: string;
  created_at: SqlTime | null;
  expires_at: SqlTime;
  user_id: number | null;
  jti: string;
}

export interface BlacklistedTokenTable {
  id: Generated<number>;
  blacklisted_at: SqlTime;
  token_id: number;
}

export interface DjangoMigrationTable {
  id: Generated<number>;
  app: string;
  name: string;
  applied: SqlTime;
}

/** Every table that queries name. Django's own come first; ours are prefixed `jotgate_`. */
export interface Tables {
  auth_user: UserTable;
  auth_group: GroupTable;
  auth_user_groups: UserGroupTable;
  auth_group_permissions: GroupPermissionTable;
  auth_user_user_permissions: UserPermissionTable;
  auth_permission: PermissionTable;
  django_content_type: ContentTypeTable;
  django_migrations: DjangoMigrationTable;
  token_blacklist_outstandingtoken: OutstandingTokenTable;
  token_blacklist_blacklistedtoken: BlacklistedTokenTable;
}

export type UserRow = Selectable<UserTable>;
export type NewUserRow = Insertable<UserTable>;
export type OutstandingTokenRow = Selectable<OutstandingTokenTable>;
