import type { Database } from '../../db/statement.ts';
import type { SessionRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { fromSqlTime } from '../../db/values.ts';
import { AppError } from '../errors.ts';
import { type Client, findPlace, newSid, recordRotation, startSession } from '../sessions/sessions.ts';
import type { Settings } from '../settings.ts';
import type { TokenOwner } from '../users/users.ts';
import { newJti, withClaims } from './claims.ts';
import { RefreshToken, SlidingToken, type TokenClass } from './classes.ts';
import type { Claims } from './compact.ts';
import type { TokenContext } from './context.ts';
import {
  accessFrom,
  issueTime,
  linkedToken,
  NO_CLIENT,
  recordKey,
  SESSION_CLAIM,
  sign,
  signRecorded,
  withinSession,
} from './issue.ts';
import { checkOwner, findOwner, REFRESH_REFUSALS, requireOwner } from './owner.ts';
import { answerRotatedBefore } from './reuse.ts';
import { revokeClaims } from './revoke.ts';
import { isNumericDate, own } from './rules.ts';
import { isBlacklisted } from './store.ts';
import { decodeToken, jtiOf, requireClass, requireLivingKey } from './verify.ts';

/** What a refresh gives: an access token, and after a rotation the next refresh token behind it. */
export type RefreshedPair = { access: string; refresh?: string };

/**
 * Exchanges a refresh token for an access token: SimpleJWT's TokenRefreshSerializer. Under ROTATE_REFRESH_TOKENS
 * the refresh token is followed by another; under BLACKLIST_AFTER_ROTATION it dies with that, and of any number
 * of exchanges at the same time one succeeds, or with REFRESH_TOKEN_GRACE_PERIOD all get the same successor.
 *
 * @throws AppError of a `token_…` code, 401
 */
export async function refreshPair(
  db: Database,
  context: TokenContext,
  token: string,
  client = NO_CLIENT,
): Promise<RefreshedPair> {
  try {
    const claims = await verifyToRefresh(db, context, token, RefreshToken);
    const access = accessFrom(context, claims);
    if (!context.settings.ROTATE_REFRESH_TOKENS) {
      context.noteUse?.(jtiOf(context, claims), client);
      return { access };
    }
    return await rotate(db, context, { claims, token, access, client });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'token_blacklisted') throw error;
    return await answerRotatedBefore(db, context, token, client, error);
  }
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
  client = NO_CLIENT,
): Promise<{ token: string }> {
  const { settings } = context;
  const claims = await verifyToRefresh(db, context, token, SlidingToken);
  const claim = settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM;
  if (!Object.hasOwn(claims, claim)) throw new AppError('token_without_claim', { values: { claim } });
  const end = own(claims, claim);
  if (!isNumericDate(end)) throw new AppError('token_invalid');
  if (end <= context.now() - settings.LEEWAY)
    throw new AppError('token_claim_expired', { values: { claim } });
  const renewed = withClaims(claims, renewedTerm(context, settings.SLIDING_TOKEN_LIFETIME));
  const keyId = context.signer.ringKeyId();
  const next = sign(context, renewed);
  // It is the same token as before, but on another key, where the keys were rotated since.
  if (headerOf(next) !== headerOf(token)) await recordKey(db, context, renewed, keyId);
  context.noteUse?.(jtiOf(context, claims), client);
  return { token: next };
}

/** The header as it is written, which names the key. */
function headerOf(token: string): string {
  return token.slice(0, token.indexOf('.'));
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
  const claims = await decodeToken(context, token);
  const id = own(claims, settings.USER_ID_CLAIM);
  const [user] = await Promise.all([
    findOwner(db, settings, id),
    requireClass(db, context, claims, tokenClass),
  ]);
  try {
    if (id) checkOwner(settings, claims, user, REFRESH_REFUSALS);
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
  return requireOwner(db, context.settings, claims, REFRESH_REFUSALS);
}

/** Asks everything once more under the write lock: what was revoked or switched off meanwhile gets no successor. */
async function rotate(
  db: Database,
  context: TokenContext,
  { claims, token, access, client }: { claims: Claims; token: string; access: string; client: Client },
): Promise<RefreshedPair> {
  const { settings } = context;
  const now = new Date(context.now() * 1000);
  const jti = jtiOf(context, claims);
  return inTransaction(db, async (trx) => {
    await requireLivingKey(trx, context, token);
    const owner = await ownerFitToRefresh(trx, context, claims);
    const stillAlive = settings.BLACKLIST_AFTER_ROTATION
      ? await revokeClaims(trx, context, claims, token)
      : !(await isBlacklisted(trx, jti));
    if (!stillAlive) throw new AppError('token_blacklisted');
    const session = await sessionOf(trx, context, claims, owner, client);
    const current = withSession(settings, claims, session);
    const successor = successorOf(context, current, session);
    const link = { jti, successor: linkedToken(context, successor), client };
    if (session !== null && !(await recordRotation(trx, session, link, now))) {
      throw new AppError('token_session_ended');
    }
    const refresh = await signRecorded(trx, context, successor, owner?.id ?? null);
    return { access: current === claims ? access : accessFrom(context, current), refresh };
  });
}

/** The session of a token. One that no session knows, such as a token that Django made, begins one now. */
async function sessionOf(
  db: Database,
  context: TokenContext,
  claims: Claims,
  owner: TokenOwner | null,
  client: Client,
): Promise<SessionRow | null> {
  const place = await findPlace(db, jtiOf(context, claims));
  if (place !== null || owner === null) return place?.session ?? null;
  const first = linkedToken(context, claims);
  const now = new Date(context.now() * 1000);
  return startSession(db, { sid: newSid(), userId: owner.id, first, client }, now);
}

/** The claims with the name of their session, where that is looked at and they do not have it yet. */
function withSession(settings: Settings, claims: Claims, session: SessionRow | null): Claims {
  if (!settings.CHECK_SESSION || session === null || own(claims, SESSION_CLAIM) === session.sid)
    return claims;
  return withClaims(claims, { [SESSION_CLAIM]: session.sid });
}

/** @throws AppError `token_expired` at the end of the session's time */
function successorOf(context: TokenContext, claims: Claims, session: SessionRow | null): Claims {
  const { settings } = context;
  const successor = withClaims(claims, {
    ...renewedTerm(context, settings.REFRESH_TOKEN_LIFETIME),
    [settings.JTI_CLAIM]: newJti(),
  });
  if (session === null) return successor;
  const within = withinSession(settings, successor, fromSqlTime(session.created_at).getTime() / 1000);
  if ((within.exp as number) <= context.now()) throw new AppError('token_expired');
  return within;
}

function renewedTerm(context: TokenContext, lifetime: number): Claims {
  const iat = issueTime(context);
  return { exp: iat + lifetime, iat };
}
