import { lockRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { requireGoodFields } from './account-complaints.ts';
import { ascending, changesOf, type Difference, differencesBetween } from './account-differences.ts';
import { requireDeed, requireSuperuserLeft } from './account-policy.ts';
import { type Account, type AccountFields, fieldsOf, findAccount } from './accounts.ts';
import { type Acting, freshActor, objectOf, subjectOf } from './acting.ts';
import { normalizeEmail, normalizeUsername } from './fields.ts';
import { findGrants, namesOf } from './grants.ts';
import { storeFields } from './store-account.ts';

export interface AccountEdit {
  id: number;
  /** What the form was filled from. */
  expected: AccountFields;
  entered: AccountFields;
}

export type EditResult =
  | { outcome: 'saved'; account: Account; differences: readonly Difference[] }
  /** Somebody else changed the account since the form was filled; nothing was written. */
  | { outcome: 'conflict'; stored: AccountFields; meanwhile: readonly Difference[] };

/**
 * Changes an account by its change form, all of it or nothing. A login meanwhile is no conflict unless the person
 * entered another time of it himself.
 *
 * @throws AppError `not_found`; `forbidden` when he may not; `invalid` with the complaints by field
 */
export function changeAccount(db: Database, acting: Acting, edit: AccountEdit): Promise<EditResult> {
  return inTransaction(db, async (trx): Promise<EditResult> => {
    const actor = await freshActor(trx, acting);
    await lockRows(trx, 'auth_user', [edit.id]);
    const account = await findAccount(trx, edit.id);
    if (account === null) throw new AppError('not_found');
    requireDeed(actor, 'change', await subjectOf(trx, account.user));
    const grants = await findGrants(trx);
    const before = fieldsOf(account);
    const { expected, entered } = pastLogin(edit, before);
    const meanwhile = differencesBetween(expected, before, namesOf(grants));
    if (meanwhile.length > 0) return { outcome: 'conflict', stored: before, meanwhile };
    const after = normalized(entered);
    await requireGoodFields(trx, { actor, id: edit.id, before, after, ...grants });
    const differences = differencesBetween(before, after, namesOf(grants));
    if (differences.length === 0) return { outcome: 'saved', account, differences };
    await storeFields(trx, edit.id, before, after);
    if (before.is_superuser) await requireSuperuserLeft(trx);
    const changed = (await findAccount(trx, edit.id)) as Account;
    const event = { kind: 'user_changed', object: objectOf(changed.user) } as const;
    const changes = changesOf(differences);
    await recordEvents(trx, [{ ...event, origin: acting.origin, changes }], acting.now);
    return { outcome: 'saved', account: changed, differences };
  });
}

/** The edit as if the account's last login had been seen, where the person did not enter another. */
function pastLogin({ expected, entered }: AccountEdit, { last_login }: AccountFields) {
  if (entered.last_login !== expected.last_login) return { expected, entered };
  return { expected: { ...expected, last_login }, entered: { ...entered, last_login } };
}

/** What was entered as it is to be stored. */
function normalized(entered: AccountFields): AccountFields {
  return {
    ...entered,
    username: normalizeUsername(entered.username.trim()),
    first_name: entered.first_name.trim(),
    last_name: entered.last_name.trim(),
    email: normalizeEmail(entered.email.trim()),
    groups: ascending(entered.groups),
    user_permissions: ascending(entered.user_permissions),
  };
}
