import { inBatches } from '../../db/batches.ts';
import { lockRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlBoolean } from '../../db/values.ts';
import { recordEvents } from '../audit/record.ts';
import { changesOf } from './account-differences.ts';
import { type Deed, requireDeed, requireSuperuserLeft } from './account-policy.ts';
import { type Acting, findSubjects, freshActor, objectOf } from './acting.ts';

/**
 * Activates or deactivates accounts, all of them or none. Who is gone meanwhile is left out.
 *
 * @returns those that were in the other state before
 * @throws AppError `forbidden` when there is one among them with whom the actor may not do it
 */
export function switchAccounts(
  db: Database,
  { origin, now, actor: given }: Acting,
  deed: Extract<Deed, 'activate' | 'deactivate'>,
  ids: readonly number[],
): Promise<UserRow[]> {
  const is_active = toSqlBoolean(deed === 'activate');
  return inTransaction(db, async (trx) => {
    const actor = await freshActor(trx, { actor: given });
    await lockRows(trx, 'auth_user', ids);
    const subjects = await findSubjects(trx, ids);
    for (const subject of subjects) requireDeed(actor, deed, subject);
    const switched = subjects.map(({ user }) => user).filter((user) => user.is_active !== is_active);
    for (const batch of inBatches(switched.map(({ id }) => id))) {
      await trx.updateTable('auth_user').set({ is_active }).where('id', 'in', batch).execute();
    }
    if (switched.some((user) => user.is_superuser === 1)) await requireSuperuserLeft(trx);
    const [before, after] = deed === 'activate' ? (['no', 'yes'] as const) : (['yes', 'no'] as const);
    const changes = changesOf([{ field: 'is_active', before, after }]);
    const events = switched.map((user) => ({
      kind: 'user_changed' as const,
      origin,
      object: objectOf(user),
      changes,
    }));
    await recordEvents(trx, events, now);
    return switched;
  });
}
