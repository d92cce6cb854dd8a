import type { Database } from '../../db/statement.ts';
import { findUserById } from '../users/users.ts';
import { objectHistoryView } from './object-history.ts';
import type { GuardedPage } from './page.ts';
import { noSuchUser, USERS_HREF, userHref } from './user-links.ts';

/** /admin/auth/user/1/history/ */
export function userHistoryPage(db: Database): GuardedPage {
  return {
    path: `${USERS_HREF}:id/history/`,
    access: ['auth.view_user', 'auth.change_user'],
    async get({ params, viewer }) {
      const user = await findUserById(db, Number(params.id));
      if (user === null) throw noSuchUser();
      const object = {
        type: 'user',
        ids: [String(user.id)],
        name: user.username,
        href: userHref(user.id),
        breadcrumbs: [{ label: 'Users', href: USERS_HREF }],
      } as const;
      return objectHistoryView(db, object, viewer);
    },
  };
}
