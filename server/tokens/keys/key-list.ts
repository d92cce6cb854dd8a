import type { Database } from '../../../db/statement.ts';
import { fromSqlTime, type SqlTime } from '../../../db/values.ts';
import type { Algorithm } from '../context.ts';
import { isRestorable, lastRotated } from './ring-changes.ts';
import { endOfTokens } from './ring-edit.ts';
import { allKeys, type KeyRow, type KeyState, ringVersion, stateAt, UNNAMED } from './ring-rows.ts';
import { countLiveTokens, type LiveTokens } from './token-keys.ts';

/** A key of the ring, for people. */
export interface KeyView {
  id: number;
  /** Empty for the key of the tokens that name none. */
  kid: string;
  algorithm: Algorithm;
  state: KeyState;
  createdAt: Date;
  /** When it began to sign, the last time. */
  activatedAt: Date | null;
  retiringAt: Date | null;
  retiredAt: Date | null;
  withdrawnAt: Date | null;
  /** From when no token of it is alive: of one that signs, if it were rotated now. Null where none is alive now. */
  safeFrom: Date | null;
  /** How many refresh and sliding tokens hang on it; none on one that does not verify. */
  live: LiveTokens;
  /** Whether it is retired and can come back. */
  isRestorable: boolean;
}

export interface KeyList {
  /** What changes are asked for with: `KeyChange.seen`. */
  version: number;
  /** Those that matter most first. Of the retired and withdrawn the newest. */
  keys: KeyView[];
  /** Whether the last rotation can be undone. */
  canUndo: boolean;
}

/** How many keys that are over are listed. */
const OVER_LISTED = 20;

const ORDER: readonly KeyState[] = ['active', 'standby', 'retiring', 'retired', 'withdrawn'];

/** The keys of the ring; null where there is none. */
export async function listKeys(db: Database, now: Date): Promise<KeyList | null> {
  const version = await ringVersion(db);
  if (version === null) return null;
  const rows = await allKeys(db);
  const ranked = [...rows].sort((one, other) => rankOf(one, now) - rankOf(other, now) || other.id - one.id);
  const over = ranked.filter((row) => isOver(row, now));
  const listed = ranked.filter((row) => !isOver(row, now) || over.indexOf(row) < OVER_LISTED);
  const keys: KeyView[] = [];
  for (const row of listed) keys.push(await viewOf(db, row, now));
  return { version, keys, canUndo: lastRotated(rows, now) !== undefined };
}

/** A key by its id, with how many tokens hang on it; null where there is none. */
export async function findKey(db: Database, id: number, now: Date): Promise<KeyView | null> {
  const row = (await allKeys(db)).find((one) => one.id === id);
  return row === undefined ? null : viewOf(db, row, now);
}

function rankOf(row: KeyRow, now: Date): number {
  return ORDER.indexOf(shownState(row, now));
}

function isOver(row: KeyRow, now: Date): boolean {
  return ['retired', 'withdrawn'].includes(stateAt(row, now));
}

/** Where an instance signs without the ring, its key is none of the ring's that signs. */
function shownState(row: KeyRow, now: Date): KeyState {
  const state = stateAt(row, now);
  return row.kid === UNNAMED && state === 'active' ? 'retiring' : state;
}

const NONE: LiveTokens = { total: 0, isMore: false };

async function viewOf(db: Database, row: KeyRow, now: Date): Promise<KeyView> {
  const state = shownState(row, now);
  const verifies = !isOver(row, now);
  return {
    ...{ id: row.id, kid: row.kid, algorithm: row.algorithm, state },
    createdAt: fromSqlTime(row.created_at),
    activatedAt: dateOf(row.activated_at),
    retiringAt: dateOf(row.retiring_at),
    retiredAt: dateOf(row.retired_at ?? (state === 'retired' ? row.expires_at : null)),
    withdrawnAt: dateOf(row.withdrawn_at),
    safeFrom: verifies ? safeFrom(row, now) : null,
    live: verifies ? await countLiveTokens(db, row, now) : NONE,
    isRestorable: isRestorable(row, now),
  };
}

function safeFrom(row: KeyRow, now: Date): Date | null {
  if (row.state === 'active') return endOfTokens(row, now);
  return dateOf(row.expires_at);
}

function dateOf(time: SqlTime | null): Date | null {
  return time === null ? null : fromSqlTime(time);
}
