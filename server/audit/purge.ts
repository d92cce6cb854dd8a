import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import { dayOf } from './record.ts';

/** How many rows one transaction forgets: it holds nobody up. */
const ROWS_AT_ONCE = 1_000;

/** The pause between two, in milliseconds, for whoever else has something to ask. */
const PAUSE = 20;

/** How long the counts of days are kept at least, in seconds: charts look that far back. */
const DAYS_KEPT = 31 * 86_400;

/**
 * Forgets the events that are older than their lifetime, and the counts of days.
 *
 * @param now seconds since the epoch
 * @param lifetime in seconds
 * @param isOver asked after each batch, for one who wants to stop
 * @returns how many events were forgotten
 */
export async function purgeEvents(
  db: Database,
  now: number,
  lifetime: number,
  isOver: () => boolean = () => false,
): Promise<number> {
  const before = toSqlTime(new Date((now - lifetime) * 1000));
  let forgotten = 0;
  for (;;) {
    const oldest = db
      .selectFrom('jotgate_event')
      .select('id')
      .where('at', '<', before)
      .orderBy('at')
      .limit(ROWS_AT_ONCE);
    const { numDeletedRows } = await db
      .deleteFrom('jotgate_event')
      .where('id', 'in', oldest)
      .executeTakeFirstOrThrow();
    forgotten += Number(numDeletedRows);
    if (numDeletedRows < ROWS_AT_ONCE || isOver()) break;
    await pause(PAUSE);
  }
  const firstDay = dayOf(now - Math.max(lifetime, DAYS_KEPT));
  await db.deleteFrom('jotgate_event_day').where('day', '<', firstDay).execute();
  return forgotten;
}
