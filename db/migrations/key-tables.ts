/**
 * The ring of signing keys. Its one row has a version that rises with every change, by which other instances notice
 * it. A token's key is kept beside the token: the blacklist and Django's tables know nothing of keys.
 */
export const KEY_TABLES: readonly string[] = [
  `CREATE TABLE "jotgate_key_ring" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "version" integer NOT NULL)`,
  `CREATE TABLE "jotgate_signing_key" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "kid" varchar(64) NOT NULL UNIQUE, "algorithm" varchar(10) NOT NULL, "state" varchar(10) NOT NULL,
    "public_key" text NOT NULL, "sealed_key" text NULL, "token_lifetime" integer NOT NULL,
    "created_at" datetime NOT NULL, "activated_at" datetime NULL, "retiring_at" datetime NULL,
    "expires_at" datetime NULL, "retired_at" datetime NULL, "withdrawn_at" datetime NULL)`,
  `CREATE TABLE "jotgate_token_key" (
    "id" integer NOT NULL PRIMARY KEY REFERENCES "token_blacklist_outstandingtoken" ("id") ON DELETE CASCADE,
    "key_id" integer NOT NULL REFERENCES "jotgate_signing_key" ("id"),
    "expires_at" datetime NOT NULL)`,
  'CREATE INDEX "jotgate_token_key_expires_at" ON "jotgate_token_key" ("key_id", "expires_at")',
];
