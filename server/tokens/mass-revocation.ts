import { type RawBuilder, sql } from 'kysely';
import { inBatches } from '../../db/batches.ts';
import { lockRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import { type NewEvent, type Origin, recordEvents } from '../audit/record.ts';
import { type EndReason, markEndedOf } from '../sessions/sessions.ts';
import type { Settings } from '../settings.ts';
import { SlidingToken } from './classes.ts';

/** What ends the tokens of a user: all of them, but for the first. */
export type RevocationCause =
  | 'revocation of one'
  | 'revocation'
  | 'deactivation'
  | 'deletion'
  | 'password change';

export interface RevocationPreview {
  /** How many refresh tokens die; one more than `PREVIEW_LIMIT` stands for "more than that". */
  refreshTokens: number;
  /** How many sliding tokens die, and with each the access that it gave. Counted up to the same limit. */
  slidingTokens: number;
  /** Until when an access token that was handed out by now is still accepted at the latest; null where none is. */
  accessUntil: Date | null;
}

/** Up to where the tokens that die are counted. */
export const PREVIEW_LIMIT = 10_000;

/**
 * Puts every live token that was given out to these users on the blacklist. A refresh that runs at the same time
 * either comes first, and what it gave dies as well, or finds its token dead.
 *
 * @param origin whoever did it: each user's history says so
 * @param reason what their sessions say they ended by
 * @returns how many tokens died
 */
export async function revokeTokensOf(
  db: Database,
  settings: Settings,
  userIds: readonly number[],
  now: Date,
  origin: Origin,
  reason: EndReason = 'revoked',
): Promise<number> {
  return inTransaction(db, async (trx) => {
    await lockRows(trx, 'auth_user', userIds);
    const events: NewEvent[] = [];
    for (const user of await usersOf(trx, userIds)) {
      await markEndedOf(trx, user.id, reason, now);
      const count = await blacklistLiveTokens(trx, settings, user.id, now);
      const object = { type: 'user' as const, id: String(user.id), name: user.username };
      if (count > 0) events.push({ kind: 'tokens_revoked', origin, object, count });
    }
    await recordEvents(trx, events, now);
    return events.reduce((total, { count = 0 }) => total + count, 0);
  });
}

/**
 * What would die if all tokens of these users were revoked now.
 *
 * @param cause what is about to be done: some causes end access tokens at once, where a setting has them checked
 */
export async function previewRevocation(
  db: Database,
  settings: Settings,
  userIds: readonly number[],
  now: Date,
  cause: RevocationCause = 'revocation',
): Promise<RevocationPreview> {
  let [refreshTokens, slidingTokens] = [0, 0];
  // Of one who has very many, the newest are those that live: as far as is counted, the others need not be read.
  const order = userIds.length === 1 ? sql`order by id desc` : sql``;
  for (const batch of inBatches(userIds)) {
    const whose = sql`user_id in (${sql.join(batch)})`;
    const { refresh, sliding } = await countLiveTokens(db, settings, whose, now, order);
    refreshTokens += refresh;
    slidingTokens += sliding;
    if (refreshTokens > PREVIEW_LIMIT) break;
  }
  return {
    refreshTokens: Math.min(refreshTokens, PREVIEW_LIMIT + 1),
    slidingTokens: Math.min(slidingTokens, PREVIEW_LIMIT + 1),
    accessUntil: accessUntil(settings, now, cause),
  };
}

/**
 * Until when an access token that was handed out by now is accepted at the latest. The blacklist is not asked for
 * them; whether the account is active, has the password it had, or the session goes on is, where settings say so. A
 * session goes on when one of its tokens is revoked and another lives.
 *
 * @returns null where none is accepted from now on
 */
export function accessUntil(settings: Settings, now: Date, cause: RevocationCause): Date | null {
  const isNoticed: Readonly<Record<RevocationCause, boolean>> = {
    'revocation of one': false,
    revocation: settings.CHECK_SESSION,
    deactivation: settings.CHECK_USER_IS_ACTIVE,
    deletion: true,
    'password change': settings.CHECK_REVOKE_TOKEN,
  };
  if (isNoticed[cause] || !settings.AUTH_TOKEN_CLASSES.includes('AccessToken')) return null;
  return new Date(now.getTime() + (settings.ACCESS_TOKEN_LIFETIME + settings.LEEWAY) * 1000);
}

async function usersOf(db: Database, ids: readonly number[]) {
  const users: { id: number; username: string }[] = [];
  for (const batch of inBatches(ids)) {
    users.push(
      ...(await db.selectFrom('auth_user').select(['id', 'username']).where('id', 'in', batch).execute()),
    );
  }
  return users;
}

async function blacklistLiveTokens(
  db: Database,
  settings: Settings,
  userId: number,
  now: Date,
): Promise<number> {
  const result = await sql`
    insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
    select ${toSqlTime(now)}, id from token_blacklist_outstandingtoken
    where user_id = ${userId} and ${isLive(settings, now)}
    on conflict (token_id) do nothing`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
}

/** How many live tokens there are of each kind, counted to one more than the limit. */
async function countLiveTokens(
  db: Database,
  settings: Settings,
  whose: RawBuilder<unknown>,
  now: Date,
  order: RawBuilder<unknown>,
): Promise<{ refresh: number; sliding: number }> {
  const { rows } = await sql<{ sliding: number; count: number }>`
    select sliding, count(*) as count from (
      select case when ${isSliding(settings)} then 1 else 0 end as sliding
      from token_blacklist_outstandingtoken
      where ${whose} and ${isLive(settings, now)}
        and not exists (select 1 from token_blacklist_blacklistedtoken
          where token_id = token_blacklist_outstandingtoken.id)
      ${order} limit ${PREVIEW_LIMIT + 1}
    ) as live group by sliding`.execute(db);
  const count = (sliding: number) => Number(rows.find((row) => Number(row.sliding) === sliding)?.count ?? 0);
  return { refresh: count(0), sliding: count(1) };
}

/**
 * Whether a recorded token may still be accepted. The record of a sliding token that Django made says when it expired
 * first, not until when it was renewed since.
 */
export function isLive(settings: Settings, now: Date): RawBuilder<unknown> {
  const longestRenewed = settings.SLIDING_TOKEN_REFRESH_LIFETIME + settings.SLIDING_TOKEN_LIFETIME;
  const before = (seconds: number) => toSqlTime(new Date(now.getTime() - seconds * 1000));
  return sql`(expires_at > ${before(settings.LEEWAY)}
    or (created_at > ${before(longestRenewed + settings.LEEWAY)} and ${isSliding(settings)}))`;
}

/**
 * Whether a recorded token is a sliding one. Its type is its first claim, at SimpleJWT as here, so the same letters
 * stand at the beginning of each payload: as many as the bytes that no later claim has a part in.
 */
function isSliding({ TOKEN_TYPE_CLAIM }: Settings): RawBuilder<unknown> {
  const start = Buffer.from(`{${JSON.stringify(TOKEN_TYPE_CLAIM)}:"${SlidingToken.type}"`);
  const mark = `.${start.subarray(0, start.length - (start.length % 3)).toString('base64url')}`;
  // Unlike `like`, this minds capitals on every database.
  return sql`replace(token, ${mark}, '') <> token`;
}
