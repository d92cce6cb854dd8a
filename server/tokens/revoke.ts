import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { AppError } from '../errors.ts';
import { findPlace, lockSessionOf } from '../sessions/sessions.ts';
import { RefreshToken } from './classes.ts';
import { type Claims, withoutSignature } from './compact.ts';
import type { TokenContext } from './context.ts';
import { findOwner } from './owner.ts';
import { own } from './rules.ts';
import { endIfDead, endSessions } from './session-end.ts';
import { addToBlacklist, recordOutstanding } from './store.ts';
import { jtiOf, verifyToken } from './verify.ts';

/**
 * Revokes a refresh token: SimpleJWT's TokenBlacklistSerializer. Of two that revoke it at once the second is told
 * that it is blacklisted, as if it had come later.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function blacklistToken(db: Database, context: TokenContext, token: string): Promise<void> {
  const claims = await verifyToken(db, context, token, RefreshToken);
  const revoked = await inTransaction(db, async (trx) => {
    const isFirst = await revokeClaims(trx, context, claims, token);
    if (isFirst) await endByLogout(trx, context, claims);
    return isFirst;
  });
  if (!revoked) throw new AppError('token_blacklisted');
}

/**
 * Ends the session that somebody logged out of. Where rotation leaves older tokens alive, they live on as they do in
 * the original, and the session with them; under CHECK_SESSION they die.
 */
async function endByLogout(db: Database, context: TokenContext, claims: Claims): Promise<void> {
  const jti = jtiOf(context, claims);
  const now = new Date(context.now() * 1000);
  const ending = { reason: 'logout', origin: null } as const;
  if (!context.settings.CHECK_SESSION) return endIfDead(db, jti, ending, now);
  const place = await findPlace(db, jti);
  if (place !== null) await endSessions(db, [place.session.id], ending, now);
}

/**
 * Puts a token on the blacklist and records it first where it is not known, such as one that another program
 * signed with the same key: SimpleJWT's `BlacklistMixin.blacklist`.
 *
 * @returns whether this call did it
 */
export async function revokeClaims(
  db: Database,
  context: TokenContext,
  claims: Claims,
  token: string,
): Promise<boolean> {
  const user = await findOwner(db, context.settings, own(claims, context.settings.USER_ID_CLAIM));
  const jti = jtiOf(context, claims);
  if (db.isTransaction) await lockSessionOf(db, jti);
  await recordOutstanding(db, {
    jti,
    token: withoutSignature(token),
    userId: user?.id ?? null,
    createdAt: context.now(),
    expiresAt: claims.exp as number,
  });
  return addToBlacklist(db, jti, new Date(context.now() * 1000));
}
