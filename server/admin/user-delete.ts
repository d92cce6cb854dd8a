import type { Database } from '../../db/statement.ts';
import { deleteAccounts, previewDeletion } from '../users/delete-accounts.ts';
import type { GuardedPage, PageCall, PageView } from './page.ts';
import { userDeletionData } from './user-deletion-view.ts';
import { keptList, listHref, noSuchUser, USERS_HREF, userHref } from './user-links.ts';

/** /admin/auth/user/1/delete/: asks, and lists what goes with the account. */
export function userDeletePage(db: Database): GuardedPage {
  return {
    path: `${USERS_HREF}:id/delete/`,
    access: ['auth.delete_user'],
    get: (call) => deletionView(db, call),
    async post(call) {
      const { params, viewer, origin, now } = call;
      const [user] = await deleteAccounts(db, { actor: viewer, origin, now }, [Number(params.id)]);
      if (user === undefined) throw noSuchUser();
      const text = `The user “${user.username}” was deleted successfully.`;
      return { redirect: listHref(call), message: { level: 'success', text } };
    },
  };
}

async function deletionView(db: Database, call: PageCall): Promise<PageView> {
  const { params, viewer } = call;
  const doomed = await previewDeletion(db, viewer, [Number(params.id)]);
  const [only] = doomed;
  if (only === undefined) throw noSuchUser();
  const { id, username } = only.user;
  return {
    view: 'confirm',
    title: only.refusal === null ? 'Delete user' : 'Cannot delete user',
    breadcrumbs: [
      { label: 'Users', href: USERS_HREF },
      { label: username, href: userHref(id) },
      { label: 'Delete' },
    ],
    data: {
      ...userDeletionData(doomed),
      action: userHref(id, 'delete') + keptList(call),
      hidden: [],
      backHref: userHref(id) + keptList(call),
    },
  };
}
