/**
 * Failed log-ins that count against an account or an address. What was typed for a username is kept as a hash: people
 * type passwords there. Who was meant is named where there is such an account.
 */
export const LIMIT_TABLES: readonly string[] = [
  `CREATE TABLE "jotgate_login_failure" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "scope" varchar(10) NOT NULL, "subject_hash" varchar(64) NOT NULL, "label" varchar(150) NOT NULL,
    "failures" integer NOT NULL, "since" datetime NOT NULL, "last_at" datetime NOT NULL)`,
  'CREATE UNIQUE INDEX "jotgate_login_failure_subject" ON "jotgate_login_failure" ("scope", "subject_hash")',
  'CREATE INDEX "jotgate_login_failure_last_at" ON "jotgate_login_failure" ("last_at")',
];
