import type { Database } from '../../db/statement.ts';
import { type DjangoLogView, djangoHistory } from '../audit/django-history.ts';
import { objectEvents } from '../audit/events.ts';
import { kindsOf } from '../audit/kinds.ts';
import { type EventRow, eventRows } from './event-row.ts';
import { HISTORY_HREF } from './history-list.ts';
import { mayView } from './navigation.ts';
import type { Breadcrumb, PageView, Viewer } from './page.ts';

/** What has a history of its own. */
interface HistoricObject {
  type: 'user' | 'group' | 'outstandingtoken' | 'blacklistedtoken';
  /** By what events call it: its id, and of a token the jti as well. */
  ids: readonly string[];
  name: string;
  /** Its own page. */
  href: string;
  /** What leads to it. */
  breadcrumbs: readonly Breadcrumb[];
}

/** How many entries are shown: the newest. */
const SHOWN = 100;

/** How much of each: all fields, and of very long values their beginning. The page of the event has the rest. */
const SHOWN_OF_EACH = { changes: 50, characters: 500, jti: 255 };

/** Changes, and what was done to tokens. Refused log-ins, which anybody can bring about, would drown them. */
const KINDS = [...kindsOf('change'), ...kindsOf('token')];

type Entry = Omit<EventRow, 'id'>;

/** Django's history of an object, with what changed field by field and from where, and what Django itself did to it. */
export async function objectHistoryView(
  db: Database,
  { type, ids, name, href, breadcrumbs }: HistoricObject,
  viewer: Viewer,
): Promise<PageView> {
  const limit = SHOWN + 1;
  const events = await Promise.all(ids.map((id) => objectEvents(db, type, id, limit, KINDS)));
  const django = await Promise.all(ids.map((id) => djangoHistory(db, type, id, limit)));
  const rows: Entry[] = [
    ...(await eventRows(db, events.flat(), viewer, SHOWN_OF_EACH)),
    ...django.flat().map(djangoRow),
  ];
  rows.sort((one, other) => other.at.getTime() - one.at.getTime());
  return {
    view: 'object-history',
    title: `Change history: ${name}`,
    breadcrumbs: [...breadcrumbs, { label: name, href }, { label: 'History' }],
    data: {
      // What it is about stands above.
      rows: rows.slice(0, SHOWN).map((row) => ({ ...row, about: null })),
      isCut: rows.length > SHOWN,
      backHref: href,
      allHref: mayView(viewer, HISTORY_HREF) ? `${HISTORY_HREF}?${new URLSearchParams({ q: name })}` : null,
    },
  };
}

function djangoRow({ at, actor, message }: DjangoLogView): Entry {
  const nothing = { times: '', about: null, reason: '', changes: [], more: 0 };
  return {
    ...nothing,
    at,
    label: message,
    tone: 'neutral',
    who: { text: actor.name },
    from: 'Django’s admin',
  };
}
