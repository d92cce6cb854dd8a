import type { Database } from '../../../db/statement.ts';
import { inTransaction } from '../../../db/transaction.ts';
import { fromSqlTime, toSqlTime } from '../../../db/values.ts';
import { type NewEvent, type Origin, recordEvents } from '../../audit/record.ts';
import type { Settings } from '../../settings.ts';
import { generateMaterial, type KeyMaterial } from './key-material.ts';
import { allKeys, type KeyRow, newKid, raiseVersion, stateAt, UNNAMED, updateKey } from './ring-rows.ts';
import { makeSeal, type Seal } from './sealing.ts';

/** A change of the keys is refused. The message is one line for people, and nothing was changed. */
export class KeyRefusal extends Error {
  override name = 'KeyRefusal';
}

/** Who changes the keys, when, and what he saw of them before. */
export interface KeyChange {
  origin: Origin;
  now: Date;
  /** The version of the ring that the decision was made on; where it is another by now, the change is refused. */
  seen?: number;
}

/** A transaction in which nobody else changes the ring. */
export interface Edit {
  readonly trx: Database;
  readonly settings: Settings;
  readonly seal: Seal;
  readonly now: Date;
  readonly origin: Origin;
  /** New keys of ALGORITHM, made before the transaction began: making one may take long. */
  readonly spares: KeyMaterial[];
}

/** For answers that are on their way while the keys change, and tokens that other instances sign meanwhile; in seconds. */
const SLACK = 60;

/** The longest time that any token is good for, in seconds. A sliding one can be renewed until its period is over. */
export function longestLifetime(settings: Settings): number {
  return (
    settings.LEEWAY +
    Math.max(
      settings.ACCESS_TOKEN_LIFETIME,
      settings.REFRESH_TOKEN_LIFETIME,
      settings.SLIDING_TOKEN_REFRESH_LIFETIME + settings.SLIDING_TOKEN_LIFETIME,
    )
  );
}

/** From when no token is alive that a key signed until now, at the latest. */
export function endOfTokens({ token_lifetime }: Pick<KeyRow, 'token_lifetime'>, now: Date): Date {
  return new Date(now.getTime() + (token_lifetime + SLACK) * 1000);
}

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
    if (!isRestorable(key, edit.now)) throw new KeyRefusal('All of its tokens have expired: there is nothing to restore.');
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
    await record(edit, 'key_added', await insertKey(edit, 'standby'));
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

export function activeOf(keys: readonly KeyRow[]): KeyRow | undefined {
  return keys.find(({ state, kid }) => state === 'active' && kid !== UNNAMED);
}

/**
 * Changes the ring in a transaction that nobody else's change comes between.
 *
 * @param spareCount how many new keys the change may need
 * @throws KeyRefusal
 */
export function changeRing(
  db: Database,
  settings: Settings,
  change: KeyChange,
  spareCount: number,
  work: (edit: Edit) => Promise<void>,
): Promise<void> {
  return editRing(db, settings, change, spareCount, async (edit) => {
    const version = await raiseVersion(edit.trx);
    if (version === null) throw new KeyRefusal('There is no key ring: set KEY_RING=true and start the server.');
    if (change.seen !== undefined && change.seen !== version) {
      throw new KeyRefusal('Somebody else changed the keys meanwhile. Look at them once more.');
    }
    await work(edit);
  });
}

/** As `changeRing`, for work that sees to it itself that nobody comes between, and that others notice. */
export async function editRing(
  db: Database,
  settings: Settings,
  { origin, now }: KeyChange,
  spareCount: number,
  work: (edit: Edit) => Promise<void>,
): Promise<void> {
  const seal = makeSeal(settings.SECRET_KEY);
  const spares = await Promise.all(
    Array.from({ length: spareCount }, () => generateMaterial(settings.ALGORITHM)),
  );
  await inTransaction(db, (trx) => work({ trx, settings, seal, now, origin, spares }));
}

/** Makes the next key of ALGORITHM sign: the standby key that is the longest known, or a new one. */
export async function rotate(edit: Edit): Promise<void> {
  const keys = await allKeys(edit.trx);
  const active = activeOf(keys);
  const { ALGORITHM } = edit.settings;
  const standby = keys.filter(({ state }) => state === 'standby');
  const next = standby.find(({ algorithm }) => algorithm === ALGORITHM) ?? (await insertKey(edit, 'standby'));
  if (active !== undefined) await letGo(edit, active, endOfTokens(active, edit.now));
  for (const key of standby.filter(({ algorithm }) => algorithm !== ALGORITHM)) await letGo(edit, key);
  await activate(edit, next);
  await record(edit, 'key_rotated', next, '', active);
  await ensureStandby(edit);
}

/** Sees to it that there is a key which is known to all before it signs. */
export async function ensureStandby(edit: Edit): Promise<void> {
  const keys = await allKeys(edit.trx);
  const isReady = ({ state, algorithm }: KeyRow) =>
    state === 'standby' && algorithm === edit.settings.ALGORITHM;
  if (!keys.some(isReady)) await insertKey(edit, 'standby');
}

/** Adds a new key of ALGORITHM. */
export async function insertKey(edit: Edit, state: 'standby'): Promise<KeyRow> {
  const { ALGORITHM } = edit.settings;
  const { algorithm, publicKey, privateKey } = edit.spares.pop() ?? (await generateMaterial(ALGORITHM));
  const kid = newKid();
  const row = await edit.trx
    .insertInto('jotgate_signing_key')
    .values({
      ...{ kid, algorithm, state, public_key: publicKey },
      sealed_key: edit.seal.close(privateKey ?? '', kid),
      token_lifetime: longestLifetime(edit.settings),
      created_at: toSqlTime(edit.now),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return row as KeyRow;
}

/** Has a key sign from now on. */
export async function activate(edit: Edit, key: KeyRow): Promise<void> {
  await updateKey(edit.trx, key, {
    state: 'active',
    activated_at: toSqlTime(edit.now),
    token_lifetime: Math.max(key.token_lifetime, longestLifetime(edit.settings)),
    retiring_at: null,
    expires_at: null,
  });
}

/**
 * Has a key sign nothing any more.
 *
 * @param end of its tokens; else what is known of it. One that never signed is retired at once.
 */
export async function letGo(edit: Edit, key: KeyRow, end?: Date): Promise<void> {
  const at = toSqlTime(edit.now);
  const expires_at = end === undefined ? key.expires_at : toSqlTime(end);
  if (expires_at === null) await updateKey(edit.trx, key, { state: 'retired', retired_at: at });
  else await updateKey(edit.trx, key, { state: 'retiring', retiring_at: at, expires_at });
}

/** @throws KeyRefusal where there is no such key in one of these states */
async function keyOf(edit: Edit, id: number, states: readonly string[]): Promise<KeyRow> {
  const key = (await allKeys(edit.trx)).find((one) => one.id === id);
  if (key === undefined) throw new KeyRefusal('There is no such key.');
  const state = stateAt(key, edit.now);
  if (!states.includes(state)) throw new KeyRefusal(`The key is ${state}, for which this cannot be done.`);
  return key;
}

/** Says in the history what became of a key. @param former the key that signed before, where another does now */
export async function record(
  { trx, now, origin }: Edit,
  kind: NewEvent['kind'],
  { id, kid }: KeyRow,
  reason = '',
  former?: KeyRow,
): Promise<void> {
  const object = { type: 'signingkey', id: String(id), name: kid || 'without a kid' } as const;
  const changes = former === undefined ? [] : [{ field: 'Signing key', before: former.kid, after: kid }];
  await recordEvents(trx, [{ kind, origin, object, reason, changes }], now);
}
