import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import type { TokenContext } from '../tokens/context.ts';
import { blacklistAddPage } from './blacklist-add.ts';
import { blacklistDeletePage, blacklistEntryPage } from './blacklist-entry.ts';
import { blacklistListPage } from './blacklist-list.ts';
import { groupAddPage, groupChangePage } from './group-change.ts';
import { groupDeletePage } from './group-delete.ts';
import { groupHistoryPage } from './group-history.ts';
import { groupsListPage } from './groups-list.ts';
import { historyEventPage } from './history-event.ts';
import { historyExportPage, historyListPage } from './history-list.ts';
import { keyRetirePage, keyWithdrawPage } from './key-confirm.ts';
import { keysPage } from './keys.ts';
import { locksPage } from './locks.ts';
import { loginPage } from './login.ts';
import { logoutPage } from './logout.ts';
import { overviewPage } from './overview.ts';
import type { AdminPage } from './page.ts';
import { passwordChangePage } from './password-change.ts';
import { sessionDetailPage, sessionEndPage } from './session-detail.ts';
import { sessionsListPage } from './sessions-list.ts';
import { setupPage } from './setup.ts';
import { superuserAddedPage, superuserAddPage } from './superuser-add.ts';
import { tokenDetailPage, tokenHistoryPage } from './token-detail.ts';
import { tokenRevokePage, userTokensRevokePage } from './token-revoke.ts';
import { tokensListPage } from './tokens-list.ts';
import { userAddPage } from './user-add.ts';
import { userChangePage, userPage } from './user-change.ts';
import { userDeletePage } from './user-delete.ts';
import { userHistoryPage } from './user-history.ts';
import { userPasswordPage } from './user-password.ts';
import { usersExportPage } from './users-export.ts';
import { usersListPage } from './users-list.ts';

export interface AdminDependencies {
  db: Database;
  settings: Settings;
  context: TokenContext;
}

/** Every page of /admin/. */
export function adminPages({ db, settings }: AdminDependencies): AdminPage[] {
  return [
    overviewPage(db, settings),
    setupPage(db, settings),
    loginPage(db, settings),
    logoutPage(db),
    passwordChangePage(db, settings),
    superuserAddPage(db, settings),
    superuserAddedPage(db),
    usersListPage(db, settings),
    usersExportPage(db),
    userAddPage(db, settings),
    userPage(),
    userChangePage(db),
    userPasswordPage(db, settings),
    userDeletePage(db),
    userHistoryPage(db),
    groupsListPage(db),
    groupAddPage(db),
    groupChangePage(db),
    groupDeletePage(db),
    groupHistoryPage(db),
    tokensListPage(db),
    tokenDetailPage(db, settings),
    tokenHistoryPage(db),
    tokenRevokePage(db, settings),
    userTokensRevokePage(db, settings),
    blacklistListPage(db),
    blacklistAddPage(db, settings),
    blacklistEntryPage(db),
    blacklistDeletePage(db),
    sessionsListPage(db),
    sessionDetailPage(db),
    sessionEndPage(db, settings),
    locksPage(db, settings),
    keysPage(db, settings),
    keyRetirePage(db, settings),
    keyWithdrawPage(db, settings),
    historyListPage(db),
    historyExportPage(db),
    historyEventPage(db),
  ];
}
