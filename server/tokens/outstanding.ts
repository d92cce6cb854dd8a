import type { Database } from '../../db/statement.ts';
import { fromSqlTime, type SqlTime, toSqlTime } from '../../db/values.ts';
import { type Claims, parseStored } from './compact.ts';

/** What has become of a token that was given out. One that is both expired and on the blacklist is `blacklisted`. */
export type TokenState = 'alive' | 'expired' | 'blacklisted';

/** A refresh or sliding token that was given out, as people may see it: nothing of it opens a door. */
export interface OutstandingView {
  id: number;
  jti: string;
  /** Null where it was made for nobody, or for an account that is gone. */
  user: { id: number; username: string } | null;
  createdAt: Date | null;
  expiresAt: Date;
  isExpired: boolean;
  state: TokenState;
  blacklistedAt: Date | null;
  /** Its entry on the blacklist. */
  blacklistedId: number | null;
  /** Null where what is stored is no token. */
  header: Claims | null;
  payload: Claims | null;
}

/** An entry of the blacklist. */
export interface BlacklistedView {
  id: number;
  blacklistedAt: Date;
  token: Omit<OutstandingView, 'blacklistedAt' | 'blacklistedId' | 'state' | 'header' | 'payload'>;
}

/** Tokens by their ids, in the order of the ids, without those that are gone. */
export async function outstandingByIds(
  db: Database,
  ids: readonly number[],
  now: Date,
): Promise<OutstandingView[]> {
  if (ids.length === 0) return [];
  const rows = await selectOutstanding(db).where('outstanding.id', 'in', ids).execute();
  const byId = new Map(rows.map((row) => [row.id, viewOf(row, now)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

export async function findOutstanding(db: Database, id: number, now: Date): Promise<OutstandingView | null> {
  return (await outstandingByIds(db, [id], now))[0] ?? null;
}

/** Finds a token by its own id, to the letter. */
export async function findOutstandingByJti(
  db: Database,
  jti: string,
  now: Date,
): Promise<OutstandingView | null> {
  const row = await selectOutstanding(db).where('outstanding.jti', '=', jti).executeTakeFirst();
  return row === undefined ? null : viewOf(row, now);
}

/** Entries of the blacklist by their ids, in the order of the ids, without those that are gone. */
export async function blacklistedByIds(
  db: Database,
  ids: readonly number[],
  now: Date,
): Promise<BlacklistedView[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('token_blacklist_blacklistedtoken as blacklisted')
    .innerJoin('token_blacklist_outstandingtoken as outstanding', 'outstanding.id', 'blacklisted.token_id')
    .leftJoin('auth_user', 'auth_user.id', 'outstanding.user_id')
    .select(['outstanding.id', 'outstanding.jti', 'outstanding.created_at', 'outstanding.expires_at'])
    .select(['blacklisted.id as blacklisted_id', 'blacklisted.blacklisted_at'])
    .select(['auth_user.id as user_id', 'auth_user.username'])
    .where('blacklisted.id', 'in', ids)
    .execute();
  const byId = new Map(
    rows.map((row) => [
      row.blacklisted_id,
      { id: row.blacklisted_id, blacklistedAt: fromSqlTime(row.blacklisted_at), token: recordOf(row, now) },
    ]),
  );
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function selectOutstanding(db: Database) {
  return db
    .selectFrom('token_blacklist_outstandingtoken as outstanding')
    .leftJoin('token_blacklist_blacklistedtoken as blacklisted', 'blacklisted.token_id', 'outstanding.id')
    .leftJoin('auth_user', 'auth_user.id', 'outstanding.user_id')
    .select(['outstanding.id', 'outstanding.jti', 'outstanding.created_at', 'outstanding.expires_at'])
    .select(['outstanding.token', 'blacklisted.id as blacklisted_id', 'blacklisted.blacklisted_at'])
    .select(['auth_user.id as user_id', 'auth_user.username']);
}

interface RecordRow {
  id: number;
  jti: string;
  created_at: SqlTime | null;
  expires_at: SqlTime;
  user_id: number | null;
  username: string | null;
}

interface OutstandingRow extends RecordRow {
  token: string;
  blacklisted_id: number | null;
  blacklisted_at: SqlTime | null;
}

function viewOf(row: OutstandingRow, now: Date): OutstandingView {
  const record = recordOf(row, now);
  const isBlacklisted = row.blacklisted_at !== null;
  return {
    ...record,
    state: isBlacklisted ? 'blacklisted' : record.isExpired ? 'expired' : 'alive',
    blacklistedAt: row.blacklisted_at === null ? null : fromSqlTime(row.blacklisted_at),
    blacklistedId: row.blacklisted_id,
    ...contentOf(row.token),
  };
}

function recordOf({ id, jti, user_id, username, created_at, expires_at }: RecordRow, now: Date) {
  return {
    id,
    jti,
    user: user_id === null || username === null ? null : { id: user_id, username },
    createdAt: created_at === null ? null : fromSqlTime(created_at),
    expiresAt: fromSqlTime(expires_at),
    isExpired: expires_at <= toSqlTime(now),
  };
}

/** What a stored token says. One that Django recorded is whole: its signature goes no further than this. */
function contentOf(stored: string): Pick<OutstandingView, 'header' | 'payload'> {
  return parseStored(stored) ?? { header: null, payload: null };
}
