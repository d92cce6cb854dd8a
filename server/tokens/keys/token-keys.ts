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

/** How many recorded tokens are looked at. */
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
    .columns(['key_id', 'expires_at', 'id'])
    .expression((eb) =>
      eb
        .selectFrom('token_blacklist_outstandingtoken')
        .select([sql<number>`${0}`.as('key_id'), sql<string>`${''}`.as('expires_at')])
        .select('id')
        .where('jti', '=', ''),
    )
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet((set) => ({ key_id: set.ref('excluded.key_id') })),
    ),
);

/**
 * How many refresh and sliding tokens hang on a key that are neither expired nor revoked, by whichever program. Those
 * are looked at that expire last: where tokens rotate, the live ones are among them.
 */
export async function countLiveTokens(db: Database, key: KeyRow, now: Date): Promise<LiveTokens> {
  const looked = key.kid === UNNAMED ? unnamedTokens(now) : namedTokens(key, now);
  const { rows } = await sql<{ looked: number; live: number | null }>`
    select count(*) as looked,
      sum(case when blacklisted.id is null and looked.is_its_own = 1 then 1 else 0 end) as live
    from (${looked}) as looked
    left join token_blacklist_blacklistedtoken as blacklisted on blacklisted.token_id = looked.id`.execute(
    db,
  );
  const live = Number(rows[0]?.live ?? 0);
  return {
    total: Math.min(live, MOST_COUNTED),
    isMore: live > MOST_COUNTED || Number(rows[0]?.looked ?? 0) > MOST_LOOKED_AT,
  };
}

function namedTokens({ id }: KeyRow, now: Date) {
  return sql`select id, 1 as is_its_own from jotgate_token_key
    where key_id = ${id} and expires_at > ${toSqlTime(now)}
    order by expires_at desc limit ${MOST_LOOKED_AT + 1}`;
}

/** Of tokens that were signed without a ring nothing says so but that no key is recorded for them. */
function unnamedTokens(now: Date) {
  return sql`select outstanding.id, case when named.id is null then 1 else 0 end as is_its_own
    from (select id from token_blacklist_outstandingtoken where expires_at > ${toSqlTime(now)}
      order by expires_at desc limit ${MOST_LOOKED_AT + 1}) as outstanding
    left join jotgate_token_key as named on named.id = outstanding.id`;
}
