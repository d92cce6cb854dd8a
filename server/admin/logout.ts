import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { endAdminSession } from '../sessions/admin-sessions.ts';
import type { OpenPage } from './page.ts';

/** /admin/logout/: by POST alone, as Django's. The session is dead for whoever has a copy of the cookie, too. */
export function logoutPage(db: Database): OpenPage {
  return {
    path: '/admin/logout/',
    access: 'anyone',
    async post({ viewer, origin, now }) {
      if (viewer !== null) {
        await inTransaction(db, async (trx) => {
          await endAdminSession(trx, viewer.session.id);
          await recordEvents(trx, [{ kind: 'admin_logout', origin }], now);
        });
      }
      return {
        redirect: '/admin/login/',
        session: null,
        message: { level: 'success', text: 'Thanks for spending some quality time with the web site today.' },
      };
    },
  };
}
