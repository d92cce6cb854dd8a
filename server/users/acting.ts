import { inBatches } from '../../db/batches.ts';
import { lockName } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import type { Origin } from '../audit/record.ts';
import { forbidden, type Subject } from './account-policy.ts';
import { type Actor, actorOf, grantedKeysOf, grantedKeysOfEach } from './permissions.ts';
import { findUserById } from './users.ts';

/** Who does something to accounts, from where, and when. */
export interface Acting {
  actor: Actor;
  origin: Origin;
  now: Date;
}

/**
 * The actor as he is now: what he may can have been taken from him since his request began. From here on until the
 * transaction ends nobody else does anything to accounts or groups in the admin, so that what is checked stays so.
 *
 * @throws AppError `forbidden` when he may not enter the admin any more
 */
export async function freshActor(trx: Database, { actor }: Pick<Acting, 'actor'>): Promise<Actor> {
  await lockName(trx, 'accounts');
  const user = await findUserById(trx, actor.user.id);
  if (user?.is_active !== 1 || user.is_staff !== 1) {
    throw forbidden('Your account may not enter the admin any more.');
  }
  return actorOf(trx, user);
}

export async function subjectOf(db: Database, user: UserRow): Promise<Subject> {
  return { user, keys: await grantedKeysOf(db, user.id) };
}

/** The accounts of some ids, by name. Who is gone is left out. */
export async function findSubjects(db: Database, ids: readonly number[]): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const batch of inBatches(ids)) {
    const users = await db.selectFrom('auth_user').selectAll().where('id', 'in', batch).execute();
    const keys = await grantedKeysOfEach(db, batch);
    subjects.push(...users.map((user) => ({ user, keys: keys.get(user.id) ?? new Set<string>() })));
  }
  return subjects.sort((one, other) => (one.user.username < other.user.username ? -1 : 1));
}

/** What an event calls an account. */
export function objectOf({ id, username }: Pick<UserRow, 'id' | 'username'>) {
  return { type: 'user' as const, id: String(id), name: username };
}
