import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import type { GroupRow } from '../../db/tables.ts';
import { byBytes } from '../../db/text-order.ts';
import type { Settings } from '../settings.ts';
import { listGroups } from '../users/groups.ts';
import { type Actor, may } from '../users/permissions.ts';
import { findListedUsers, type ListedUser } from '../users/user-list.ts';
import {
  hasFlag,
  isInGroup,
  JOINED_PERIODS,
  type JoinedPeriod,
  joinedIn,
  searchUsers,
} from '../users/user-search.ts';
import { readSelection } from './bulk.ts';
import { type Filter, type List, listView } from './list.ts';
import type { GuardedPage, PageCall, PageView } from './page.ts';
import { USERS_HREF } from './user-links.ts';
import { actionsFor, actOnUsers } from './users-bulk.ts';

/** How many groups are offered as a filter, by name. A group's own page leads to its users as well. */
const GROUPS_OFFERED = 50;

const GROUP = 'groups__id__exact';

/** /admin/auth/user/: Django's list of users, and what is done with several at once. */
export function usersListPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: USERS_HREF,
    access: ['auth.view_user', 'auth.change_user'],
    get: (call) => usersView(db, call),
    async post(call) {
      const list = await usersList(db, call);
      const selection = await readSelection(db, list, actionsFor(call.viewer), call);
      return 'redirect' in selection ? selection : actOnUsers(db, settings, call, selection);
    },
  };
}

/** The list as its address asks for it. */
export async function usersList(
  db: Database,
  { query, now }: Pick<PageCall, 'query' | 'now'>,
): Promise<List<ListedUser>> {
  const lowered = (column: string) => byBytes(sql`lower(${sql.ref(column)})`);
  return {
    table: 'auth_user',
    nouns: ['user', 'users'],
    columns: [
      {
        label: 'Username',
        order: sql.ref('username'),
        // Short, for there are a hundred of them.
        cell: ({ id, username }) => ({ text: username, href: `${id}/change/` }),
      },
      { label: 'Email address', order: lowered('email'), cell: (row) => ({ partial: 'user-email', row }) },
      { label: 'First name', order: lowered('first_name'), cell: (user) => ({ text: user.first_name }) },
      { label: 'Last name', order: lowered('last_name'), cell: (user) => ({ text: user.last_name }) },
      {
        label: 'Staff status',
        order: sql.ref('is_staff'),
        cell: ({ is_staff }) => ({ flag: is_staff === 1 }),
      },
    ],
    defaultOrder: [{ by: sql.ref('username'), descending: false }],
    filters: [
      flagFilter('is_staff', 'staff status'),
      flagFilter('is_superuser', 'superuser status'),
      flagFilter('is_active', 'active'),
      ...groupFilters(await listGroups(db), query.get(GROUP)),
      {
        param: 'date_joined',
        label: 'date joined',
        options: Object.entries(JOINED_PERIODS).map(([value, label]) => ({ value, label })),
        condition: (value) => joinedIn(value as JoinedPeriod, now),
      },
    ],
    search: { help: 'Username, name or email', conditions: searchUsers },
    load: findListedUsers,
  };
}

/** Under Django's parameters: `?is_staff__exact=1`. */
function flagFilter(column: 'is_staff' | 'is_superuser' | 'is_active', label: string): Filter {
  return {
    param: `${column}__exact`,
    label,
    options: [
      { value: '1', label: 'Yes' },
      { value: '0', label: 'No' },
    ],
    condition: (value) => hasFlag(column, value === '1'),
  };
}

/** None while there is no group, as Django's RelatedFieldListFilter. */
function groupFilters(groups: readonly GroupRow[], chosen: string | null): Filter[] {
  if (groups.length === 0) return [];
  const offered = groups.filter(({ id }, index) => index < GROUPS_OFFERED || String(id) === chosen);
  const options = offered.map(({ id, name }) => ({ value: String(id), label: name }));
  return [
    {
      param: GROUP,
      label: 'groups',
      options,
      condition: (value) => isInGroup(Number(value)),
    },
  ];
}

async function usersView(db: Database, call: PageCall): Promise<PageView> {
  const { viewer, query } = call;
  const text = query.toString();
  return {
    view: 'list',
    title: may(viewer, 'auth.change_user') ? 'Select user to change' : 'Select user to view',
    breadcrumbs: [{ label: 'Users' }],
    data: {
      list: await listView(db, await usersList(db, call), query),
      actions: actionsFor(viewer),
      headLinks: headLinks(viewer, text === '' ? '' : `?${text}`),
      empty: 'There is no user yet.',
      tableClass: 'user-rows',
    },
  };
}

function headLinks(viewer: Actor, query: string) {
  return [
    { label: 'Export as CSV', href: `${USERS_HREF}export/${query}`, quiet: true },
    ...(viewer.user.is_superuser === 1
      ? [{ label: 'Create superuser', href: '/admin/createsuperuser/', quiet: true }]
      : []),
    ...(may(viewer, 'auth.add_user') && may(viewer, 'auth.change_user')
      ? [{ label: 'Add user', href: `${USERS_HREF}add/` }]
      : []),
  ];
}
