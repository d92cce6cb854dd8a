import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { fromSqlTime } from '../../db/values.ts';
import { AppError } from '../errors.ts';
import { type Client, findPlace, type Place, recordIncident, recordUse } from '../sessions/sessions.ts';
import type { Claims } from './compact.ts';
import type { TokenContext } from './context.ts';
import { accessFrom, sign } from './issue.ts';
import { REFRESH_REFUSALS, requireOwner } from './owner.ts';
import type { RefreshedPair } from './refresh.ts';
import { endSessions } from './session-end.ts';
import { findStoredPayload, isBlacklisted } from './store.ts';
import { decodeToken, jtiOf } from './verify.ts';

/**
 * Answers a refresh token that is on the blacklist. One that was rotated just now, within
 * REFRESH_TOKEN_GRACE_PERIOD, gets the same successor again, as long as that is the newest of its session: two tabs
 * asked at once, or an answer was lost. One that was rotated earlier has been used twice, and under
 * REVOKE_SESSION_ON_REUSE its whole session ends: RFC 9700 section 4.14.2.
 *
 * @param refusal what is thrown where neither is so
 * @throws AppError `token_reused`, after the session was ended, or the refusal
 */
export async function answerRotatedBefore(
  db: Database,
  context: TokenContext,
  token: string,
  client: Client,
  refusal: AppError,
): Promise<RefreshedPair> {
  const { settings } = context;
  const { REFRESH_TOKEN_GRACE_PERIOD, REVOKE_SESSION_ON_REUSE, BLACKLIST_AFTER_ROTATION } = settings;
  if (!BLACKLIST_AFTER_ROTATION || (REFRESH_TOKEN_GRACE_PERIOD === 0 && !REVOKE_SESSION_ON_REUSE))
    throw refusal;
  const claims = await decodeToken(context, token);
  const place = await findPlace(db, jtiOf(context, claims));
  if (place === null || place.token.rotated_at === null || place.session.ended_at !== null) throw refusal;
  const passed = context.now() - fromSqlTime(place.token.rotated_at).getTime() / 1000;
  if (passed < REFRESH_TOKEN_GRACE_PERIOD) {
    await requireOwner(db, settings, claims, REFRESH_REFUSALS);
    const pair = await successorAgain(db, context, place, client);
    if (pair !== null) return pair;
  }
  if (!REVOKE_SESSION_ON_REUSE) throw refusal;
  await endReused(db, context, place, client);
  throw new AppError('token_reused');
}

/** The successor of a token with a fresh access token; null where that was rotated or revoked itself. */
async function successorAgain(
  db: Database,
  context: TokenContext,
  place: Place,
  client: Client,
): Promise<RefreshedPair | null> {
  const jti = place.token.successor_jti ?? '';
  const now = new Date(context.now() * 1000);
  return inTransaction(db, async (trx) => {
    if (!(await recordUse(trx, place.session.id, client, now))) return null;
    const successor = await findPlace(trx, jti);
    if (successor === null || successor.token.rotated_at !== null) return null;
    if (await isBlacklisted(trx, jti)) return null;
    const claims: Claims | null = await findStoredPayload(trx, jti);
    if (claims === null) return null;
    await recordIncident(trx, place, 'grace', client, now);
    return { access: accessFrom(context, claims), refresh: sign(context, claims) };
  });
}

/** In a transaction of its own, which is kept although the answer is a refusal. */
async function endReused(db: Database, context: TokenContext, place: Place, client: Client): Promise<void> {
  const now = new Date(context.now() * 1000);
  await inTransaction(db, async (trx) => {
    await recordIncident(trx, place, 'reuse', client, now);
    const origin = { via: 'api', actor: null, ...client } as const;
    await endSessions(trx, [place.session.id], { reason: 'reuse', origin }, now);
  });
}
