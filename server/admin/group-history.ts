import type { Database } from '../../db/statement.ts';
import { findGroup } from '../users/groups.ts';
import { gone } from './group-delete.ts';
import { GROUPS_HREF } from './groups-list.ts';
import { objectHistoryView } from './object-history.ts';
import type { GuardedPage } from './page.ts';

/** /admin/auth/group/1/history/ */
export function groupHistoryPage(db: Database): GuardedPage {
  return {
    path: `${GROUPS_HREF}:id/history/`,
    access: ['auth.view_group', 'auth.change_group'],
    async get({ params, viewer }) {
      const group = await findGroup(db, Number(params.id));
      if (group === null) throw gone();
      const object = {
        type: 'group',
        ids: [String(group.id)],
        name: group.name,
        href: `${GROUPS_HREF}${group.id}/change/`,
        breadcrumbs: [{ label: 'Groups', href: GROUPS_HREF }],
      } as const;
      return objectHistoryView(db, object, viewer);
    },
  };
}
