import { inSmallBatches } from '../../db/small-batches.ts';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import { dayOf } from './record.ts';

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
  isOver?: () => boolean,
): Promise<number> {
  const before = toSqlTime(new Date((now - lifetime) * 1000));
  let forgotten = 0;
  const forget = async (trx: Database, size: number) => {
    const oldest = trx
      .selectFrom('jotgate_event')
      .select('id')
      .where('at', '<', before)
      .orderBy('at')
      .limit(size);
    const { numDeletedRows } = await trx
      .deleteFrom('jotgate_event')
      .where('id', 'in', oldest)
      .executeTakeFirstOrThrow();
    forgotten += Number(numDeletedRows);
    return Number(numDeletedRows);
  };
  await inSmallBatches(db, forget, isOver);
  const firstDay = dayOf(now - Math.max(lifetime, DAYS_KEPT));
  await db.deleteFrom('jotgate_event_day').where('day', '<', firstDay).execute();
  return forgotten;
}
