import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';

/** Up to where is counted. */
const MOST_COUNTED = 10_000;

/** How many unexpired tokens are looked at for it: the longest-lived. */
const MOST_LOOKED_AT = 20_000;

/** How many recorded tokens are neither expired nor revoked: `total` at most 10,000, or `isMore` than it. */
export async function countAlive(db: Database, now: Date): Promise<{ total: number; isMore: boolean }> {
  const unexpired = db
    .selectFrom('token_blacklist_outstandingtoken')
    .select('id')
    .where('expires_at', '>', toSqlTime(now))
    .orderBy('expires_at', 'desc')
    .limit(MOST_LOOKED_AT + 1)
    .as('unexpired');
  const row = await db
    .selectFrom(unexpired)
    .leftJoin('token_blacklist_blacklistedtoken as blacklisted', 'blacklisted.token_id', 'unexpired.id')
    .select((select) => select.fn.countAll<number>().as('looked'))
    .select(sql<number | null>`sum(case when blacklisted.id is null then 1 else 0 end)`.as('alive'))
    .executeTakeFirstOrThrow();
  const alive = Number(row.alive ?? 0);
  return {
    total: Math.min(alive, MOST_COUNTED),
    isMore: alive > MOST_COUNTED || Number(row.looked) > MOST_LOOKED_AT,
  };
}
