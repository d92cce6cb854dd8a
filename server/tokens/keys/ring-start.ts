import { hasTable } from '../../../db/has-table.ts';
import type { Database } from '../../../db/statement.ts';
import { fromSqlTime, toSqlTime } from '../../../db/values.ts';
import type { Settings } from '../../settings.ts';
import {
  activate,
  activeOf,
  changeRing,
  type Edit,
  editRing,
  endOfTokens,
  ensureStandby,
  insertStandby,
  type KeyChange,
  longestLifetime,
  record,
  rotate,
} from './ring-edit.ts';
import {
  allKeys,
  insertRing,
  type KeyRow,
  raiseVersion,
  ringVersion,
  UNNAMED,
  updateKey,
} from './ring-rows.ts';
import { bringUnnamedBack, hasTokens, letUnnamedGo, unnamedOf } from './unnamed-key.ts';

/**
 * Has the ring ready to sign: begins it where there is none, with a key that signs and one that stands by, and else
 * brings it into line with the settings. After a change of ALGORITHM a key of the new one signs, and the last one goes
 * on verifying.
 */
export async function prepareRing(db: Database, settings: Settings, now: Date): Promise<void> {
  const change: KeyChange = { origin: SERVER, now };
  if ((await ringVersion(db)) === null) {
    await editRing(db, settings, change, 2, async (edit) => {
      if (!(await insertRing(edit.trx))) return;
      await beginWith(edit, 'key ring switched on');
      if (await hasTokens(edit.trx)) await letUnnamedGo(edit);
    });
  }
  if (!isInLine(await allKeys(db), settings)) await changeRing(db, settings, change, 2, bringIntoLine);
}

/** The server itself, on nobody's behalf. */
const SERVER: KeyChange['origin'] = { via: 'command', actor: null };

/**
 * Whether tokens of the ring may still be alive where KEY_RING is off. Switching it off is undone by switching it on
 * again, and until then nobody is logged out: what the ring signed is accepted, and the ring knows that tokens are
 * signed without it.
 */
export async function closeRing(db: Database, settings: Settings, now: Date): Promise<boolean> {
  if (!(await hasTable(db, 'jotgate_key_ring')) || (await ringVersion(db)) === null) return false;
  const unnamed = unnamedOf(await allKeys(db));
  if (unnamed?.state === 'active' && unnamed.activated_at !== null) {
    return endOfTokens(unnamed, fromSqlTime(unnamed.activated_at)) > now;
  }
  if (unnamed?.state !== 'withdrawn') {
    await changeRing(db, settings, { origin: SERVER, now }, 0, bringUnnamedBack);
  }
  return true;
}

/**
 * Withdraws every key there is and begins anew, also where the keys cannot be opened any more. Everybody has to log in
 * again.
 */
export async function beginNewRing(db: Database, settings: Settings, change: KeyChange): Promise<void> {
  await editRing(db, settings, change, 2, async (edit) => {
    if ((await raiseVersion(edit.trx)) === null) await insertRing(edit.trx);
    const withdrawn_at = toSqlTime(edit.now);
    for (const key of await allKeys(edit.trx)) {
      if (key.state === 'withdrawn') continue;
      await updateKey(edit.trx, key, { state: 'withdrawn', withdrawn_at, sealed_key: null });
      await record(edit, 'key_withdrawn', key);
    }
    await beginWith(edit, 'new key ring');
  });
}

async function beginWith(edit: Edit, reason: string): Promise<void> {
  const first = await insertStandby(edit);
  await activate(edit, first);
  await record(edit, 'key_added', first, reason);
  await ensureStandby(edit);
}

function isInLine(keys: readonly KeyRow[], settings: Settings): boolean {
  const active = activeOf(keys);
  const isOurs = ({ algorithm }: KeyRow) => algorithm === settings.ALGORITHM;
  return (
    active !== undefined &&
    isOurs(active) &&
    active.token_lifetime >= longestLifetime(settings) &&
    keys.some((key) => key.state === 'standby' && isOurs(key)) &&
    unnamedOf(keys)?.state !== 'active'
  );
}

async function bringIntoLine(edit: Edit): Promise<void> {
  const { trx, settings } = edit;
  const keys = await allKeys(trx);
  // What was decided before the transaction began may be done by now.
  if (isInLine(keys, settings)) return;
  const active = activeOf(keys);
  if (active?.algorithm !== settings.ALGORITHM) await rotate(edit);
  else {
    const token_lifetime = Math.max(active.token_lifetime, longestLifetime(settings));
    await updateKey(trx, active, { token_lifetime });
    await ensureStandby(edit);
  }
  if (keys.some(({ kid }) => kid === UNNAMED)) await letUnnamedGo(edit);
}
