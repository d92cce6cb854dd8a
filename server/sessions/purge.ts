import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';

/** How many rows go in one transaction: for so long a request may have to wait. */
const BATCH = 200;

/** The pause between two, in milliseconds. */
const PAUSE = 5;

/**
 * Forgets tokens of sessions that expired, and sessions that have none left. Unlike what Django's tables hold, this is
 * what people look at afterwards, so it is kept for some time.
 */
export async function purgeSessions(
  db: Database,
  now: Date,
  { isOver = () => false }: { isOver?: () => boolean } = {},
): Promise<void> {
  const before = toSqlTime(new Date(now.getTime() - KEPT * 1000));
  for (const forget of [forgetTokens, forgetSessions]) {
    while ((await forget(db, before)) === BATCH && !isOver()) await pause(PAUSE);
  }
}

/** How long the end of a session can be looked at, in seconds. */
const KEPT = 30 * 86_400;

/** @returns how many went */
function forgetTokens(db: Database, before: string): Promise<number> {
  return inTransaction(db, async (trx) => {
    const rows = await trx
      .selectFrom('jotgate_session_token')
      .select('id')
      .where('expires_at', '<=', before)
      .orderBy('expires_at')
      .limit(BATCH)
      .execute();
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await trx.deleteFrom('jotgate_session_token').where('id', 'in', ids).execute();
    return ids.length;
  });
}

/** @returns how many went */
function forgetSessions(db: Database, before: string): Promise<number> {
  return inTransaction(db, async (trx) => {
    const rows = await trx
      .selectFrom('jotgate_session')
      .select('id')
      .where('last_used_at', '<=', before)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('jotgate_session_token as token')
              .select('token.id')
              .whereRef('token.session_id', '=', 'jotgate_session.id'),
          ),
        ),
      )
      .orderBy('last_used_at')
      .limit(BATCH)
      .execute();
    const ids = rows.map(({ id }) => id);
    if (ids.length > 0) await trx.deleteFrom('jotgate_session').where('id', 'in', ids).execute();
    return ids.length;
  });
}
