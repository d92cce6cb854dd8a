import type { DialectName } from '../by-dialect.ts';

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
    "is_live" bool NOT NULL, "expires_at" datetime NOT NULL)`,
  'CREATE INDEX "jotgate_token_key_live" ON "jotgate_token_key" ("key_id", "is_live", "expires_at")',
];

/**
 * A token that is put on the blacklist does not hang on its key any more, by whichever program that is done: so the
 * live ones can be counted without looking at all that are dead.
 */
export const BLACKLISTED_IS_DEAD: Readonly<Record<DialectName, readonly string[]>> = {
  sqlite: [
    `CREATE TRIGGER "jotgate_blacklisted_is_dead" AFTER INSERT ON "token_blacklist_blacklistedtoken"
      BEGIN UPDATE "jotgate_token_key" SET "is_live" = 0 WHERE "id" = NEW."token_id"; END`,
    `CREATE TRIGGER "jotgate_restored_is_live" AFTER DELETE ON "token_blacklist_blacklistedtoken"
      BEGIN UPDATE "jotgate_token_key" SET "is_live" = 1 WHERE "id" = OLD."token_id"; END`,
  ],
  postgres: [
    ...marking('blacklisted_is_dead', 'INSERT', 'NEW', false),
    ...marking('restored_is_live', 'DELETE', 'OLD', true),
  ],
};

/** Once for all rows of a statement. With the rights of whoever made it: Django may come under another name. */
function marking(name: string, event: 'INSERT' | 'DELETE', rows: 'NEW' | 'OLD', isLive: boolean): string[] {
  return [
    `CREATE FUNCTION "jotgate_${name}"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
      AS $$ BEGIN
        UPDATE "jotgate_token_key" AS marked SET "is_live" = ${isLive} FROM changed
          WHERE marked."id" = changed."token_id";
        RETURN NULL;
      END $$`,
    `CREATE TRIGGER "jotgate_${name}" AFTER ${event} ON "token_blacklist_blacklistedtoken"
      REFERENCING ${rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION "jotgate_${name}"()`,
  ];
}
