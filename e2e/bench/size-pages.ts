/** Ids of rows that a full database has. */
export interface Ids {
  user: number;
  /** Whom many tokens are of. */
  busyUser: number;
  group: number;
  token: number;
  blacklisted: number;
  session: number;
  event: number;
  superuser: number;
}

/** The list of users by its own parameters: pages, searches, filters, orders, and several of them. */
const USERS = [
  ['', '?p=2', '?p=100', '?q=m', '?q=sm', '?q=smith', '?q=maria+smith', '?q=m+s+a', '?q=nobody', '?q=%C3%A9'],
  ['?is_staff__exact=1', '?is_superuser__exact=1', '?is_active__exact=1', '?is_active__exact=0'],
  ['?is_active__exact=0&is_staff__exact=1', '?is_active__exact=1&q=m', '?groups__id__exact=1'],
  [
    '?groups__id__exact=10',
    '?groups__id__exact=1&is_active__exact=0&q=m&o=-2',
    '?is_superuser__exact=0&p=100',
  ],
  ['?date_joined=today', '?date_joined=past_7_days', '?date_joined=this_month', '?date_joined=this_year'],
  [
    '?o=1',
    '?o=-1&p=100',
    '?o=2',
    '?o=-2',
    '?o=3&p=50',
    '?o=-3',
    '?o=4',
    '?o=-4',
    '?o=5',
    '?o=-5',
    '?o=4.-3.1',
  ],
  ['?o=-4&q=m', '?o=-4&is_active__exact=0&p=100'],
].flat();

const TOKENS = [
  [
    '',
    '?p=2',
    '?p=200',
    '?q=m',
    '?q=maria.s',
    '?q=maria.smith1',
    '?q=a1',
    '?q=a1b2',
    '?q=m+a',
    '?q=nobody',
    '?q=1',
  ],
  ['?state=alive', '?state=expired', '?state=blacklisted', '?state=alive&o=3', '?state=expired&o=1'],
  [
    '?state=expired&p=200',
    '?state=alive&q=m',
    '?state=expired&q=m',
    '?state=blacklisted&o=2',
    '?state=alive&o=4',
  ],
  ['?user__id__exact=1', '?user__id__exact=1&state=alive', '?user__id__exact=900000&o=-1'],
  ['?o=1', '?o=-1&p=200', '?o=2', '?o=-2', '?o=3', '?o=-3', '?o=4', '?o=-4', '?o=2.1.-3'],
].flat();

const BLACKLIST = [
  '',
  '?p=2',
  '?p=200',
  '?q=m',
  '?q=maria.s',
  '?q=a',
  '?q=a1b',
  '?q=nobody',
  '?q=1',
  '?o=4',
  '?o=-4',
];

const SESSIONS = [
  [
    '',
    '?p=100',
    '?q=m',
    '?q=maria.smith1',
    '?q=10.1',
    '?q=nobody',
    '?user=1',
    '?state=alive',
    '?state=ended',
  ],
  ['?state=expired', '?o=2', '?o=-2', '?o=5', '?o=-5', '?o=6&p=100', '?o=-6&q=m'],
].flat();

const HISTORY = [
  ['', '?p=2', '?p=100', '?o=1', '?q=m', '?q=maria.smith', '?q=10.1', '?q=nobody', '?q=m+10'],
  [
    '?when=today',
    '?when=past_7_days',
    '?when=past_30_days',
    '?group=login',
    '?group=refusal',
    '?group=token',
  ],
  [
    '?group=change',
    '?kind=refreshed',
    '?kind=password_changed',
    '?kind=login_refused&q=m',
    '?group=token&o=1',
  ],
  [
    '?via=api',
    '?via=admin',
    '?via=command',
    '?when=past_30_days&group=refusal&via=api&q=m',
    '?group=change&p=100',
  ],
].flat();

/** For each path of the app, the addresses that are timed. Null for one that is no page to look at. */
export function addressesOf(path: string, ids: Ids): readonly string[] | null {
  const lists: Readonly<Record<string, readonly string[]>> = {
    '/admin/auth/user/': USERS,
    '/admin/auth/group/': ['', '?q=e', '?o=-1'],
    '/admin/token_blacklist/outstandingtoken/': TOKENS,
    '/admin/token_blacklist/blacklistedtoken/': BLACKLIST,
    '/admin/sessions/': SESSIONS,
    '/admin/history/': HISTORY,
  };
  if (lists[path] !== undefined) return lists[path].map((query) => path + query);
  // An export is as long as what it exports, and these two are not for who is logged in.
  if (path.endsWith('/export/') || path === '/admin/setup/' || path === '/admin/logout/') return null;
  const id = Object.entries(idsByPath(ids)).find(([start]) => path.startsWith(start))?.[1];
  if (id === undefined) return path.includes(':') ? [] : [path];
  return id.map((one) => path.replace(':id', String(one)));
}

function idsByPath(ids: Ids): Readonly<Record<string, readonly number[]>> {
  return {
    '/admin/createsuperuser/:id/': [ids.superuser],
    '/admin/auth/user/:id/': [ids.user, ids.busyUser],
    '/admin/auth/group/:id/': [ids.group],
    '/admin/token_blacklist/outstandingtoken/:id/': [ids.token],
    '/admin/token_blacklist/blacklistedtoken/:id/': [ids.blacklisted],
    '/admin/sessions/:id/': [ids.session],
    '/admin/history/:id/': [ids.event],
    // Without a ring there are none.
    '/admin/keys/:id/': [],
  };
}
