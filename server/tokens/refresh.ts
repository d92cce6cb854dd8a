import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import type { TokenOwner } from '../users/users.ts';
import { newJti, withClaims } from './claims.ts';
import { RefreshToken, SlidingToken, type TokenClass } from './classes.ts';
import type { Claims } from './compact.ts';
import type { TokenContext } from './context.ts';
import { accessFrom, issueTime, sign, signRecorded } from './issue.ts';
import { checkOwner, findOwner, requireOwner } from './owner.ts';
import { revokeClaims } from './revoke.ts';
import { isNumericDate, own } from './rules.ts';
import { isBlacklisted } from './store.ts';
import { decodeToken, jtiOf, requireClass } from './verify.ts';

/** What a refresh gives: an access token, and after a rotation the next refresh token behind it. */
export type RefreshedPair = { access: string; refresh?: string };

const OWNER_REFUSALS = {
  missing: 'token_user_inactive',
  inactive: 'token_user_inactive',
  passwordChanged: 'token_password_changed',
} as const;

/**
 * Exchanges a refresh token for an access token: SimpleJWT's TokenRefreshSerializer. Under ROTATE_REFRESH_TOKENS
 * the refresh token is followed by another; under BLACKLIST_AFTER_ROTATION it dies with that, and of any number
 * of exchanges at the same time one succeeds.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function refreshPair(
  db: Database,
  context: TokenContext,
  token: string,
): Promise<RefreshedPair> {
  const claims = await verifyToRefresh(db, context, token, RefreshToken);
  const access = accessFrom(context, claims);
  if (!context.settings.ROTATE_REFRESH_TOKENS) return { access };
  return { access, refresh: await rotate(db, context, claims, token) };
}

/**
 * Renews a sliding token within its refresh period: SimpleJWT's TokenRefreshSlidingSerializer. It keeps its id
 * and the end of the period.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function refreshSliding(
  db: Database,
  context: TokenContext,
  token: string,
): Promise<{ token: string }> {
  const { settings } = context;
  const claims = await verifyToRefresh(db, context, token, SlidingToken);
  const claim = settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM;
  if (!Object.hasOwn(claims, claim)) throw new AppError('token_without_claim', { values: { claim } });
  const end = own(claims, claim);
  if (!isNumericDate(end)) throw new AppError('token_invalid');
  if (end <= context.now() - settings.LEEWAY)
    throw new AppError('token_claim_expired', { values: { claim } });
  return { token: sign(context, withClaims(claims, renewedTerm(context, settings.SLIDING_TOKEN_LIFETIME))) };
}

/**
 * The claims of a token of a class whose owner may go on using it. The database is asked for both at once; the
 * answers are judged in the original's order.
 */
async function verifyToRefresh(
  db: Database,
  context: TokenContext,
  token: string,
  tokenClass: TokenClass,
): Promise<Claims> {
  const { settings } = context;
  const claims = decodeToken(context, token);
  const id = own(claims, settings.USER_ID_CLAIM);
  const [user] = await Promise.all([
    findOwner(db, settings, id),
    requireClass(db, context, claims, tokenClass),
  ]);
  try {
    if (id) checkOwner(settings, claims, user, OWNER_REFUSALS);
  } catch (error) {
    // The original revokes the token of a changed password on sight; the next try is told that it is blacklisted.
    if (error instanceof AppError && error.code === 'token_password_changed') {
      await revokeClaims(db, context, claims, token);
    }
    throw error;
  }
  return claims;
}

/** A token without a user id passes, as it does in the original: it was made for no one in particular. */
async function ownerFitToRefresh(
  db: Database,
  context: TokenContext,
  claims: Claims,
): Promise<TokenOwner | null> {
  if (!own(claims, context.settings.USER_ID_CLAIM)) return null;
  return requireOwner(db, context.settings, claims, OWNER_REFUSALS);
}

/** Asks everything once more under the write lock: what was revoked or switched off meanwhile gets no successor. */
async function rotate(db: Database, context: TokenContext, claims: Claims, token: string): Promise<string> {
  const { settings } = context;
  const successor = withClaims(claims, {
    ...renewedTerm(context, settings.REFRESH_TOKEN_LIFETIME),
    [settings.JTI_CLAIM]: newJti(),
  });
  return db.transaction().execute(async (trx) => {
    const owner = await ownerFitToRefresh(trx, context, claims);
    const stillAlive = settings.BLACKLIST_AFTER_ROTATION
      ? await revokeClaims(trx, context, claims, token)
      : !(await isBlacklisted(trx, jtiOf(context, claims)));
    if (!stillAlive) throw new AppError('token_blacklisted');
    return signRecorded(trx, context, successor, owner?.id ?? null);
  });
}

function renewedTerm(context: TokenContext, lifetime: number): Claims {
  const iat = issueTime(context);
  return { exp: iat + lifetime, iat };
}
