import { inSmallBatches } from '../../db/small-batches.ts';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';

/**
 * Forgets tokens of sessions that expired, and sessions that have none left. Unlike what Django's tables hold, this is
 * what people look at afterwards, so it is kept for some time.
 */
export async function purgeSessions(
  db: Database,
  now: Date,
  { isOver }: { isOver?: () => boolean } = {},
): Promise<void> {
  const before = toSqlTime(new Date(now.getTime() - KEPT * 1000));
  for (const forget of [forgetTokens, forgetSessions]) {
    await inSmallBatches(db, (trx, size) => forget(trx, before, size), isOver);
  }
}

/** How long the end of a session can be looked at, in seconds. */
const KEPT = 30 * 86_400;

/** @returns how many went */
async function forgetTokens(trx: Database, before: string, size: number): Promise<number> {
  const rows = await trx
    .selectFrom('jotgate_session_token')
    .select('id')
    .where('expires_at', '<=', before)
    .orderBy('expires_at')
    .limit(size)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await trx.deleteFrom('jotgate_session_token').where('id', 'in', ids).execute();
  return ids.length;
}

/** @returns how many went */
async function forgetSessions(trx: Database, before: string, size: number): Promise<number> {
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
    .limit(size)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await trx.deleteFrom('jotgate_session').where('id', 'in', ids).execute();
  return ids.length;
}
