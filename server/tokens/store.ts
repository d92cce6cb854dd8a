import { sql } from 'kysely';
import { type Database, statement } from '../../db/statement.ts';
import { epochToSqlTime, toSqlTime } from '../../db/values.ts';
import { type Claims, parseStored } from './compact.ts';

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

/** The claims of a recorded token; null where it is not recorded, or what is recorded is none. */
export async function findStoredPayload(db: Database, jti: string): Promise<Claims | null> {
  const stored = (await findStored(db, jti)).rows[0]?.token;
  return stored === undefined ? null : (parseStored(stored)?.payload ?? null);
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

const findBlacklisted = statement((db) =>
  db
    .selectFrom('token_blacklist_blacklistedtoken')
    .select('id')
    .where('token_id', '=', (eb) =>
      eb.selectFrom('token_blacklist_outstandingtoken').select('id').where('jti', '=', ''),
    ),
);

const findStored = statement((db) =>
  db.selectFrom('token_blacklist_outstandingtoken').select('token').where('jti', '=', ''),
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
