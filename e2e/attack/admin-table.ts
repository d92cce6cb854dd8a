import assert from 'node:assert/strict';
import type { Things } from './admin-site.ts';
import type { AdminVisitor, Form } from './admin-visitor.ts';
import { PASSWORD } from './attack.ts';

/** What comes of a request: a status, `login` for the way there; a `*` says that something was changed. */
export type Outcome = number | 'login' | `${number}*`;

/** For anonymous, plain, staff, viewer, manager, superuser, in this order. */
export type Outcomes = readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome];

export interface PageRow {
  readonly get: Outcomes;
  /** Of a form that would do what the page is for. */
  readonly post: Outcomes;
  form?(things: Things, superuser: AdminVisitor): Form | Promise<Form>;
}

const NEW_PASSWORD = 'pw-Another-456';

/** For whom a page is, by what it takes: to see what it shows, or to do what it is for. */
const everyone: (outcome: Outcome) => Outcomes = (outcome) => [
  outcome,
  outcome,
  outcome,
  outcome,
  outcome,
  outcome,
];
const staff = (outcome: Outcome): Outcomes => ['login', 'login', outcome, outcome, outcome, outcome];
const viewers = (outcome: Outcome): Outcomes => ['login', 'login', 403, outcome, outcome, outcome];
const managers = (outcome: Outcome): Outcomes => ['login', 'login', 403, 403, outcome, outcome];
const superusers = (outcome: Outcome): Outcomes => ['login', 'login', 403, 403, 403, outcome];

/** A bulk action that only managers are offered: to a viewer it is no action, and nothing happens. */
const BULK: Outcomes = ['login', 'login', 403, 303, '303*', '303*'];

const selected = (id: number): Form => ({
  action: 'delete_selected',
  _selected_action: String(id),
  confirmed: '1',
  counted: '1',
});

const seen: PageRow = { get: viewers(200), post: viewers(405) };

