import type { Database } from '../../db/statement.ts';

/** Up to where is counted. */
const MOST_COUNTED = 10_000;

/** How many accounts there are: `total` at most 10,000, or `isMore` than it. */
export async function countUsers(db: Database): Promise<{ total: number; isMore: boolean }> {
  const some = db
    .selectFrom('auth_user')
    .select('id')
    .limit(MOST_COUNTED + 1)
    .as('some');
  const { count } = await db
    .selectFrom(some)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return { total: Math.min(Number(count), MOST_COUNTED), isMore: Number(count) > MOST_COUNTED };
}
