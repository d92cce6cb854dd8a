import { sql } from 'kysely';
import { hasTable } from '../../db/has-table.ts';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import type { Settings } from '../settings.ts';
import { isLive } from './mass-revocation.ts';

/**
 * Puts every live refresh and sliding token of everybody on the blacklist, and ends the sessions they belong to. It
 * takes long where there are many: it is for a database that nobody uses meanwhile.
 *
 * @returns how many tokens died
 */
export function revokeAllTokens(db: Database, settings: Settings, now: Date): Promise<number> {
  return inTransaction(db, async (trx) => {
    const result = await sql`
      insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
      select ${toSqlTime(now)}, id from token_blacklist_outstandingtoken where ${isLive(settings, now)}
      on conflict (token_id) do nothing`.execute(trx);
    // A database that Django made, or an older version, has none.
    if (await hasTable(trx, 'jotgate_session')) {
      await trx
        .updateTable('jotgate_session')
        .set({ ended_at: toSqlTime(now), end_reason: 'revoked' })
        .where('ended_at', 'is', null)
        .execute();
    }
    return Number(result.numAffectedRows ?? 0n);
  });
}

/** How many refresh and sliding tokens would be accepted now. */
export async function countLiveTokens(db: Database, settings: Settings, now: Date): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from token_blacklist_outstandingtoken
    where ${isLive(settings, now)} and not exists (select 1 from token_blacklist_blacklistedtoken
      where token_id = token_blacklist_outstandingtoken.id)`.execute(db);
  return Number(rows[0]?.count ?? 0);
}
