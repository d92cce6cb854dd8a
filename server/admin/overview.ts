import type { GuardedPage } from './page.ts';

/** /admin/: Django's index. */
export function overviewPage(): GuardedPage {
  return {
    path: '/admin/',
    access: 'staff',
    get: () => ({ view: 'overview', title: 'Site administration', breadcrumbs: [], data: {} }),
  };
}
