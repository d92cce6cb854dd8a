import { findAllIds } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { recordEvents } from '../audit/record.ts';
import { usersAsCsv } from '../users/users-csv.ts';
import { listConditions } from './list.ts';
import type { GuardedPage } from './page.ts';
import { USERS_HREF } from './user-links.ts';
import { usersList } from './users-list.ts';

/** /admin/auth/user/export/: every user that the list finds with the same parameters, as CSV. */
export function usersExportPage(db: Database): GuardedPage {
  return {
    path: `${USERS_HREF}export/`,
    access: ['auth.view_user', 'auth.change_user'],
    async get(call) {
      const list = await usersList(db, call);
      const conditions = await listConditions(db, list, call.query);
      const reason = `Users ${call.query}`.trim();
      await recordEvents(db, [{ kind: 'exported', origin: call.origin, reason }], call.now);
      const ids = findAllIds(db, { table: list.table, conditions, order: list.defaultOrder });
      return { filename: 'users.csv', contentType: 'text/csv; charset=utf-8', chunks: usersAsCsv(db, ids) };
    },
  };
}
