import type { Database } from '../../../db/statement.ts';
import { fromSqlTime, toSqlTime } from '../../../db/values.ts';
import type { Settings } from '../../settings.ts';
import {
  activate,
  activeOf,
  changeRing,
  type Edit,
  endOfTokens,
  ensureStandby,
  insertStandby,
  type KeyChange,
  KeyRefusal,
  record,
  rotate,
} from './ring-edit.ts';
import { allKeys, type KeyRow, stateAt, UNNAMED, updateKey } from './ring-rows.ts';

/**
 * Makes the next key the one that signs. The last one goes on verifying until the longest of its tokens has expired.
 * There is always a standby key after it.
 *
 * @throws KeyRefusal
 */
export function rotateKeys(db: Database, settings: Settings, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 2, rotate);
}

/**
 * Makes the key that signed last the one that signs again; the one that took over from it stands by.
 *
 * @throws KeyRefusal
 */
export function undoRotation(db: Database, settings: Settings, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 0, async (edit) => {
    const keys = await allKeys(edit.trx);
    const last = lastRotated(keys, edit.now);
    if (last === undefined) throw new KeyRefusal('There is no rotation to undo: no key is retiring.');
    if (last.algorithm !== settings.ALGORITHM) {
      throw new KeyRefusal(
        `The last key signs ${last.algorithm}, and ALGORITHM is ${settings.ALGORITHM}: set that back instead.`,
      );
    }
    const active = activeOf(keys);
    if (active !== undefined) {
      // Some of its tokens are out: where it is let go one day, they are waited for.
      const expires_at = toSqlTime(endOfTokens(active, edit.now));
      await updateKey(edit.trx, active, { state: 'standby', expires_at });
    }
    await activate(edit, last);
    await record(edit, 'key_restored', last, 'rotation undone', active);
  });
}

/**
 * Ends a retiring key at once, and its tokens with it. It can be restored while some of them would still be alive.
 *
 * @throws KeyRefusal
 */
export function retireKey(db: Database, settings: Settings, id: number, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 0, async (edit) => {
    const key = await keyOf(edit, id, ['retiring']);
    await updateKey(edit.trx, key, { state: 'retired', retired_at: toSqlTime(edit.now) });
    await record(edit, 'key_retired', key);
  });
}

/**
 * Lets a key that was retired verify again, until its tokens have expired.
 *
 * @throws KeyRefusal
 */
export function restoreKey(db: Database, settings: Settings, id: number, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 0, async (edit) => {
    const key = await keyOf(edit, id, ['retired']);
    if (!isRestorable(key, edit.now))
      throw new KeyRefusal('All of its tokens have expired: there is nothing to restore.');
    await updateKey(edit.trx, key, { state: 'retiring', retired_at: null });
    await record(edit, 'key_restored', key);
  });
}

/**
 * Ends a key and its tokens at once and for good, and forgets its private half. For one that signs, the next takes over.
 *
 * @throws KeyRefusal
 */
export function withdrawKey(db: Database, settings: Settings, id: number, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 2, async (edit) => {
    const key = await keyOf(edit, id, ['standby', 'active', 'retiring', 'retired']);
    if (key.state === 'active' && key.kid !== UNNAMED) await rotate(edit);
    const withdrawn_at = toSqlTime(edit.now);
    await updateKey(edit.trx, key, { state: 'withdrawn', withdrawn_at, sealed_key: null });
    await record(edit, 'key_withdrawn', key);
    await ensureStandby(edit);
  });
}

/**
 * Makes one more key that is known to all before it signs.
 *
 * @throws KeyRefusal
 */
export function addStandby(db: Database, settings: Settings, change: KeyChange): Promise<void> {
  return changeRing(db, settings, change, 1, async (edit) => {
    await record(edit, 'key_added', await insertStandby(edit));
  });
}

/**
 * Makes the next key sign if the one that does has done so for KEY_ROTATION_INTERVAL. Of any number of instances one
 * does it.
 *
 * @returns whether this call did it
 */
export async function rotateIfDue(db: Database, settings: Settings, change: KeyChange): Promise<boolean> {
  const isDue = ({ activated_at }: KeyRow) =>
    activated_at !== null &&
    fromSqlTime(activated_at).getTime() + settings.KEY_ROTATION_INTERVAL * 1000 <= change.now.getTime();
  const findDue = async (of: Database) => {
    const active = activeOf(await allKeys(of));
    return active !== undefined && isDue(active);
  };
  if (settings.KEY_ROTATION_INTERVAL === 0 || !(await findDue(db))) return false;
  let isDone = false;
  await changeRing(db, settings, change, 2, async (edit) => {
    // Another instance may have been first.
    if (!(await findDue(edit.trx))) return;
    await rotate(edit);
    isDone = true;
  });
  return isDone;
}

/** Whether a retired key has tokens that would be alive again if it were restored. */
export function isRestorable({ state, expires_at }: KeyRow, now: Date): boolean {
  return state === 'retired' && expires_at !== null && fromSqlTime(expires_at) > now;
}

/** The key that signed before the one that does, if its tokens are not over. */
export function lastRotated(keys: readonly KeyRow[], now: Date): KeyRow | undefined {
  return keys
    .filter((key) => stateAt(key, now) === 'retiring' && key.kid !== UNNAMED)
    .sort((one, other) => ((one.retiring_at ?? '') < (other.retiring_at ?? '') ? 1 : -1))[0];
}

/** @throws KeyRefusal where there is no such key in one of these states */
async function keyOf(edit: Edit, id: number, states: readonly string[]): Promise<KeyRow> {
  const key = (await allKeys(edit.trx)).find((one) => one.id === id);
  if (key === undefined) throw new KeyRefusal('There is no such key.');
  const state = stateAt(key, edit.now);
  if (!states.includes(state)) throw new KeyRefusal(`The key is ${state}, for which this cannot be done.`);
  return key;
}
