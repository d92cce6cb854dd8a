import type { Database } from '../../db/statement.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { findOwnerById, findOwnerByUsername, type TokenOwner } from '../users/users.ts';
import { passwordMark } from './claims.ts';
import type { Claims } from './compact.ts';
import { own } from './rules.ts';

/** The refusals for an owner that is gone, switched off, or has another password since. */
interface OwnerRefusals {
  missing: ErrorCode;
  inactive: ErrorCode;
  passwordChanged: ErrorCode;
}

/** What a refresh answers where the owner of its token is not fit to use it. */
export const REFRESH_REFUSALS = {
  missing: 'token_user_inactive',
  inactive: 'token_user_inactive',
  passwordChanged: 'token_password_changed',
} as const satisfies OwnerRefusals;

/** The user that a user id claim names, whether active or not. Numbers in older tokens work as strings do. */
export async function findOwner(db: Database, settings: Settings, id: unknown): Promise<TokenOwner | null> {
  if (typeof id !== 'string' && typeof id !== 'number') return null;
  if (settings.USER_ID_FIELD === 'username') return findOwnerByUsername(db, String(id));
  const number = Number(id);
  return /^\d+$/.test(String(id)) && Number.isSafeInteger(number) ? findOwnerById(db, number) : null;
}

/**
 * The user whose token this is, fit to use it.
 *
 * @throws AppError with the refusal for what is wrong with the user
 */
export async function requireOwner(
  db: Database,
  settings: Settings,
  claims: Claims,
  refusals: OwnerRefusals,
): Promise<TokenOwner> {
  const user = await findOwner(db, settings, own(claims, settings.USER_ID_CLAIM));
  return checkOwner(settings, claims, user, refusals);
}

/**
 * Says of a user who was found, or not, whether the token may be used.
 *
 * @throws AppError with the refusal for what is wrong with the user
 */
export function checkOwner(
  settings: Settings,
  claims: Claims,
  user: TokenOwner | null,
  refusals: OwnerRefusals,
): TokenOwner {
  if (user === null) throw new AppError(refusals.missing);
  if (settings.CHECK_USER_IS_ACTIVE && user.is_active !== 1) throw new AppError(refusals.inactive);
  if (settings.CHECK_REVOKE_TOKEN && own(claims, settings.REVOKE_TOKEN_CLAIM) !== passwordMark(user)) {
    throw new AppError(refusals.passwordChanged);
  }
  return user;
}
