import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
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

/** How many rows one transaction looks at: as many as it can in the time that it may take. */
const SMALLEST_BATCH = 25;
const LARGEST_BATCH = 400;

/** How long one transaction may take, in milliseconds: for so long a request may have to wait. */
const BATCH_TIME = 10;

/** The shortest pause between two, in milliseconds. */
const SHORTEST_PAUSE = 5;

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
  await purgeFailures(db, settings, now);
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
  { isOver = () => false, onProgress = () => {} }: FlushOptions = {},
): Promise<number> {
  let place: Place = BEGINNING;
  let size = SMALLEST_BATCH;
  let flushed = 0;
  for (;;) {
    const batch = await flushBatch(db, settings, now, { place, size });
    flushed += batch.flushed;
    onProgress(flushed);
    if (batch.end === null || isOver()) return flushed;
    place = batch.end;
    if (batch.took > BATCH_TIME) size = Math.max(SMALLEST_BATCH, size / 2);
    else if (batch.took < BATCH_TIME / 2) size = Math.min(LARGEST_BATCH, size * 2);
    await pause(Math.max(SHORTEST_PAUSE, batch.took));
  }
}

/** How far one has got among the expired, by time and then by id. */
interface Place {
  expires_at: SqlTime;
  id: number;
}

const BEGINNING: Place = { expires_at: '0001-01-01 00:00:00', id: 0 };

interface Batch {
  flushed: number;
  /** Where the next one begins; null when there is nothing more. */
  end: Place | null;
  /** In milliseconds, once the transaction had begun. */
  took: number;
}

function flushBatch(
  db: Database,
  settings: Settings,
  now: Date,
  { place, size }: { place: Place; size: number },
): Promise<Batch> {
  return inTransaction(db, async (trx) => {
    const started = performance.now();
    const { rows } = await sql<Place & { live: number }>`
      select id, expires_at, case when ${isLive(settings, now)} then 1 else 0 end as live
      from token_blacklist_outstandingtoken
      where expires_at <= ${toSqlTime(now)} and expires_at >= ${place.expires_at}
        and (expires_at > ${place.expires_at} or id > ${place.id})
      order by expires_at, id limit ${size}`.execute(trx);
    const ids = rows.filter(({ live }) => Number(live) === 0).map(({ id }) => id);
    const flushed = await forget(trx, ids, size);
    const end = rows.length < size ? null : (rows.at(-1) ?? null);
    return { flushed, end, took: performance.now() - started };
  });
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
