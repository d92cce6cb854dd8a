import { sql } from 'kysely';
import { type Database, statement } from '../../db/statement.ts';
import { epochToSqlTime, toSqlTime } from '../../db/values.ts';

/** What is recorded of a token that is given out. Times are in seconds since the epoch. */
export interface OutstandingToken {
  jti: string;
  /** The compact token without its signature. */
  token: string;
  userId: number | null;
  createdAt: number;
  expiresAt: number;
}

/** Whether the token with this id was revoked. The blacklist goes by id, so no other spelling of a token passes. */
export async function isBlacklisted(db: Database, jti: string): Promise<boolean> {
  return (await findBlacklisted(db, jti)).rows.length > 0;
}

/** Records a token that was given out, once; a second record of the same id changes nothing. */
export async function recordOutstanding(db: Database, token: OutstandingToken): Promise<void> {
  await insertOutstanding(
    db,
    token.token,
    epochToSqlTime(token.createdAt),
    epochToSqlTime(token.expiresAt),
    token.userId,
    token.jti,
  );
}

/**
 * Puts a recorded token on the blacklist, in one conditional write.
 *
 * @returns whether this call did it: of any number at the same time exactly one is told true
 */
export async function addToBlacklist(db: Database, jti: string, at: Date): Promise<boolean> {
  const result = await insertBlacklisted(db, toSqlTime(at), jti);
  return result.numAffectedRows === 1n;
}

/**
 * Deletes the records of tokens that expired, and with them their entries of the blacklist: an expired token is
 * refused without it. SimpleJWT's `flushexpiredtokens`.
 *
 * @returns how many tokens were forgotten
 */
export async function flushExpiredTokens(db: Database, now: Date): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const expired = trx
      .selectFrom('token_blacklist_outstandingtoken')
      .select('id')
      .where('expires_at', '<=', toSqlTime(now));
    await trx.deleteFrom('token_blacklist_blacklistedtoken').where('token_id', 'in', expired).execute();
    const { numDeletedRows } = await trx
      .deleteFrom('token_blacklist_outstandingtoken')
      .where('expires_at', '<=', toSqlTime(now))
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  });
}

const findBlacklisted = statement((db) =>
  db
    .selectFrom('token_blacklist_blacklistedtoken')
    .select('id')
    .where('token_id', '=', (eb) =>
      eb.selectFrom('token_blacklist_outstandingtoken').select('id').where('jti', '=', ''),
    ),
);

const insertOutstanding = statement((db) =>
  db
    .insertInto('token_blacklist_outstandingtoken')
    .values({ token: '', created_at: '', expires_at: '', user_id: 0, jti: '' })
    .onConflict((conflict) => conflict.column('jti').doNothing()),
);

const insertBlacklisted = statement((db) =>
  db
    .insertInto('token_blacklist_blacklistedtoken')
    .columns(['blacklisted_at', 'token_id'])
    .expression((eb) =>
      eb
        .selectFrom('token_blacklist_outstandingtoken')
        .select([sql<string>`${''}`.as('blacklisted_at'), 'id'])
        .where('jti', '=', ''),
    )
    .onConflict((conflict) => conflict.column('token_id').doNothing()),
);
