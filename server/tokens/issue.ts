import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { updateLastLogin } from '../users/users.ts';
import { freshClaims, inheritedClaims, userClaims, withAudienceAndIssuer } from './claims.ts';
import { AccessToken, RefreshToken, SlidingToken } from './classes.ts';
import { type Claims, withoutSignature } from './compact.ts';
import type { TokenContext } from './context.ts';
import { recordOutstanding } from './store.ts';
import { jtiOf } from './verify.ts';

/** What an obtain gives: the refresh token first, then the access token. */
export type TokenPair = { refresh: string; access: string };

/** Gives a user a refresh token and an access token made from it: SimpleJWT's TokenObtainPairSerializer. */
export async function obtainPair(db: Database, context: TokenContext, user: UserRow): Promise<TokenPair> {
  const claims = {
    ...freshClaims(context.settings, RefreshToken, issueTime(context)),
    ...(await userClaims(db, context.settings, user)),
  };
  const refresh = await giveOut(db, context, claims, user);
  return { refresh, access: accessFrom(context, claims) };
}

/** Gives a user one token to use and to renew: SimpleJWT's TokenObtainSlidingSerializer. */
export async function obtainSliding(
  db: Database,
  context: TokenContext,
  user: UserRow,
): Promise<{ token: string }> {
  const claims = {
    ...freshClaims(context.settings, SlidingToken, issueTime(context)),
    ...(await userClaims(db, context.settings, user)),
  };
  return { token: await giveOut(db, context, claims, user) };
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
  const token = sign(context, claims);
  await recordOutstanding(db, {
    jti: jtiOf(context, claims),
    token: withoutSignature(token),
    userId,
    createdAt: context.now(),
    expiresAt: claims.exp as number,
  });
  return token;
}

/** Now in whole seconds, the unit of `iat`. */
export function issueTime(context: TokenContext): number {
  return Math.floor(context.now());
}

async function giveOut(db: Database, context: TokenContext, claims: Claims, user: UserRow): Promise<string> {
  if (!context.settings.UPDATE_LAST_LOGIN) return signRecorded(db, context, claims, user.id);
  return db.transaction().execute(async (trx) => {
    await updateLastLogin(trx, user.id, new Date(context.now() * 1000));
    return signRecorded(trx, context, claims, user.id);
  });
}
