import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { type Client, type LinkedToken, newSid, startSession } from '../sessions/sessions.ts';
import type { Settings } from '../settings.ts';
import { updateLastLogin } from '../users/users.ts';
import { freshClaims, inheritedClaims, userClaims, withAudienceAndIssuer, withClaims } from './claims.ts';
import { AccessToken, RefreshToken, SlidingToken, type TokenClass } from './classes.ts';
import { type Claims, withoutSignature } from './compact.ts';
import type { TokenContext } from './context.ts';
import { recordTokenKey } from './keys/token-keys.ts';
import { recordOutstanding } from './store.ts';
import { jtiOf } from './verify.ts';

/** What an obtain gives: the refresh token first, then the access token. */
export type TokenPair = { refresh: string; access: string };

/** Who asks where it is not known or of no interest. */
export const NO_CLIENT: Client = { address: '', userAgent: '' };

/**
 * Gives a user a refresh token and an access token made from it: SimpleJWT's TokenObtainPairSerializer. With them a
 * session begins.
 */
export async function obtainPair(
  db: Database,
  context: TokenContext,
  user: UserRow,
  client = NO_CLIENT,
): Promise<TokenPair> {
  const sid = newSid();
  const claims = await firstClaims(db, context, RefreshToken, user, sid);
  const refresh = await giveOut(db, context, claims, user, { sid, client });
  return { refresh, access: accessFrom(context, claims) };
}

/** Gives a user one token to use and to renew: SimpleJWT's TokenObtainSlidingSerializer. */
export async function obtainSliding(
  db: Database,
  context: TokenContext,
  user: UserRow,
  client = NO_CLIENT,
): Promise<{ token: string }> {
  const sid = newSid();
  const claims = await firstClaims(db, context, SlidingToken, user, sid);
  return { token: await giveOut(db, context, claims, user, { sid, client }) };
}

/** The claims of a session's first token, which names the session where that is looked at. */
async function firstClaims(
  db: Database,
  context: TokenContext,
  tokenClass: TokenClass,
  user: UserRow,
  sid: string,
): Promise<Claims> {
  const { settings } = context;
  await context.signer.prepareToSign();
  const iat = issueTime(context);
  const claims = {
    ...freshClaims(settings, tokenClass, iat),
    ...(await userClaims(db, settings, user)),
    ...(settings.CHECK_SESSION && { [SESSION_CLAIM]: sid }),
  };
  return withinSession(settings, claims, iat);
}

/** The claim that names the session of a token. */
export const SESSION_CLAIM = 'sid';

/** Claims whose times do not reach beyond the end of the session. @param startedAt seconds since the epoch */
export function withinSession(settings: Settings, claims: Claims, startedAt: number): Claims {
  const { SESSION_MAX_LIFETIME, SLIDING_TOKEN_REFRESH_EXP_CLAIM } = settings;
  if (SESSION_MAX_LIFETIME === 0) return claims;
  const end = Math.floor(startedAt) + SESSION_MAX_LIFETIME;
  const capped = ['exp', SLIDING_TOKEN_REFRESH_EXP_CLAIM].flatMap((name) => {
    const time = claims[name];
    return typeof time === 'number' ? [[name, Math.min(time, end)]] : [];
  });
  return withClaims(claims, Object.fromEntries(capped));
}

/** An access token with what it takes over from a refresh token's claims. */
export function accessFrom(context: TokenContext, refreshClaims: Claims): string {
  const { settings } = context;
  return sign(context, {
    ...freshClaims(settings, AccessToken, issueTime(context)),
    ...inheritedClaims(settings, refreshClaims),
  });
}

/**
 * Signs claims, with the audience and issuer of this server. An `nbf` that another program put into the token with
 * fractions is cut to the second: the library signs whole ones alone.
 */
export function sign(context: TokenContext, claims: Claims): string {
  const whole = typeof claims.nbf === 'number' ? { ...claims, nbf: Math.floor(claims.nbf) } : claims;
  return context.signer.sign(withAudienceAndIssuer(context.settings, whole));
}

/** Signs claims and records the token among the outstanding ones. */
export async function signRecorded(
  db: Database,
  context: TokenContext,
  claims: Claims,
  userId: number | null,
): Promise<string> {
  const keyId = context.signer.ringKeyId();
  const token = sign(context, claims);
  await recordOutstanding(db, {
    jti: jtiOf(context, claims),
    token: withoutSignature(token),
    userId,
    createdAt: context.now(),
    expiresAt: lastMoment(context.settings, claims),
  });
  await recordKey(db, context, claims, keyId);
  return token;
}

/** Records on which key of the ring a recorded token hangs, if it does on one. */
export async function recordKey(
  db: Database,
  context: TokenContext,
  claims: Claims,
  keyId: number | null,
): Promise<void> {
  if (keyId === null) return;
  const expiresAt = lastMoment(context.settings, claims);
  await recordTokenKey(db, { jti: jtiOf(context, claims), keyId, expiresAt });
}

/**
 * Until when a token can be accepted, in seconds since the epoch. A sliding token keeps its id when it is renewed, so
 * its record must outlast every renewal, the last of which may be made just before the end of that period: else its
 * entry of the blacklist would be flushed while it still works.
 */
function lastMoment(settings: Settings, claims: Claims): number {
  const exp = claims.exp as number;
  if (claims[settings.TOKEN_TYPE_CLAIM] !== SlidingToken.type) return exp;
  const renewableUntil = claims[settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM] as number;
  return Math.max(exp, renewableUntil + settings.SLIDING_TOKEN_LIFETIME);
}

/** Now in whole seconds, the unit of `iat`. */
export function issueTime(context: TokenContext): number {
  return Math.floor(context.now());
}

async function giveOut(
  db: Database,
  context: TokenContext,
  claims: Claims,
  user: UserRow,
  { sid, client }: { sid: string; client: Client },
): Promise<string> {
  const now = new Date(context.now() * 1000);
  return inTransaction(db, async (trx) => {
    if (context.settings.UPDATE_LAST_LOGIN) await updateLastLogin(trx, user.id, now);
    const first = linkedToken(context, claims);
    await startSession(trx, { sid, userId: user.id, first, client }, now);
    return signRecorded(trx, context, claims, user.id);
  });
}

/** A token as its session knows it. */
export function linkedToken(context: TokenContext, claims: Claims): LinkedToken {
  return { jti: jtiOf(context, claims), expiresAt: new Date(lastMoment(context.settings, claims) * 1000) };
}
