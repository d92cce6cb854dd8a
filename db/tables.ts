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

/** django.contrib.admin's record of a change that somebody made in the admin. */
export interface DjangoAdminLogTable {
  id: Generated<number>;
  object_id: string | null;
  object_repr: string;
  /** 1 for an addition, 2 for a change, 3 for a deletion. */
  action_flag: number;
  change_message: string;
  content_type_id: number | null;
  user_id: number;
  action_time: SqlTime;
}

/** A log-in to the admin. Its key is in the cookie; here is the SHA-256 of it in hex. */
export interface AdminSessionTable {
  id: Generated<number>;
  key_hash: string;
  user_id: number;
  /** Of the password that was valid at the log-in: another password ends the session. */
  password_mark: string;
  created_at: SqlTime;
  last_seen_at: SqlTime;
  address: string;
  user_agent: string;
}

/** A one-time key of the set-up page, as its SHA-256 in hex. */
export interface SetupKeyTable {
  key_hash: string;
  expires_at: SqlTime;
}

/** Something that happened. Rows are never changed; `audit/` says what stands in them. */
export interface EventTable {
  id: Generated<number>;
  at: SqlTime;
  kind: string;
  via: string;
  actor_id: number | null;
  actor_name: string;
  object_type: string;
  object_id: string;
  object_name: string;
  reason: string;
  /** JSON. */
  changes: string;
  address: string;
  user_agent: string;
  count: number;
}

/** How often what happened on a day of UTC, `YYYY-MM-DD`. */
export interface EventDayTable {
  day: string;
  kind: string;
  count: number;
}

/** A login, and all that descends from it. */
export interface SessionTable {
  id: Generated<number>;
  /** 32 lower-case hex digits: what the `sid` claim says. */
  sid: string;
  user_id: number;
  created_at: SqlTime;
  last_used_at: SqlTime;
  /** Where it was used last. */
  address: string;
  user_agent: string;
  ended_at: SqlTime | null;
  end_reason: string;
}

/** A refresh or sliding token of a session, and what became of it. */
export interface SessionTokenTable {
  id: Generated<number>;
  jti: string;
  session_id: number;
  predecessor_jti: string | null;
  issued_at: SqlTime;
  expires_at: SqlTime;
  address: string;
  user_agent: string;
  rotated_at: SqlTime | null;
  successor_jti: string | null;
}

/** Something about a session that a person should see: `grace`, a successor given again, or `reuse`. */
export interface SessionIncidentTable {
  id: Generated<number>;
  session_id: number;
  at: SqlTime;
  kind: string;
  jti: string;
  address: string;
  user_agent: string;
}

/** One row, with the id 1, where there is a ring of keys. */
export interface KeyRingTable {
  id: Generated<number>;
  /** Rises with every change of any key. */
  version: number;
}

/** A key of the ring. `tokens/keys/` says what stands in its columns. */
export interface SigningKeyTable {
  id: Generated<number>;
  /** Empty for the key of those tokens that name none. */
  kid: string;
  algorithm: string;
  state: string;
  /** PEM; empty for a secret. */
  public_key: string;
  /** The private key or the secret, encrypted under SECRET_KEY. */
  sealed_key: string | null;
  /** The longest time that a token of it was good for, in seconds. */
  token_lifetime: number;
  created_at: SqlTime;
  activated_at: SqlTime | null;
  retiring_at: SqlTime | null;
  /** From when no token of it is alive. */
  expires_at: SqlTime | null;
  retired_at: SqlTime | null;
  withdrawn_at: SqlTime | null;
}

/** Which key of the ring signed a refresh or sliding token. The id is the outstanding token's. */
export interface TokenKeyTable {
  id: number;
  key_id: number;
  expires_at: SqlTime;
}

/** How often log-ins failed for an account or from an address, since when. */
export interface LoginFailureTable {
  id: Generated<number>;
  /** `account` or `address`. */
  scope: string;
  /** SHA-256, in hex, of the username that was typed or of the address. */
  subject_hash: string;
  /** The username where there is such an account, or the address. */
  label: string;
  failures: number;
  since: SqlTime;
  last_at: SqlTime;
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
  django_admin_log: DjangoAdminLogTable;
  jotgate_admin_session: AdminSessionTable;
  jotgate_setup_key: SetupKeyTable;
  jotgate_event: EventTable;
  jotgate_session: SessionTable;
  jotgate_login_failure: LoginFailureTable;
  jotgate_session_token: SessionTokenTable;
  jotgate_session_incident: SessionIncidentTable;
  jotgate_event_day: EventDayTable;
  jotgate_key_ring: KeyRingTable;
  jotgate_signing_key: SigningKeyTable;
  jotgate_token_key: TokenKeyTable;
}

export type UserRow = Selectable<UserTable>;
export type NewUserRow = Insertable<UserTable>;
export type GroupRow = Selectable<GroupTable>;
export type AdminSessionRow = Selectable<AdminSessionTable>;
export type LoginFailureRow = Selectable<LoginFailureTable>;
export type SessionRow = Selectable<SessionTable>;
export type SigningKeyRow = Selectable<SigningKeyTable>;
export type SessionTokenRow = Selectable<SessionTokenTable>;
export type EventRow = Selectable<EventTable>;
export type OutstandingTokenRow = Selectable<OutstandingTokenTable>;
