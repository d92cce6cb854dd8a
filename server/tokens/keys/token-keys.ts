import { sql } from 'kysely';
import { type Database, statement } from '../../../db/statement.ts';
import { epochToSqlTime, toSqlTime } from '../../../db/values.ts';
import { type KeyRow, UNNAMED } from './ring-rows.ts';

/** How many live tokens hang on a key: `total` at most 10,000, or `isMore` than it. */
export interface LiveTokens {
  total: number;
  isMore: boolean;
}

/** Up to where is counted. */
const MOST_COUNTED = 10_000;

/** How many recorded tokens are looked at for those that name no key: the ones that expire first. */
const MOST_LOOKED_AT = 20_000;

/**
 * Records which key of the ring signed a recorded token, the last time that it was signed.
 *
 * @param expiresAt in seconds since the epoch
 */
export async function recordTokenKey(
  db: Database,
  token: { jti: string; keyId: number; expiresAt: number },
): Promise<void> {
  await insertTokenKey(db, token.keyId, epochToSqlTime(token.expiresAt), token.jti);
}

const insertTokenKey = statement((db) =>
  db
    .insertInto('jotgate_token_key')
    .columns(['key_id', 'expires_at', 'is_live', 'id'])
    .expression((eb) =>
      eb
        .selectFrom('token_blacklist_outstandingtoken')
        .select([sql<number>`${0}`.as('key_id'), sql<string>`${''}`.as('expires_at')])
        .select([sql<0 | 1>`true`.as('is_live'), 'id'])
        .where('jti', '=', ''),
    )
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((set) => ({ key_id: set.ref('excluded.key_id') })),
    ),
);

/** How many refresh and sliding tokens hang on a key that are neither expired nor revoked. */
export async function countLiveTokens(db: Database, key: KeyRow, now: Date): Promise<LiveTokens> {
  if (key.kid === UNNAMED) return countUnnamed(db, now);
  const live = db
    .selectFrom('jotgate_token_key')
    .select('id')
    .where('key_id', '=', key.id)
    .where('is_live', '=', 1)
    .where('expires_at', '>', toSqlTime(now))
    .limit(MOST_COUNTED + 1)
    .as('live');
  const row = await db
    .selectFrom(live)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return { total: Math.min(Number(row.count), MOST_COUNTED), isMore: Number(row.count) > MOST_COUNTED };
}

/** Of tokens that were signed without a ring nothing says so but that no key is recorded for them. */
async function countUnnamed(db: Database, now: Date): Promise<LiveTokens> {
  const unexpired = db
    .selectFrom('token_blacklist_outstandingtoken')
    .select('id')
    .where('expires_at', '>', toSqlTime(now))
    .orderBy('expires_at')
    .limit(MOST_LOOKED_AT + 1)
    .as('unexpired');
  const row = await db
    .selectFrom(unexpired)
    .leftJoin('token_blacklist_blacklistedtoken as blacklisted', 'blacklisted.token_id', 'unexpired.id')
    .leftJoin('jotgate_token_key as named', 'named.id', 'unexpired.id')
    .select((select) => select.fn.countAll<number>().as('looked'))
    .select(
      sql<number | null>`sum(case when blacklisted.id is null and named.id is null then 1 else 0 end)`.as(
        'live',
      ),
    )
    .executeTakeFirstOrThrow();
  const live = Number(row.live ?? 0);
  return {
    total: Math.min(live, MOST_COUNTED),
    isMore: live > MOST_COUNTED || Number(row.looked) > MOST_LOOKED_AT,
  };
}
