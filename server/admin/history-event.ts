import type { Database } from '../../db/statement.ts';
import { eventsByIds } from '../audit/events.ts';
import { AppError } from '../errors.ts';
import { eventRows, wayText } from './event-row.ts';
import { HISTORY_HREF } from './history-list.ts';
import type { GuardedPage } from './page.ts';

/** All there is, but of very long values, of which the export has all. */
const ALL = { changes: 1_000, characters: 4_000, jti: 255 };

/** /admin/history/1/: all that is known of one event. */
export function historyEventPage(db: Database): GuardedPage {
  return {
    path: `${HISTORY_HREF}:id/`,
    access: ['admin.view_logentry'],
    async get({ params, viewer }) {
      const [event] = await eventsByIds(db, [Number(params.id)]);
      const [row] = event === undefined ? [] : await eventRows(db, [event], viewer, ALL);
      if (event === undefined || row === undefined) throw forgotten();
      return {
        view: 'history-event',
        title: row.label,
        breadcrumbs: [{ label: 'History', href: HISTORY_HREF }, { label: `${row.label}, no. ${row.id}` }],
        data: {
          row,
          way: wayText(event.via),
          address: event.address,
          userAgent: event.userAgent,
        },
      };
    },
  };
}

function forgotten(): AppError {
  return new AppError('not_found', {
    advice: 'There is no such event in the history, or its time is over and it was forgotten.',
  });
}
