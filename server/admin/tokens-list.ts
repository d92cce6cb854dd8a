import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { type OutstandingView, outstandingByIds, type TokenState } from '../tokens/outstanding.ts';
import { inState, OUTSTANDING_ORDERS, searchOutstanding } from '../tokens/outstanding-search.ts';
import { findUserById } from '../users/users.ts';
import { type Cell, type Filter, type List, listView } from './list.ts';
import type { GuardedPage, PageCall, Viewer } from './page.ts';
import { OUTSTANDING_HREF, OUTSTANDING_VIEWERS } from './token-links.ts';
import { mayViewUsers, userHref } from './user-links.ts';

const STATES: Readonly<Record<TokenState, string>> = {
  alive: 'Alive',
  expired: 'Expired',
  blacklisted: 'Blacklisted',
};

/** A jti and two times make long rows. */
export const TOKENS_PER_PAGE = 50;

/** The parameter of Django's lists for a field of a related row. */
const USER = 'user__id__exact';

/** /admin/token_blacklist/outstandingtoken/: every refresh and sliding token that was given out and not flushed yet. */
export function tokensListPage(db: Database): GuardedPage {
  return {
    path: OUTSTANDING_HREF,
    access: OUTSTANDING_VIEWERS,
    async get(call) {
      return {
        view: 'list',
        title: 'Outstanding tokens',
        breadcrumbs: [{ label: 'Outstanding tokens' }],
        data: {
          list: await listView(db, await tokensList(db, call), call.query),
          actions: [],
          tableClass: 'token-rows',
          empty: 'No token was given out yet. Log in at /api/token/, and the refresh token will stand here.',
        },
      };
    },
  };
}

async function tokensList(db: Database, { query, viewer, now }: PageCall): Promise<List<OutstandingView>> {
  return {
    table: 'token_blacklist_outstandingtoken',
    nouns: ['outstanding token', 'outstanding tokens'],
    columns: [
      {
        label: 'Jti',
        order: OUTSTANDING_ORDERS.jti,
        cell: ({ id, jti }) => ({ text: jti, href: `${id}/change/`, code: true }),
      },
      { label: 'User', order: OUTSTANDING_ORDERS.user, cell: ({ user }) => userCell(user, viewer) },
      {
        label: 'Created at',
        order: OUTSTANDING_ORDERS.created,
        cell: ({ createdAt }) => ({ time: createdAt }),
      },
      {
        label: 'Expires at',
        order: OUTSTANDING_ORDERS.expires,
        cell: ({ expiresAt }) => ({ time: expiresAt }),
      },
      { label: 'State', cell: stateCell },
    ],
    defaultOrder: [{ by: OUTSTANDING_ORDERS.created, descending: true }],
    filters: [stateFilter(now), ...(await userFilter(db, query))],
    search: {
      help: 'Token id (jti), username or user id',
      conditions: (words) => searchOutstanding(db, words),
    },
    pageSize: TOKENS_PER_PAGE,
    load: (from, ids) => outstandingByIds(from, ids, now),
  };
}

/** A user's name, with a link for who may follow it. */
export function userCell(user: OutstandingView['user'], viewer: Viewer): Cell {
  if (user === null) return { text: '–' };
  return mayViewUsers(viewer) ? { text: user.username, href: userHref(user.id) } : { text: user.username };
}

function stateCell({ state, isExpired }: OutstandingView): Cell {
  if (state === 'blacklisted') {
    return { badge: isExpired ? 'Blacklisted, expired' : 'Blacklisted', tone: isExpired ? 'neutral' : 'bad' };
  }
  return { badge: STATES[state], tone: state === 'alive' ? 'good' : 'neutral' };
}

function stateFilter(now: Date): Filter {
  const states = Object.keys(STATES) as TokenState[];
  return {
    param: 'state',
    label: 'state',
    options: states.map((value) => ({ value, label: STATES[value] })),
    condition: (value) => inState(value as TokenState, now),
  };
}

/** Of one user, where the address names one: there are too many to choose from. */
async function userFilter(db: Database, query: URLSearchParams): Promise<Filter[]> {
  const value = query.get(USER) ?? '';
  const user = /^[1-9]\d{0,14}$/.test(value) ? await findUserById(db, Number(value)) : null;
  if (user === null) return [];
  const condition = { anyOf: [sql`user_id = ${user.id}`], indexed: true, by: sql.ref('id') };
  return [
    { param: USER, label: 'user', options: [{ value, label: user.username }], condition: () => condition },
  ];
}
