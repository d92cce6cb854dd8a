import type { Database } from '../../../db/statement.ts';
import { inTransaction } from '../../../db/transaction.ts';
import { toSqlTime } from '../../../db/values.ts';
import { type NewEvent, type Origin, recordEvents } from '../../audit/record.ts';
import type { Settings } from '../../settings.ts';
import { generateMaterial, type KeyMaterial } from './key-material.ts';
import { allKeys, type KeyRow, newKid, raiseVersion, UNNAMED, updateKey } from './ring-rows.ts';
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

/** The key that signs. */
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
    if (version === null)
      throw new KeyRefusal('There is no key ring: set KEY_RING=true and start the server.');
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
  const next = standby.find(({ algorithm }) => algorithm === ALGORITHM) ?? (await insertStandby(edit));
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
  if (!keys.some(isReady)) await insertStandby(edit);
}

/** Adds a new key of ALGORITHM, which signs nothing yet. */
export async function insertStandby(edit: Edit): Promise<KeyRow> {
  const { ALGORITHM } = edit.settings;
  const { algorithm, publicKey, privateKey } = edit.spares.pop() ?? (await generateMaterial(ALGORITHM));
  const kid = newKid();
  const row = await edit.trx
    .insertInto('jotgate_signing_key')
    .values({
      ...{ kid, algorithm, state: 'standby', public_key: publicKey },
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