/** Every page of the admin. A page that is not here fails its test. */
export const TABLE: Readonly<Record<string, PageRow>> = {
  '/admin/': { get: staff(200), post: staff(405) },
  '/admin/setup/': {
    get: everyone(404),
    post: everyone(404),
    form: () => ({ key: 'x', username: 'eve', password1: NEW_PASSWORD, password2: NEW_PASSWORD }),
  },
  '/admin/login/': {
    get: [200, 200, 303, 303, 303, 303],
    post: everyone(200),
    // A guess would be counted.
    form: () => ({ username: 'plain', password: PASSWORD }),
  },
  '/admin/logout/': { get: everyone(405), post: everyone(303) },
  '/admin/password_change/': {
    get: staff(200),
    post: staff('303*'),
    // The same again: the other requests still have to log in.
    form: () => ({ old_password: PASSWORD, new_password1: PASSWORD, new_password2: PASSWORD }),
  },
  '/admin/createsuperuser/': {
    get: superusers(200),
    post: superusers('303*'),
    form: ({ user }) => ({
      username: `${user.username}-two`,
      email: '',
      password1: NEW_PASSWORD,
      password2: NEW_PASSWORD,
    }),
  },
  '/admin/createsuperuser/:id/': { get: superusers(200), post: superusers(405) },
  '/admin/auth/user/': { get: viewers(200), post: BULK, form: ({ user }) => selected(user.id) },
  '/admin/auth/user/export/': seen,
  '/admin/auth/user/add/': {
    get: managers(200),
    post: managers('303*'),
    form: ({ user }) => ({
      username: `${user.username}-two`,
      usable_password: 'true',
      password1: NEW_PASSWORD,
      password2: NEW_PASSWORD,
    }),
  },
  '/admin/auth/user/:id/': { get: viewers(303), post: viewers(405) },
  '/admin/auth/user/:id/change/': {
    get: viewers(200),
    post: managers('303*'),
    form: async ({ user }, superuser) => ({
      ...(await superuser.formOn(`/admin/auth/user/${user.id}/change/`)),
      first_name: 'Changed',
    }),
  },
  '/admin/auth/user/:id/password/': {
    get: managers(200),
    post: managers('303*'),
    form: () => ({ usable_password: 'true', password1: NEW_PASSWORD, password2: NEW_PASSWORD }),
  },
  '/admin/auth/user/:id/delete/': { get: managers(200), post: managers('303*') },
  '/admin/auth/user/:id/history/': seen,
  '/admin/auth/user/:id/revoke/': { get: managers(200), post: managers('303*') },
  '/admin/auth/group/': { get: viewers(200), post: BULK, form: ({ group }) => selected(group) },
  '/admin/auth/group/add/': {
    get: managers(200),
    post: managers('303*'),
    form: ({ user }) => ({ name: `${user.username}'s group` }),
  },
  '/admin/auth/group/:id/change/': {
    get: viewers(200),
    post: managers('303*'),
    form: async ({ group, user }, superuser) => ({
      ...(await superuser.formOn(`/admin/auth/group/${group}/change/`)),
      name: `${user.username} changed`,
    }),
  },
  '/admin/auth/group/:id/delete/': { get: managers(200), post: managers('303*') },
  '/admin/auth/group/:id/history/': seen,
  '/admin/token_blacklist/outstandingtoken/': seen,
  '/admin/token_blacklist/outstandingtoken/:id/change/': seen,
  '/admin/token_blacklist/outstandingtoken/:id/history/': seen,
  '/admin/token_blacklist/outstandingtoken/:id/revoke/': { get: managers(200), post: managers('303*') },
  '/admin/token_blacklist/blacklistedtoken/': {
    get: viewers(200),
    post: BULK,
    form: ({ entry }) => selected(entry),
  },
  '/admin/token_blacklist/blacklistedtoken/add/': {
    get: managers(200),
    // It finds the token; the page it leads to asks, and revokes.
    post: managers(303),
    form: ({ token }) => ({ jti: token.jti }),
  },
  '/admin/token_blacklist/blacklistedtoken/:id/change/': seen,
  '/admin/token_blacklist/blacklistedtoken/:id/delete/': { get: managers(200), post: managers('303*') },
  '/admin/sessions/': {
    get: viewers(200),
    post: BULK,
    form: ({ session }) => ({ ...selected(session), action: 'end_selected' }),
  },
  '/admin/sessions/:id/change/': seen,
  '/admin/sessions/:id/end/': { get: managers(200), post: managers('303*') },
  '/admin/locks/': {
    get: managers(200),
    post: managers('303*'),
    form: ({ lock }) => ({ lock: String(lock) }),
  },
  // Without a ring there are no keys to change. RING_TABLE says what is true with one.
  '/admin/keys/': { get: superusers(200), post: superusers(303), form: () => ({ action: 'rotate' }) },
  '/admin/keys/:id/retire/': { get: superusers(404), post: superusers(303) },
  '/admin/keys/:id/withdraw/': { get: superusers(404), post: superusers(303) },
  '/admin/history/': seen,
  '/admin/history/export/': seen,
  '/admin/history/:id/': seen,
};

/** The pages of which KEY_RING makes others. */
export const RING_TABLE: Readonly<Record<string, PageRow>> = {
  '/admin/keys/': { get: superusers(200), post: superusers('303*'), form: () => ({ action: 'rotate' }) },
  '/admin/keys/:id/retire/': { get: superusers(200), post: superusers('303*') },
  '/admin/keys/:id/withdraw/': { get: superusers(200), post: superusers('303*') },
};

/** @throws AssertionError for a page that nobody said anything of */
export function rowOf(path: string): PageRow {
  const row = TABLE[path];
  assert.ok(row, `${path}: say in TABLE who may do what there`);
  return row;
}

/** The form that would do what a page is for. */
export async function formFor(path: string, things: Things, superuser: AdminVisitor): Promise<Form> {
  return (await TABLE[path]?.form?.(things, superuser)) ?? {};
}
