import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import type { TokenContext } from '../tokens/context.ts';
import { loginPage } from './login.ts';
import { logoutPage } from './logout.ts';
import { overviewPage } from './overview.ts';
import type { AdminPage } from './page.ts';
import { passwordChangePage } from './password-change.ts';
import { setupPage } from './setup.ts';

export interface AdminDependencies {
  db: Database;
  settings: Settings;
  context: TokenContext;
}

/** Every page of /admin/. */
export function adminPages({ db, settings }: AdminDependencies): AdminPage[] {
  return [
    overviewPage(),
    setupPage(db, settings),
    loginPage(db, settings),
    logoutPage(db),
    passwordChangePage(db, settings),
  ];
}
