import { sql } from 'kysely';
import { inBatches } from '../../db/batches.ts';
import { isStillReferredTo } from '../../db/failures.ts';
import { lockRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { findRefusal, forbidden, requireDeed, requireSuperuserLeft } from './account-policy.ts';
import { type Acting, findSubjects, freshActor, objectOf } from './acting.ts';
import type { Actor } from './permissions.ts';

/** What hangs on an account, in numbers of rows. */
export interface Belongings {
  /** Its places in groups and its own permissions, which go with it. */
  groups: number;
  permissions: number;
  /** What Django's admin logged of its doings, which goes as well. The history of this server stays. */
  logEntries: number;
  /** Its log-ins to the admin, which end. */
  sessions: number;
  /** Its refresh tokens, which stay on record without an owner and are refused from then on. */
  tokens: number;
}

export interface DoomedAccount {
  user: UserRow;
  belongings: Belongings;
  /** Why the actor may not delete it; null where he may. */
  refusal: string | null;
}

/** What would go with each of some accounts, by name. Who is gone already is left out. Writes nothing. */
export async function previewDeletion(
  db: Database,
  actor: Actor,
  ids: readonly number[],
): Promise<DoomedAccount[]> {
  const subjects = await findSubjects(db, ids);
  const groups = await countByUser(db, 'auth_user_groups', ids);
  const permissions = await countByUser(db, 'auth_user_user_permissions', ids);
  const logEntries = await countByUser(db, 'django_admin_log', ids);
  const sessions = await countByUser(db, 'jotgate_admin_session', ids);
  const tokens = await countByUser(db, 'token_blacklist_outstandingtoken', ids);
  return subjects.map((subject) => ({
    user: subject.user,
    belongings: {
      groups: groups(subject.user.id),
      permissions: permissions(subject.user.id),
      logEntries: logEntries(subject.user.id),
      sessions: sessions(subject.user.id),
      tokens: tokens(subject.user.id),
    },
    refusal: findRefusal(actor, 'delete', subject),
  }));
}

/**
 * Deletes accounts with what goes with them, all of them or none. Who is gone meanwhile is left out.
 *
 * @returns those that were deleted
 * @throws AppError `forbidden` when there is one among them that the actor may not delete
 */
export async function deleteAccounts(
  db: Database,
  acting: Acting,
  ids: readonly number[],
): Promise<UserRow[]> {
  try {
    return await inTransaction(db, (trx) => deleteAll(trx, acting, ids));
  } catch (error) {
    if (!isStillReferredTo(error)) throw error;
    throw forbidden(
      'Records of another application in this database belong to the account. Delete those there first, ' +
        'or deactivate the account instead.',
    );
  }
}

async function deleteAll(trx: Database, acting: Acting, ids: readonly number[]): Promise<UserRow[]> {
  const actor = await freshActor(trx, acting);
  await lockRows(trx, 'auth_user', ids);
  const subjects = await findSubjects(trx, ids);
  for (const subject of subjects) requireDeed(actor, 'delete', subject);
  const users = subjects.map(({ user }) => user);
  for (const batch of inBatches(users.map(({ id }) => id))) await deleteRows(trx, batch);
  if (users.some((user) => user.is_superuser === 1)) await requireSuperuserLeft(trx);
  const event = { kind: 'user_deleted', origin: acting.origin } as const;
  const events = users.map((user) => ({ ...event, object: objectOf(user) }));
  await recordEvents(trx, events, acting.now);
  return users;
}

async function deleteRows(trx: Database, ids: readonly number[]): Promise<void> {
  await trx.deleteFrom('auth_user_groups').where('user_id', 'in', ids).execute();
  await trx.deleteFrom('auth_user_user_permissions').where('user_id', 'in', ids).execute();
  await trx.deleteFrom('django_admin_log').where('user_id', 'in', ids).execute();
  // SimpleJWT's OutstandingToken.user is SET_NULL: a token that was revoked must stay on record until it expires.
  const tokens = trx.updateTable('token_blacklist_outstandingtoken').set({ user_id: null });
  await tokens.where('user_id', 'in', ids).execute();
  await trx.deleteFrom('auth_user').where('id', 'in', ids).execute();
}

/** How many rows of a table belong to each of some accounts. */
async function countByUser(db: Database, table: string, ids: readonly number[]) {
  const counts = new Map<number, number>();
  for (const batch of inBatches(ids)) {
    const { rows } = await sql<{ id: number; count: number }>`select user_id as id, count(*) as count
      from ${sql.table(table)} where user_id in (${sql.join(batch)}) group by user_id`.execute(db);
    for (const { id, count } of rows) counts.set(id, Number(count));
  }
  return (id: number) => counts.get(id) ?? 0;
}
