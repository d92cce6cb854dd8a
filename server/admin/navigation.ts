import type { Viewer } from './page.ts';

/** A kind of thing the admin looks after. */
export interface Section {
  label: string;
  href: string;
  /** Django's name of the app, as a heading of the index. */
  app: string;
  /** Who has one of these may open the list. */
  viewedBy: readonly string[];
  /** Superusers alone may, whatever permissions others have. */
  isForSuperusers?: true;
  /** Where one is added, and who may. */
  add?: { href: string; permission: string };
}

/** Every list of the admin, in the order of its menu. */
export const SECTIONS: readonly Section[] = [
  {
    label: 'Users',
    href: '/admin/auth/user/',
    app: 'Authentication and Authorization',
    viewedBy: ['auth.view_user', 'auth.change_user'],
    add: { href: '/admin/auth/user/add/', permission: 'auth.add_user' },
  },
  {
    label: 'Groups',
    href: '/admin/auth/group/',
    app: 'Authentication and Authorization',
    viewedBy: ['auth.view_group', 'auth.change_group'],
    add: { href: '/admin/auth/group/add/', permission: 'auth.add_group' },
  },
  {
    label: 'Outstanding tokens',
    href: '/admin/token_blacklist/outstandingtoken/',
    app: 'Token Blacklist',
    viewedBy: ['token_blacklist.view_outstandingtoken', 'token_blacklist.change_outstandingtoken'],
  },
  {
    label: 'Blacklisted tokens',
    href: '/admin/token_blacklist/blacklistedtoken/',
    app: 'Token Blacklist',
    viewedBy: ['token_blacklist.view_blacklistedtoken', 'token_blacklist.change_blacklistedtoken'],
    add: {
      href: '/admin/token_blacklist/blacklistedtoken/add/',
      permission: 'token_blacklist.add_blacklistedtoken',
    },
  },
  {
    label: 'Sessions',
    href: '/admin/sessions/',
    app: 'Administration',
    viewedBy: ['token_blacklist.view_outstandingtoken', 'token_blacklist.change_outstandingtoken'],
  },
  {
    label: 'Locks',
    href: '/admin/locks/',
    app: 'Administration',
    viewedBy: ['auth.change_user'],
  },
  {
    label: 'Signing keys',
    href: '/admin/keys/',
    app: 'Administration',
    viewedBy: [],
    isForSuperusers: true,
  },
  {
    label: 'History',
    href: '/admin/history/',
    app: 'Administration',
    viewedBy: ['admin.view_logentry'],
  },
];

/** Whether a viewer may open the list at an address. */
export function mayView(viewer: Pick<Viewer, 'permissions' | 'user'>, href: string): boolean {
  return sectionsFor(viewer).some((section) => section.href === href);
}

/** The lists that a viewer may open. */
export function sectionsFor({ permissions, user }: Pick<Viewer, 'permissions' | 'user'>): Section[] {
  return SECTIONS.filter(({ viewedBy, isForSuperusers }) =>
    isForSuperusers ? user.is_superuser === 1 : viewedBy.some((key) => permissions.has(key)),
  );
}
