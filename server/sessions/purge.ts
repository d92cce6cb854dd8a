import { sql } from 'kysely';
import { inSmallBatches } from '../../db/small-batches.ts';
import type { Database } from '../../db/statement.ts';
import { type SqlTime, toSqlTime } from '../../db/values.ts';

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
  await inSmallBatches(db, (trx, size) => forgetTokens(trx, before, size), isOver);
  let place: Place = BEGINNING;
  const forget = async (trx: Database, size: number) => {
    const rows = await nextUnused(trx, before, { place, size });
    const ids = rows.filter(({ hasTokens }) => Number(hasTokens) === 0).map(({ id }) => id);
    if (ids.length > 0) await trx.deleteFrom('jotgate_session').where('id', 'in', ids).execute();
    place = rows.at(-1) ?? place;
    return rows.length;
  };
  await inSmallBatches(db, forget, isOver);
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

/** How far one has got among the sessions that nobody used lately, by time and then by id. */
interface Place {
  last_used_at: SqlTime;
  id: number;
}

const BEGINNING: Place = { last_used_at: '0001-01-01 00:00:00', id: 0 };

/** Each is looked at once, for there may be many that nobody uses and that have tokens for months. */
async function nextUnused(
  trx: Database,
  before: SqlTime,
  { place, size }: { place: Place; size: number },
): Promise<(Place & { hasTokens: number })[]> {
  const { rows } = await sql<Place & { hasTokens: number }>`
    select id, last_used_at, case when exists (
      select 1 from jotgate_session_token as token where token.session_id = jotgate_session.id
    ) then 1 else 0 end as "hasTokens"
    from jotgate_session
    where last_used_at <= ${before} and last_used_at >= ${place.last_used_at}
      and (last_used_at > ${place.last_used_at} or id > ${place.id})
    order by last_used_at, id limit ${size}`.execute(trx);
  return rows;
}
