/**
 * A session is a login and the refresh tokens that descend from it. Its tokens are known by their `jti`, which is all
 * that the tables of Django tell of them; the line from one to the next is ours.
 */
export const SESSION_TABLES: readonly string[] = [
  `CREATE TABLE "jotgate_session" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "sid" varchar(32) NOT NULL UNIQUE,
    "user_id" integer NOT NULL REFERENCES "auth_user" ("id") ON DELETE CASCADE,
    "created_at" datetime NOT NULL, "last_used_at" datetime NOT NULL,
    "address" varchar(45) NOT NULL, "user_agent" varchar(255) NOT NULL,
    "ended_at" datetime NULL, "end_reason" varchar(40) NOT NULL)`,
  'CREATE INDEX "jotgate_session_user_id" ON "jotgate_session" ("user_id")',
  'CREATE INDEX "jotgate_session_address" ON "jotgate_session" ("address" COLLATE BINARY)',
  'CREATE INDEX "jotgate_session_last_used_at" ON "jotgate_session" ("last_used_at")',
  `CREATE TABLE "jotgate_session_token" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "jti" varchar(255) NOT NULL UNIQUE,
    "session_id" integer NOT NULL REFERENCES "jotgate_session" ("id") ON DELETE CASCADE,
    "predecessor_jti" varchar(255) NULL, "issued_at" datetime NOT NULL, "expires_at" datetime NOT NULL,
    "address" varchar(45) NOT NULL, "user_agent" varchar(255) NOT NULL,
    "rotated_at" datetime NULL, "successor_jti" varchar(255) NULL)`,
  'CREATE INDEX "jotgate_session_token_session_id" ON "jotgate_session_token" ("session_id")',
  'CREATE INDEX "jotgate_session_token_expires_at" ON "jotgate_session_token" ("expires_at")',
  // What happened to a session besides the issue of its tokens: a grace was used, a token came twice.
  `CREATE TABLE "jotgate_session_incident" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "session_id" integer NOT NULL REFERENCES "jotgate_session" ("id") ON DELETE CASCADE,
    "at" datetime NOT NULL, "kind" varchar(20) NOT NULL, "jti" varchar(255) NOT NULL,
    "address" varchar(45) NOT NULL, "user_agent" varchar(255) NOT NULL)`,
  'CREATE INDEX "jotgate_session_incident_session_id" ON "jotgate_session_incident" ("session_id")',
];
