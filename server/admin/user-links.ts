import { AppError } from '../errors.ts';
import { type Actor, may } from '../users/permissions.ts';
import type { PageCall } from './page.ts';

export const USERS_HREF = '/admin/auth/user/';

/** By which parameter Django's pages remember how the list was filtered that they were opened from. */
const KEPT = '_changelist_filters';

export function mayViewUsers(actor: Actor): boolean {
  return may(actor, 'auth.view_user') || may(actor, 'auth.change_user');
}

export function userHref(id: number, page: 'change' | 'password' | 'delete' | 'history' = 'change'): string {
  return `${USERS_HREF}${id}/${page}/`;
}

/**
 * What the address of a page remembers of the list that it was opened from, with its question mark, or nothing. The
 * first page that a list leads to has it from the browser: in every row of the list it would be a burden.
 */
export function keptList({ query, request }: Pick<PageCall, 'query' | 'request'>): string {
  const list = query.get(KEPT) ?? listIn(request.headers.referer);
  return list === '' ? '' : `?${new URLSearchParams({ [KEPT]: list })}`;
}

/** The parameters of the list of users, if that is what an address leads to. */
function listIn(address = ''): string {
  const [page = '', list = ''] = address.split('?');
  return page.endsWith(USERS_HREF) ? new URLSearchParams(list).toString() : '';
}

/** The list that a page was opened from, filtered as it was; the overview for who may not see lists of users. */
export function listHref(call: Pick<PageCall, 'query' | 'request' | 'viewer'>): string {
  if (!mayViewUsers(call.viewer)) return '/admin/';
  const list = new URLSearchParams(keptList(call).slice(1)).get(KEPT);
  return list === null ? USERS_HREF : `${USERS_HREF}?${new URLSearchParams(list)}`;
}

export function noSuchUser(): AppError {
  return new AppError('not_found', {
    advice:
      'There is no user with this id. Perhaps the user was deleted? The list of users shows who there is.',
  });
}
