import { createHash, randomBytes } from 'node:crypto';
import { lockName } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';

/** How long a set-up address is good for, in seconds. */
export const SETUP_KEY_LIFETIME = 30 * 60;

/** Makes a key that lets whoever has it create the first superuser, once. Only its hash is stored. */
export async function makeSetupKey(db: Database, now: Date): Promise<string> {
  const key = randomBytes(32).toString('base64url');
  const expires = new Date(now.getTime() + SETUP_KEY_LIFETIME * 1000);
  await purgeSetupKeys(db, now);
  await db
    .insertInto('jotgate_setup_key')
    .values({ key_hash: hashOf(key), expires_at: toSqlTime(expires) })
    .execute();
  return key;
}

/** Whether a key would be taken now. */
export async function isSetupKey(db: Database, key: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('jotgate_setup_key')
    .select('key_hash')
    .where('key_hash', '=', hashOf(key))
    .where('expires_at', '>', toSqlTime(now))
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes a key, and with it every other: of any number at the same time, with whatever keys, one is told true. */
export async function takeSetupKey(db: Database, key: string, now: Date): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    await lockName(trx, 'setup');
    if (!(await isSetupKey(trx, key, now))) return false;
    await trx.deleteFrom('jotgate_setup_key').execute();
    return true;
  });
}

/** Removes the keys whose time is over. */
export async function purgeSetupKeys(db: Database, now: Date): Promise<void> {
  await db.deleteFrom('jotgate_setup_key').where('expires_at', '<=', toSqlTime(now)).execute();
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
