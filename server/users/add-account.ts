import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { byBytes } from '../../db/text-order.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { requireAdding, requireSuperuser } from './account-policy.ts';
import { type Acting, freshActor, objectOf } from './acting.ts';
import { normalizeUsername } from './fields.ts';
import { createSuperuser, createUser, type NewUser, TAKEN } from './users.ts';

/**
 * Adds an account that may do nothing yet, as the first step of Django's add form does.
 *
 * @throws AppError `forbidden` when the actor may not; `invalid` with the complaints by field
 */
export function addAccount(
  db: Database,
  acting: Acting,
  user: Pick<NewUser, 'username' | 'passwordHash'>,
): Promise<UserRow> {
  return inTransaction(db, async (trx) => {
    requireAdding(await freshActor(trx, acting));
    await refuseNamesake(trx, user.username);
    const added = await createUser(trx, user, acting.now);
    const event = { kind: 'user_added', origin: acting.origin, object: objectOf(added) } as const;
    await recordEvents(trx, [event], acting.now);
    return added;
  });
}

/**
 * Adds an account that may do everything.
 *
 * @throws AppError `forbidden` when the actor is no superuser; `invalid` with the complaints by field
 */
export function addSuperuser(
  db: Database,
  acting: Acting,
  user: Pick<NewUser, 'username' | 'email' | 'passwordHash'>,
): Promise<UserRow> {
  return inTransaction(db, async (trx) => {
    requireSuperuser(await freshActor(trx, acting));
    await refuseNamesake(trx, user.username);
    const added = await createSuperuser(trx, user, acting.now);
    const event = { kind: 'superuser_created', origin: acting.origin, object: objectOf(added) } as const;
    await recordEvents(trx, [event], acting.now);
    return added;
  });
}

/**
 * Whether somebody has this name, be it in other case: Django's UserCreationForm refuses that too, though the database
 * would not.
 */
export async function hasNamesake(db: Database, username: string): Promise<boolean> {
  const namesake = await db
    .selectFrom('auth_user')
    .select('id')
    .where(byBytes(sql`lower(username)`), '=', sql<string>`lower(${normalizeUsername(username)})`)
    .limit(1)
    .executeTakeFirst();
  return namesake !== undefined;
}

async function refuseNamesake(db: Database, username: string): Promise<void> {
  if (await hasNamesake(db, username)) throw new AppError('invalid', { members: { username: [TAKEN] } });
}
