import { chmodSync, constants, copyFileSync, existsSync } from 'node:fs';
import { connect } from '../../../db/connect.ts';
import { hasTable } from '../../../db/has-table.ts';
import { listMigrations } from '../../../db/migrate.ts';
import { findDamage, gatherIntoOneFile } from '../../../db/sqlite-copy.ts';
import type { Database } from '../../../db/statement.ts';
import type { Origin } from '../../audit/record.ts';
import { recordEvents } from '../../audit/record.ts';
import type { Settings } from '../../settings.ts';
import { countLiveTokens, revokeAllTokens } from '../../tokens/revoke-all.ts';
import { CommandError } from '../command.ts';

/** What a backup holds. */
export interface Contents {
  users: number;
  liveTokens: number;
  /** When the last token was given out; null where none is recorded. */
  lastToken: string | null;
  /** The migrations that it lacks. */
  missing: readonly string[];
}

/**
 * Copies a backup to where it can be worked on, so that it stays as it is, and makes sure that it is one.
 *
 * @throws CommandError when it is damaged or no database of ours or Django's
 * @throws NewerSchemaError when a newer version made it
 */
export async function draftOf(file: string, draft: string, settings: Settings): Promise<Contents> {
  for (const suffix of ['', '-wal']) {
    // What a copied database has beside it is part of it.
    if (suffix !== '' && !existsSync(file + suffix)) continue;
    copyFileSync(file + suffix, draft + suffix, constants.COPYFILE_FICLONE);
    chmodSync(draft + suffix, 0o600);
  }
  const damage = findDamage(draft);
  if (damage.length > 0) throw new CommandError(`${file} is damaged, or no database: ${damage.join('; ')}`);
  const contents = await withDatabase(draft, (db) => contentsOf(db, file, settings));
  gatherIntoOneFile(draft);
  return contents;
}

async function contentsOf(db: Database, file: string, settings: Settings): Promise<Contents> {
  for (const table of [
    'auth_user',
    'token_blacklist_outstandingtoken',
    'token_blacklist_blacklistedtoken',
  ] as const) {
    if (!(await hasTable(db, table))) {
      throw new CommandError(
        `${file} is a database, but not of Jotgate or SimpleJWT: it has no table ${table}`,
      );
    }
  }
  const migrations = await listMigrations(db);
  const { users } = await db
    .selectFrom('auth_user')
    .select(({ fn }) => fn.countAll<number>().as('users'))
    .executeTakeFirstOrThrow();
  const { last } = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select(({ fn }) => fn.max('created_at').as('last'))
    .executeTakeFirstOrThrow();
  return {
    users: Number(users),
    liveTokens: await countLiveTokens(db, settings, new Date()),
    lastToken: last,
    missing: migrations.filter(({ applied }) => !applied).map(({ name }) => name),
  };
}

/**
 * Takes from a draft what must not come back: log-ins to the admin that may have been ended since, set-up keys, and
 * every token where that is asked for. Its history says that it was restored.
 *
 * @returns how many tokens were revoked; null where that was not asked for
 */
export async function disarm(
  draft: string,
  settings: Settings,
  { isRevoking, origin, name }: { isRevoking: boolean; origin: Origin; name: string },
): Promise<number | null> {
  const now = new Date();
  const revoked = await withDatabase(draft, async (db) => {
    for (const table of ['jotgate_admin_session', 'jotgate_setup_key'] as const) {
      if (await hasTable(db, table)) await db.deleteFrom(table).execute();
    }
    const count = isRevoking ? await revokeAllTokens(db, settings, now) : null;
    if (await hasTable(db, 'jotgate_event')) {
      const revocation = count === null ? '' : `; tokens revoked: ${count}`;
      await recordEvents(db, [{ kind: 'restored', origin, reason: `from ${name}${revocation}` }], now);
    }
    return count;
  });
  gatherIntoOneFile(draft);
  return revoked;
}

async function withDatabase<Result>(file: string, work: (db: Database) => Promise<Result>): Promise<Result> {
  const db = connect(`sqlite:${file}`);
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}
