import { randomBytes } from 'node:crypto';
import type { Database } from '../../../db/statement.ts';
import type { SigningKeyRow, Tables } from '../../../db/tables.ts';
import { fromSqlTime } from '../../../db/values.ts';
import type { Algorithm } from '../context.ts';

/**
 * Standby: known to all, and signs nothing yet. Active: signs. Retiring: signs nothing any more, and its tokens go on.
 * Retired: its tokens are over, or were ended; it can come back while some would still be alive. Withdrawn: never again.
 */
export type KeyState = 'standby' | 'active' | 'retiring' | 'retired' | 'withdrawn';

/** A key of the ring as the database has it. */
export type KeyRow = SigningKeyRow & { algorithm: Algorithm; state: KeyState };

/** The one ring there is. */
const RING_ID = 1;

/** The kid of the key whose tokens name none. */
export const UNNAMED = '';

/** The states of keys that tokens are checked with. */
const VERIFYING: readonly KeyState[] = ['standby', 'active', 'retiring'];

/** The state of a key. One whose tokens have all expired counts as retired without anybody writing so. */
export function stateAt({ state, expires_at }: KeyRow, now: Date): KeyState {
  if (state !== 'retiring' || expires_at === null) return state;
  return fromSqlTime(expires_at) <= now ? 'retired' : 'retiring';
}

/** Every key of the ring, in the order in which they were made. */
export async function allKeys(db: Database): Promise<KeyRow[]> {
  const rows = await db.selectFrom('jotgate_signing_key').selectAll().orderBy('id').execute();
  return rows as KeyRow[];
}

/** The keys that tokens may be checked with, in the order in which they were made. */
export async function verifyingKeys(db: Database): Promise<KeyRow[]> {
  const rows = await db
    .selectFrom('jotgate_signing_key')
    .selectAll()
    .where('state', 'in', VERIFYING)
    .orderBy('id')
    .execute();
  return rows as KeyRow[];
}

/** The version of the ring; null where there is none. */
export async function ringVersion(db: Database): Promise<number | null> {
  const row = await db
    .selectFrom('jotgate_key_ring')
    .select('version')
    .where('id', '=', RING_ID)
    .executeTakeFirst();
  return row?.version ?? null;
}

/** Begins the ring, with the version 1. Of any number at the same time one is told true. */
export async function insertRing(db: Database): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('jotgate_key_ring')
    .values({ id: RING_ID, version: 1 })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Raises the version, by which every instance notices the change that is made in the same transaction. Whoever changes
 * the ring at the same time waits for it; so this comes before what is changed is looked at.
 *
 * @returns the version before; null where there is no ring
 */
export async function raiseVersion(trx: Database): Promise<number | null> {
  const row = await trx
    .updateTable('jotgate_key_ring')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('id', '=', RING_ID)
    .returning('version')
    .executeTakeFirst();
  return row === undefined ? null : row.version - 1;
}

export async function updateKey(
  trx: Database,
  { id }: Pick<KeyRow, 'id'>,
  changes: Partial<Omit<Tables['jotgate_signing_key'], 'id' | 'kid' | 'algorithm'>> & { state?: KeyState },
): Promise<void> {
  await trx.updateTable('jotgate_signing_key').set(changes).where('id', '=', id).execute();
}

/** A new name for a key: 16 hex digits, which stand well in a path, a command and a log. */
export function newKid(): string {
  return randomBytes(8).toString('hex');
}
