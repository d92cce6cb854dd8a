import { sql } from 'kysely';
import { inSmallBatches } from '../../db/small-batches.ts';
import type { Database } from '../../db/statement.ts';
import { type SqlTime, toSqlTime } from '../../db/values.ts';
import { purgeAdminSessions } from '../sessions/admin-sessions.ts';
import { purgeSessions } from '../sessions/purge.ts';
import { purgeSetupKeys } from '../sessions/setup-keys.ts';
import type { Settings } from '../settings.ts';
import { purgeFailures } from '../users/login-failures.ts';
import { isLive } from './mass-revocation.ts';

export interface FlushOptions {
  /** Asked after each batch, for one who wants to stop. */
  isOver?: () => boolean;
  /** Told after each batch how many tokens were forgotten so far. */
  onProgress?: (count: number) => void;
}

/**
 * Deletes what is over and only takes room: the records of expired tokens and their sessions, admin sessions, set-up
 * keys and log-ins that failed.
 *
 * @returns how many tokens were forgotten
 */
export async function flushExpired(
  db: Database,
  settings: Settings,
  now: Date,
  options: FlushOptions = {},
): Promise<number> {
  const limits = { idle: settings.ADMIN_SESSION_IDLE_TIMEOUT, lifetime: settings.ADMIN_SESSION_LIFETIME };
  await purgeAdminSessions(db, limits, now);
  await purgeSetupKeys(db, now);
  await purgeFailures(db, settings, now, options);
  await purgeSessions(db, now, options);
  return flushExpiredTokens(db, settings, now, options);
}

/**
 * Deletes the records of tokens that expired, and with them their entries of the blacklist: an expired token is
 * refused without it. SimpleJWT's `flushexpiredtokens`, in batches that hold nobody up, and with one difference: what
 * may still be accepted, for LEEWAY or as a sliding token that was renewed, is kept, or it would come back to life.
 *
 * @returns how many tokens were forgotten
 */
export async function flushExpiredTokens(
  db: Database,
  settings: Settings,
  now: Date,
  { isOver, onProgress = () => {} }: FlushOptions = {},
): Promise<number> {
  let place: Place = BEGINNING;
  let flushed = 0;
  const flush = async (trx: Database, size: number) => {
    const rows = await nextExpired(trx, settings, now, { place, size });
    const ids = rows.filter(({ live }) => Number(live) === 0).map(({ id }) => id);
    flushed += await forget(trx, ids, size);
    place = rows.at(-1) ?? place;
    onProgress(flushed);
    return rows.length;
  };
  await inSmallBatches(db, flush, isOver);
  return flushed;
}

/** How far one has got among the expired, by time and then by id. */
interface Place {
  expires_at: SqlTime;
  id: number;
}

const BEGINNING: Place = { expires_at: '0001-01-01 00:00:00', id: 0 };

async function nextExpired(
  trx: Database,
  settings: Settings,
  now: Date,
  { place, size }: { place: Place; size: number },
): Promise<(Place & { live: number })[]> {
  const { rows } = await sql<Place & { live: number }>`
    select id, expires_at, case when ${isLive(settings, now)} then 1 else 0 end as live
    from token_blacklist_outstandingtoken
    where expires_at <= ${toSqlTime(now)} and expires_at >= ${place.expires_at}
      and (expires_at > ${place.expires_at} or id > ${place.id})
    order by expires_at, id limit ${size}`.execute(trx);
  return rows;
}

/** @returns how many were still there */
async function forget(trx: Database, ids: readonly number[], size: number): Promise<number> {
  if (ids.length === 0) return 0;
  // Of one length for each size of a batch: every text is kept prepared.
  const padded = Array.from({ length: size }, (_, index) => ids[Math.min(index, ids.length - 1)] as number);
  await trx.deleteFrom('token_blacklist_blacklistedtoken').where('token_id', 'in', padded).execute();
  const { numDeletedRows } = await trx
    .deleteFrom('token_blacklist_outstandingtoken')
    .where('id', 'in', padded)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
