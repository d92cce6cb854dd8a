import { lockRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { requireDeed, requireSuperuserLeft } from './account-policy.ts';
import { type Acting, freshActor, objectOf, subjectOf } from './acting.ts';
import { findUserById, setPassword } from './users.ts';

/**
 * Gives somebody's account another password, or one that cannot be used.
 *
 * @param passwordHash from `hashPassword` or `unusablePassword`
 * @throws AppError `not_found`; `forbidden` when the actor may not
 */
export function changePassword(
  db: Database,
  acting: Acting,
  id: number,
  passwordHash: string,
): Promise<UserRow> {
  return inTransaction(db, async (trx) => {
    const actor = await freshActor(trx, acting);
    await lockRows(trx, 'auth_user', [id]);
    const user = await findUserById(trx, id);
    if (user === null) throw new AppError('not_found');
    requireDeed(actor, 'set the password of', await subjectOf(trx, user));
    await setPassword(trx, id, passwordHash);
    if (user.is_superuser === 1) await requireSuperuserLeft(trx);
    const event = { kind: 'password_changed', origin: acting.origin, object: objectOf(user) } as const;
    await recordEvents(trx, [event], acting.now);
    return { ...user, password: passwordHash };
  });
}
