import { sql } from 'kysely';
import { type Condition, prefixRange } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import { deviceName } from '../sessions/device.ts';
import { type SessionView, sessionsByIds } from '../sessions/session-list.ts';
import { endSessions } from '../tokens/session-end.ts';
import { findUserById, namesOfUsers } from '../users/users.ts';
import { readSelection, type Selection } from './bulk.ts';
import { type BulkAction, type Cell, type Filter, type List, listView } from './list.ts';
import type { GuardedPage, PageCall, PageResult } from './page.ts';
import { mayEndSessions, SESSION_VIEWERS, SESSIONS_HREF, sessionHref } from './session-links.ts';
import { userCell } from './tokens-list.ts';

type Row = SessionView & { username: string };

const END: BulkAction = { value: 'end_selected', label: 'End selected sessions' };

/** How many sessions a question names; of more it says how many there are. */
const NAMED = 50;

/** /admin/sessions/: every login whose tokens are not forgotten yet, and what ends several at once. */
export function sessionsListPage(db: Database): GuardedPage {
  return {
    path: SESSIONS_HREF,
    access: SESSION_VIEWERS,
    async get(call) {
      return {
        view: 'list',
        title: 'Sessions',
        breadcrumbs: [{ label: 'Sessions' }],
        data: {
          list: await listView(db, await sessionsList(db, call), call.query),
          actions: actionsFor(call),
          notes: 'A session is a login, and all refresh tokens that descend from it.',
          empty: 'Nobody has logged in yet. Log in at /api/token/, and the session will stand here.',
        },
      };
    },
    async post(call) {
      const list = await sessionsList(db, call);
      const selection = await readSelection(db, list, actionsFor(call), call);
      return 'redirect' in selection ? selection : endSelected(db, list, call, selection);
    },
  };
}

async function sessionsList(db: Database, { query, viewer, now }: PageCall): Promise<List<Row>> {
  return {
    table: 'jotgate_session',
    nouns: ['session', 'sessions'],
    columns: [
      {
        label: 'Session',
        cell: ({ id, sid }) => ({ text: sid.slice(0, 8), href: sessionHref(id), code: true }),
      },
      {
        label: 'User',
        order: sql.ref('user_id'),
        cell: ({ userId, username }) => userCell({ id: userId, username }, viewer),
      },
      { label: 'Device', cell: ({ userAgent }) => ({ text: deviceName(userAgent) || '–' }) },
      { label: 'Address', cell: ({ address }) => ({ text: address || '–' }) },
      { label: 'Logged in', order: sql.ref('id'), cell: ({ startedAt }) => ({ time: startedAt }) },
      {
        label: 'Last used',
        order: sql.ref('last_used_at'),
        cell: ({ lastUsedAt }) => ({ time: lastUsedAt }),
      },
      { label: 'State', cell: stateCell },
    ],
    defaultOrder: [{ by: sql.ref('last_used_at'), descending: true }],
    filters: [stateFilter(now), ...(await userFilter(db, query))],
    search: { help: 'Username or address', conditions: (words) => words.map(wordCondition) },
    load: async (from, ids) => {
      const sessions = await sessionsByIds(from, ids, now);
      const names = await namesOfUsers(
        from,
        sessions.map(({ userId }) => userId),
      );
      return sessions.map((session) => ({ ...session, username: names.get(session.userId) ?? '' }));
    },
  };
}

export function stateCell({ isAlive, endReason }: SessionView): Cell {
  if (isAlive) return { badge: 'Alive', tone: 'good' };
  if (endReason === 'reuse') return { badge: 'Ended: a token came twice', tone: 'bad' };
  return { badge: endReason === null ? 'Expired' : 'Ended', tone: 'neutral' };
}

function stateFilter(now: Date): Filter {
  const hasToken = sql`exists (select 1 from jotgate_session_token as token
    where token.session_id = jotgate_session.id and token.expires_at > ${toSqlTime(now)})`;
  const conditions: Readonly<Record<string, ReturnType<typeof sql>>> = {
    alive: sql`(ended_at is null and ${hasToken})`,
    ended: sql`ended_at is not null`,
    expired: sql`(ended_at is null and not ${hasToken})`,
  };
  return {
    param: 'state',
    label: 'state',
    options: [
      { value: 'alive', label: 'Alive' },
      { value: 'ended', label: 'Ended' },
      { value: 'expired', label: 'Expired' },
    ],
    condition: (value) => ({ anyOf: [conditions[value] ?? sql`false`], indexed: false }),
  };
}

/** That a session is of a user whose name begins with a word, or was last used from an address that does. */
function wordCondition(word: string): Condition {
  const name = prefixRange(sql`lower(username)`, word.toLowerCase());
  const address = prefixRange(sql.ref('address'), word);
  return {
    anyOf: [
      {
        through: sql`select id from auth_user where ${name}`,
        ids: (users: ReturnType<typeof sql>) => sql`select session.id from (${users}) as owner
          cross join jotgate_session as session where session.user_id = owner.id`,
      },
      address,
    ],
    indexed: true,
    ofOneRow: sql`(exists (select 1 from auth_user where auth_user.id = jotgate_session.user_id and ${name})
      or ${address})`,
  };
}

/** Of one user, where the address names one. */
async function userFilter(db: Database, query: URLSearchParams): Promise<Filter[]> {
  const value = query.get('user') ?? '';
  const user = /^[1-9]\d{0,14}$/.test(value) ? await findUserById(db, Number(value)) : null;
  if (user === null) return [];
  const condition = { anyOf: [sql`user_id = ${user.id}`], indexed: true, by: sql.ref('id') };
  return [
    { param: 'user', label: 'user', options: [{ value, label: user.username }], condition: () => condition },
  ];
}

function actionsFor({ viewer }: PageCall): BulkAction[] {
  return mayEndSessions(viewer) ? [END] : [];
}

async function endSelected(
  db: Database,
  list: List<Row>,
  { origin, now, request }: PageCall,
  { ids, isConfirmed, hidden }: Selection,
): Promise<PageResult> {
  if (isConfirmed) {
    const count = await endSessions(db, ids, { reason: 'revoked', origin }, now);
    const told = `${count.toLocaleString('en-US')} ${count === 1 ? 'session' : 'sessions'}`;
    return { redirect: SESSIONS_HREF, message: { level: 'success', text: `Successfully ended ${told}.` } };
  }
  const named = await list.load(db, ids.slice(0, NAMED));
  const items = named.map(({ id, username, userAgent, address }) => ({
    text: [username, deviceName(userAgent), address].filter((text) => text !== '').join(', '),
    href: sessionHref(id),
  }));
  return {
    view: 'confirm',
    title: 'Are you sure?',
    breadcrumbs: [{ label: 'Sessions', href: SESSIONS_HREF }, { label: 'End sessions' }],
    data: {
      paragraphs: [
        'Are you sure you want to end these sessions? Whoever goes on with them must log in again.',
      ],
      lists: [
        { title: 'Sessions', items, ...(ids.length > NAMED && { more: `… and ${ids.length - NAMED} more` }) },
      ],
      action: request.url,
      hidden,
      submit: { label: 'Yes, end them', tone: 'danger' },
      backHref: SESSIONS_HREF,
    },
  };
}
