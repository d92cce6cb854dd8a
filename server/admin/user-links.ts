import { AppError } from '../errors.ts';
import { type Actor, may } from '../users/permissions.ts';

export const USERS_HREF = '/admin/auth/user/';

/** By which parameter Django's pages remember the list they were opened from. */
const KEPT = '_changelist_filters';

export function mayViewUsers(actor: Actor): boolean {
  return may(actor, 'auth.view_user') || may(actor, 'auth.change_user');
}

export function userHref(id: number, page: 'change' | 'password' | 'delete' | 'history' = 'change'): string {
  return `${USERS_HREF}${id}/${page}/`;
}

/** What the address of a page keeps of the list that leads to it, with its question mark, or nothing. */
export function keptList(list: URLSearchParams): string {
  const query = list.toString();
  return query === '' ? '' : `?${new URLSearchParams({ [KEPT]: query })}`;
}

/** The list that a page was opened from, filtered as it was; the overview for who may not see lists of users. */
export function listHref(viewer: Actor, query: URLSearchParams): string {
  if (!mayViewUsers(viewer)) return '/admin/';
  const list = new URLSearchParams(query.get(KEPT) ?? '').toString();
  return list === '' ? USERS_HREF : `${USERS_HREF}?${list}`;
}

export function noSuchUser(): AppError {
  return new AppError('not_found', {
    advice:
      'There is no user with this id. Perhaps the user was deleted? The list of users shows who there is.',
  });
}
