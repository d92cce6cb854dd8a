import { sql } from 'kysely';
import { inBatches } from '../../db/batches.ts';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import { type NewEvent, type Origin, recordEvents } from '../audit/record.ts';
import { resumeSessionsOf } from '../sessions/sessions.ts';
import { endIfDead } from './session-end.ts';

/**
 * Puts a recorded token on the blacklist, expired or not.
 *
 * @param id of its record
 * @returns `revoked` where this call did it, of any number at the same time one; `already` where it was there;
 *   `gone` where there is no such record
 */
export async function blacklistOutstanding(
  db: Database,
  id: number,
  now: Date,
  origin: Origin,
): Promise<'revoked' | 'already' | 'gone'> {
  return inTransaction(db, async (trx) => {
    const token = await trx
      .selectFrom('token_blacklist_outstandingtoken')
      .select(['id', 'jti'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (token === undefined) return 'gone';
    const added = await trx
      .insertInto('token_blacklist_blacklistedtoken')
      .values({ blacklisted_at: toSqlTime(now), token_id: id })
      .onConflict((conflict) => conflict.column('token_id').doNothing())
      .executeTakeFirst();
    if (added.numInsertedOrUpdatedRows !== 1n) return 'already';
    await endIfDead(trx, token.jti, { reason: 'revoked', origin: null }, now);
    await recordEvents(trx, [eventOf('token_blacklisted', token, origin)], now);
    return 'revoked';
  });
}

/**
 * Takes entries off the blacklist. A token that has not expired yet works again.
 *
 * @param ids of the entries, not of the tokens
 * @returns how many entries there were
 */
export async function restoreBlacklisted(
  db: Database,
  ids: readonly number[],
  now: Date,
  origin: Origin,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    const events: NewEvent[] = [];
    for (const batch of inBatches(ids)) {
      const { rows } = await sql<{ id: number; jti: string }>`
        delete from token_blacklist_blacklistedtoken where id in (${sql.join(batch)})
        returning token_id as id,
          (select jti from token_blacklist_outstandingtoken as outstanding where outstanding.id = token_id) as jti`.execute(
        trx,
      );
      await resumeSessionsOf(
        trx,
        rows.map(({ jti }) => jti),
      );
      events.push(...rows.map((token) => eventOf('token_restored', token, origin)));
    }
    await recordEvents(trx, events, now);
    return events.length;
  });
}

/** Of how many entries of the blacklist the tokens have not expired, so that they work again without them. */
export async function countRevivable(db: Database, ids: readonly number[], now: Date): Promise<number> {
  let total = 0;
  for (const batch of inBatches(ids)) {
    const { count } = await db
      .selectFrom('token_blacklist_blacklistedtoken as blacklisted')
      .innerJoin('token_blacklist_outstandingtoken as outstanding', 'outstanding.id', 'blacklisted.token_id')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('blacklisted.id', 'in', batch)
      .where('outstanding.expires_at', '>', toSqlTime(now))
      .executeTakeFirstOrThrow();
    total += Number(count);
  }
  return total;
}

/** Both the revoking and the restoring stand in the history of the token. */
function eventOf(
  kind: 'token_blacklisted' | 'token_restored',
  { id, jti }: { id: number; jti: string },
  origin: Origin,
): NewEvent {
  return { kind, origin, object: { type: 'outstandingtoken', id: String(id), name: jti } };
}
