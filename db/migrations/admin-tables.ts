import type { DialectName } from '../by-dialect.ts';

/**
 * Our own tables. A session goes with its user, by whichever program that is deleted. What happened stays when
 * whom it happened to is gone, so events refer to no other table.
 */
export const ADMIN_TABLES: readonly string[] = [
  `CREATE TABLE "jotgate_admin_session" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "key_hash" varchar(64) NOT NULL UNIQUE,
    "user_id" integer NOT NULL REFERENCES "auth_user" ("id") ON DELETE CASCADE,
    "password_mark" varchar(64) NOT NULL, "created_at" datetime NOT NULL, "last_seen_at" datetime NOT NULL,
    "address" varchar(45) NOT NULL, "user_agent" varchar(255) NOT NULL)`,
  'CREATE INDEX "jotgate_admin_session_user_id" ON "jotgate_admin_session" ("user_id")',
  `CREATE TABLE "jotgate_setup_key" ("key_hash" varchar(64) NOT NULL PRIMARY KEY, "expires_at" datetime NOT NULL)`,
  `CREATE TABLE "jotgate_event" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at" datetime NOT NULL,
    "kind" varchar(40) NOT NULL, "via" varchar(10) NOT NULL,
    "actor_id" integer NULL, "actor_name" varchar(150) NOT NULL,
    "object_type" varchar(40) NOT NULL, "object_id" varchar(255) NOT NULL, "object_name" varchar(255) NOT NULL,
    "reason" varchar(255) NOT NULL, "changes" text NOT NULL,
    "address" varchar(45) NOT NULL, "user_agent" varchar(255) NOT NULL, "count" integer NOT NULL)`,
  'CREATE INDEX "jotgate_event_at" ON "jotgate_event" ("at")',
  'CREATE INDEX "jotgate_event_kind" ON "jotgate_event" ("kind")',
  'CREATE INDEX "jotgate_event_actor_id" ON "jotgate_event" ("actor_id")',
  'CREATE INDEX "jotgate_event_object" ON "jotgate_event" ("object_type", "object_id")',
  'CREATE INDEX "jotgate_event_actor_name" ON "jotgate_event" (lower("actor_name") COLLATE BINARY)',
  'CREATE INDEX "jotgate_event_object_name" ON "jotgate_event" (lower("object_name") COLLATE BINARY)',
  'CREATE INDEX "jotgate_event_address" ON "jotgate_event" ("address" COLLATE BINARY)',
  `CREATE TABLE "jotgate_event_day" ("day" varchar(10) NOT NULL, "kind" varchar(40) NOT NULL,
    "count" integer NOT NULL, PRIMARY KEY ("day", "kind"))`,
];

/** What happened cannot be made to have been otherwise; it can only be forgotten, when its time is over. */
export const EVENTS_ARE_FINAL: Readonly<Record<DialectName, readonly string[]>> = {
  sqlite: [
    `CREATE TRIGGER "jotgate_event_is_final" BEFORE UPDATE ON "jotgate_event"
      BEGIN SELECT RAISE(ABORT, 'An event cannot be changed'); END`,
  ],
  postgres: [
    `CREATE FUNCTION "jotgate_event_is_final"() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'An event cannot be changed'; END $$`,
    `CREATE TRIGGER "jotgate_event_is_final" BEFORE UPDATE ON "jotgate_event"
      FOR EACH ROW EXECUTE FUNCTION "jotgate_event_is_final"()`,
  ],
};

/** Indexes of ours on Django's tables. They change no row and no column; without them long lists are slow. */
export const ADMIN_INDEXES: readonly string[] = [
  ...['username', 'email', 'first_name', 'last_name'].map(
    (column) => `CREATE INDEX "jotgate_user_${column}" ON "auth_user" (lower("${column}") COLLATE BINARY)`,
  ),
  ...['is_staff', 'is_superuser', 'is_active', 'date_joined', 'last_login'].map(
    (column) => `CREATE INDEX "jotgate_user_${column}" ON "auth_user" ("${column}")`,
  ),
  ...['created_at', 'expires_at'].map(
    (column) =>
      `CREATE INDEX "jotgate_outstanding_${column}" ON "token_blacklist_outstandingtoken" ("${column}")`,
  ),
  'CREATE INDEX "jotgate_blacklisted_at" ON "token_blacklist_blacklistedtoken" ("blacklisted_at")',
];
