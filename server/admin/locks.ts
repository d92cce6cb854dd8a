import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import type { Settings } from '../settings.ts';
import { liftLocks, listLocks } from '../users/login-failures.ts';
import type { GuardedPage } from './page.ts';

const LOCKS_HREF = '/admin/locks/';

/** /admin/locks/: who is kept from logging in because too many log-ins failed, and what lets him try again. */
export function locksPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: LOCKS_HREF,
    access: ['auth.change_user'],
    async get({ now }) {
      return {
        view: 'locks',
        title: 'Locks',
        breadcrumbs: [{ label: 'Locks' }],
        data: { locks: await listLocks(db, settings, now), settings },
      };
    },
    async post({ form, origin, now }) {
      const id = Number(form.get('lock'));
      const lock = (await listLocks(db, settings, now)).find((one) => one.id === id);
      if (lock === undefined) {
        return { redirect: LOCKS_HREF, message: { level: 'warning', text: 'That lock is over already.' } };
      }
      await inTransaction(db, async (trx) => {
        await liftLocks(trx, [lock.id]);
        const changes = [{ field: 'Lock', before: `${lock.scope} ${lock.label}`.trim(), after: null }];
        await recordEvents(trx, [{ kind: 'lock_lifted', origin, changes }], now);
      });
      const whose = lock.label === '' ? 'a name that nobody has' : lock.label;
      return {
        redirect: LOCKS_HREF,
        message: { level: 'success', text: `The lock of ${whose} was lifted.` },
      };
    },
  };
}
