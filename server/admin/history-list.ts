import type { Database } from '../../db/statement.ts';
import {
  cameVia,
  EVENT_ORDER,
  type EventPeriod,
  happenedIn,
  isInGroup,
  isOfKind,
  searchEvents,
} from '../audit/event-search.ts';
import { eventsByIds, exportEvents } from '../audit/events.ts';
import {
  EVENT_KINDS,
  type EventGroup,
  type EventKind,
  type EventKindRow,
  kindRow,
  kindsOf,
} from '../audit/kinds.ts';
import { recordEvents } from '../audit/record.ts';
import { type EventRow, eventRows } from './event-row.ts';
import { type Filter, type List, listConditions, listView } from './list.ts';
import type { GuardedPage, Viewer } from './page.ts';

export const HISTORY_HREF = '/admin/history/';

const ACCESS = ['admin.view_logentry'];

const GROUPS: Readonly<Record<EventGroup, string>> = {
  login: 'Log-ins',
  refusal: 'Refusals',
  token: 'Tokens',
  change: 'Changes',
};

const WAYS = { api: 'API', admin: 'Admin', command: 'Command line' } as const;

const PERIODS: Readonly<Record<EventPeriod, string>> = {
  today: 'Today',
  past_7_days: 'Past 7 days',
  past_30_days: 'Past 30 days',
};

/** What happened, to what, from where: long rows. */
const EVENTS_PER_PAGE = 50;

/** /admin/history/: what happened, newest first. There is no way to change any of it. */
export function historyListPage(db: Database): GuardedPage {
  return {
    path: HISTORY_HREF,
    access: ACCESS,
    async get({ query, viewer, now }) {
      const list = await listView(db, historyList(query, viewer, now), query);
      return {
        view: 'list',
        title: 'History',
        breadcrumbs: [{ label: 'History' }],
        data: {
          list,
          actions: [],
          tableClass: 'history-rows',
          empty:
            'Nothing has happened yet. Log in at /api/token/, or change a user, and it will stand here: ' +
            'who, what, from where and when.',
          headLinks: [{ label: 'Export as JSON Lines', href: `export/${list.query}`, quiet: true }],
        },
      };
    },
  };
}

/** /admin/history/export/: everything that the list of the same query finds, however much that is. */
export function historyExportPage(db: Database): GuardedPage {
  return {
    path: `${HISTORY_HREF}export/`,
    access: ACCESS,
    async get({ request, query, viewer, origin, now }) {
      const conditions = await listConditions(db, historyList(query, viewer, now), query);
      // HEAD gives nothing away.
      if (request.method === 'GET') {
        await recordEvents(db, [{ kind: 'exported', origin, reason: `History ${query}`.trim() }], now);
      }
      return {
        filename: `jotgate-history-${now.toISOString().slice(0, 10)}.jsonl`,
        contentType: 'application/jsonl; charset=utf-8',
        chunks: exportEvents(db, conditions),
      };
    },
  };
}

function historyList(query: URLSearchParams, viewer: Viewer, now: Date): List<EventRow> {
  return {
    table: 'jotgate_event',
    nouns: ['event', 'events'],
    columns: [
      { label: 'When', order: EVENT_ORDER, cell: ({ id, at }) => ({ time: at, href: `${id}/` }) },
      { label: 'Who', cell: ({ who }) => who ?? { text: '–' } },
      { label: 'What', cell: (row) => ({ partial: 'event-what', row }) },
      { label: 'From', cell: ({ from }) => ({ text: from }) },
    ],
    defaultOrder: [{ by: EVENT_ORDER, descending: true }],
    filters: filters(query, now),
    search: { help: 'User, token or address', conditions: searchEvents },
    pageSize: EVENTS_PER_PAGE,
    load: async (trx, ids) => eventRows(trx, await eventsByIds(trx, ids), viewer),
  };
}

function filters(query: URLSearchParams, now: Date): Filter[] {
  const kinds = offeredKinds(query);
  return [
    {
      param: 'when',
      label: 'time (UTC)',
      options: optionsOf(PERIODS),
      condition: (value) => happenedIn(value as EventPeriod, now),
    },
    {
      param: 'group',
      label: 'subject',
      options: optionsOf(GROUPS),
      condition: (value) => isInGroup(value as EventGroup),
    },
    ...(kinds.length === 0
      ? []
      : [
          {
            param: 'kind',
            label: 'kind',
            options: kinds.map((kind) => ({ value: kind, label: EVENT_KINDS[kind].label })),
            condition: (value: string) => isOfKind(value as EventKind),
          },
        ]),
    {
      param: 'via',
      label: 'source',
      options: optionsOf(WAYS),
      condition: (value) => cameVia(value as keyof typeof WAYS),
    },
  ];
}

/** The kinds of the chosen subject, for any other would find nothing; or of the subject of the chosen kind. */
function offeredKinds(query: URLSearchParams): EventKind[] {
  const chosen = kindRow(query.get('kind') ?? '');
  const group = optionsOf(GROUPS).find(({ value }) => value === query.get('group'))?.value;
  if (group !== undefined) return kindsOf(group);
  return Object.values<EventKindRow>(EVENT_KINDS).includes(chosen) ? kindsOf(chosen.group) : [];
}

function optionsOf<Value extends string>(labels: Readonly<Record<Value, string>>) {
  return (Object.keys(labels) as Value[]).map((value) => ({ value, label: labels[value] }));
}
