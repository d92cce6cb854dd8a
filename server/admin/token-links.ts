import { AppError } from '../errors.ts';
import { type Actor, may } from '../users/permissions.ts';
import type { Breadcrumb } from './page.ts';

export const OUTSTANDING_HREF = '/admin/token_blacklist/outstandingtoken/';

export const BLACKLISTED_HREF = '/admin/token_blacklist/blacklistedtoken/';

/** Who may look at the tokens that were given out. */
export const OUTSTANDING_VIEWERS = [
  'token_blacklist.view_outstandingtoken',
  'token_blacklist.change_outstandingtoken',
] as const;

/** Who may look at the blacklist. */
export const BLACKLISTED_VIEWERS = [
  'token_blacklist.view_blacklistedtoken',
  'token_blacklist.change_blacklistedtoken',
] as const;

/** Who may put a token on the blacklist. */
export const REVOKERS = ['token_blacklist.add_blacklistedtoken'] as const;

/** Who may take a token off the blacklist. */
export const RESTORERS = ['token_blacklist.delete_blacklistedtoken'] as const;

/** Whether somebody has one of some permissions. */
export function mayAny(actor: Actor, keys: readonly string[]): boolean {
  return keys.some((key) => may(actor, key));
}

export function tokenHref(id: number, page: 'change' | 'history' | 'revoke' = 'change'): string {
  return `${OUTSTANDING_HREF}${id}/${page}/`;
}

export function blacklistedHref(id: number, page: 'change' | 'delete' = 'change'): string {
  return `${BLACKLISTED_HREF}${id}/${page}/`;
}

/** What leads to a token's pages; for who may not look at the list or the token, nothing. */
export function tokenCrumbs(actor: Actor, token?: { id: number; jti: string }): Breadcrumb[] {
  if (!mayAny(actor, OUTSTANDING_VIEWERS)) return [];
  const list = { label: 'Outstanding tokens', href: OUTSTANDING_HREF };
  return token === undefined ? [list] : [list, { label: token.jti, href: tokenHref(token.id) }];
}

/** As `tokenCrumbs`, for entries of the blacklist. */
export function blacklistCrumbs(actor: Actor, entry?: { id: number; token: { jti: string } }): Breadcrumb[] {
  if (!mayAny(actor, BLACKLISTED_VIEWERS)) return [];
  const list = { label: 'Blacklisted tokens', href: BLACKLISTED_HREF };
  return entry === undefined ? [list] : [list, { label: entry.token.jti, href: blacklistedHref(entry.id) }];
}

/** The list of one user's tokens, by the parameter that Django has for it. */
export function tokensOfHref(userId: number): string {
  return `${OUTSTANDING_HREF}?user__id__exact=${userId}`;
}

/** The page that asks whether to revoke all tokens of a user. */
export function revokeUserHref(userId: number): string {
  return `/admin/auth/user/${userId}/revoke/`;
}

/** What leads from a user's page to his tokens, as far as the viewer may do anything with them. */
export function tokenTools(actor: Actor, userId: number): { label: string; href: string }[] {
  return [
    ...(mayAny(actor, OUTSTANDING_VIEWERS) ? [{ label: 'Tokens', href: tokensOfHref(userId) }] : []),
    ...(mayAny(actor, REVOKERS) ? [{ label: 'Revoke tokens', href: revokeUserHref(userId) }] : []),
  ];
}

export function noSuchToken(): AppError {
  return new AppError('not_found', {
    advice: 'There is no record of a token with this id. Perhaps it expired, and its record was flushed.',
  });
}

export function noSuchEntry(): AppError {
  return new AppError('not_found', {
    advice:
      'This token is not on the blacklist. Perhaps it was removed from it, or it expired and was flushed.',
  });
}
