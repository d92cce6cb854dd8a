import { createHash, randomUUID } from 'node:crypto';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import type { Settings } from '../settings.ts';
import { groupNames } from '../users/users.ts';
import { SlidingToken, type TokenClass } from './classes.ts';
import type { Claims } from './compact.ts';

/** The claims that every token sets for itself and none takes over from another. `iat` in whole seconds. */
export function freshClaims(settings: Settings, tokenClass: TokenClass, iat: number): Claims {
  return {
    [settings.TOKEN_TYPE_CLAIM]: tokenClass.type,
    exp: iat + tokenClass.lifetime(settings),
    iat,
    [settings.JTI_CLAIM]: newJti(),
    ...(tokenClass === SlidingToken && {
      [settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM]: iat + settings.SLIDING_TOKEN_REFRESH_LIFETIME,
    }),
  };
}

/**
 * The claims that say whose token it is, and those that the TOKEN_CLAIMS setting adds: SimpleJWT's
 * `Token.for_user`, whose user id is always a string.
 */
export async function userClaims(db: Database, settings: Settings, user: UserRow): Promise<Claims> {
  const claims: Record<string, unknown> = { [settings.USER_ID_CLAIM]: String(user[settings.USER_ID_FIELD]) };
  if (settings.CHECK_REVOKE_TOKEN) claims[settings.REVOKE_TOKEN_CLAIM] = passwordMark(user);
  for (const { claim, field, constant } of settings.TOKEN_CLAIMS) {
    claims[claim] = field === undefined ? constant : await fieldValue(db, user, field);
  }
  return claims;
}

/** What an access token takes over from its refresh token: SimpleJWT's `RefreshToken.access_token`. */
export function inheritedClaims({ TOKEN_TYPE_CLAIM, JTI_CLAIM }: Settings, claims: Claims): Claims {
  const inherited: Record<string, unknown> = {};
  for (const name of Object.keys(claims)) {
    if (name === TOKEN_TYPE_CLAIM || name === 'exp' || name === 'iat' || name === JTI_CLAIM) continue;
    if (name !== '__proto__') inherited[name] = claims[name];
    // Assigned, it would become the prototype instead of a claim.
    else Object.defineProperty(inherited, name, { value: claims[name], enumerable: true });
  }
  return inherited;
}

/** Adds `aud` and `iss` where they are configured, last, as SimpleJWT's `TokenBackend.encode` does. */
export function withAudienceAndIssuer(settings: Settings, claims: Claims): Claims {
  const { AUDIENCE, ISSUER } = settings;
  if (AUDIENCE.length === 0 && ISSUER === null) return claims;
  return {
    ...claims,
    ...(AUDIENCE.length > 0 && { aud: AUDIENCE.length === 1 ? AUDIENCE[0] : AUDIENCE }),
    ...(ISSUER !== null && { iss: ISSUER }),
  };
}

/** The same token for another term: its claims in their places, with some of them set anew. */
export function withClaims(claims: Claims, changes: Claims): Claims {
  return { ...claims, ...changes };
}

/** 32 lower-case hex digits, as Python's `uuid4().hex`. */
export function newJti(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * Changes whenever the password does. MD5 of the stored hash in capital hex digits is SimpleJWT's choice
 * (`utils.get_md5_hash_password`) and part of the wire contract; no secret hangs on its strength.
 */
export function passwordMark(user: Pick<UserRow, 'password'>): string {
  return createHash('md5').update(user.password).digest('hex').toUpperCase();
}

type UserField = NonNullable<Settings['TOKEN_CLAIMS'][number]['field']>;

async function fieldValue(db: Database, user: UserRow, field: UserField): Promise<unknown> {
  switch (field) {
    case 'groups':
      return groupNames(db, user.id);
    case 'is_staff':
    case 'is_superuser':
      return user[field] === 1;
    default:
      return user[field];
  }
}
