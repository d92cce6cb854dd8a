import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { endAdminSessionsOf, keepOnlyAdminSession } from '../sessions/admin-sessions.ts';
import type { Settings } from '../settings.ts';
import { revokeTokensOf } from '../tokens/mass-revocation.ts';
import { requireDeed } from '../users/account-policy.ts';
import { subjectOf } from '../users/acting.ts';
import { changePassword } from '../users/change-password.ts';
import { hashPassword, unusablePassword } from '../users/hashers.ts';
import { isUsablePassword } from '../users/password-summary.ts';
import { findUserById } from '../users/users.ts';
import { type FormReading, fieldViews, readForm } from './form.ts';
import { complaintsIn, END_SESSIONS } from './new-password.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';
import { noSuchUser, USERS_HREF, userHref } from './user-links.ts';
import { passwordFields, readsPassword } from './user-password-fields.ts';

const PASSWORD = passwordFields(
  'Password (again)',
  'If disabled, the current password for this user will be lost.',
);

const NEW_ONLY = [PASSWORD.passwords.first, PASSWORD.passwords.second, END_SESSIONS];
const FIELDS = [PASSWORD.usable, ...NEW_ONLY];

/** /admin/auth/user/1/password/ */
export function userPasswordPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${USERS_HREF}:id/password/`,
    access: ['auth.change_user'],
    get: async (call) => passwordView(await openUser(db, call)),
    async post(call) {
      const user = await openUser(db, call);
      const reading = readForm(fieldsFor(user), call.form);
      const isUsable = await readsPassword(PASSWORD, reading, user);
      if (Object.keys(reading.errors).length > 0) return passwordView(user, reading);
      if (!isUsable) {
        return call.form.has('confirmed')
          ? set(db, settings, call, user, unusablePassword())
          : askView(user, settings, reading.values.end_sessions === true);
      }
      try {
        return await set(
          db,
          settings,
          call,
          user,
          await hashPassword(reading.values.password1 as string, settings),
        );
      } catch (error) {
        return passwordView(user, { ...reading, errors: complaintsIn(error, PASSWORD.passwords) });
      }
    },
  };
}

/** @throws AppError `not_found`; `forbidden` when the viewer may not set this one's password */
async function openUser(db: Database, { params, viewer }: PageCall): Promise<UserRow> {
  const user = await findUserById(db, Number(params.id));
  if (user === null) throw noSuchUser();
  requireDeed(viewer, 'set the password of', await subjectOf(db, user));
  return user;
}

/** Who has no password can but be given one. */
function fieldsFor(user: UserRow) {
  return isUsablePassword(user.password) ? FIELDS : NEW_ONLY;
}

/** Sets a password, and ends the sessions that were begun with another; one's own goes on. */
async function set(
  db: Database,
  settings: Settings,
  { viewer, origin, now, form }: PageCall,
  user: UserRow,
  passwordHash: string,
): Promise<PageResult> {
  await inTransaction(db, async (trx) => {
    await changePassword(trx, { actor: viewer, origin, now }, user.id, passwordHash);
    if (user.id === viewer.user.id) await keepOnlyAdminSession(trx, viewer.session, passwordHash);
    else await endAdminSessionsOf(trx, [user.id]);
    if (form.has(END_SESSIONS.name)) await revokeTokensOf(trx, settings, [user.id], now, origin, 'password');
  });
  const text = isUsablePassword(passwordHash)
    ? 'Password changed successfully.'
    : 'Password-based authentication was disabled.';
  return { redirect: userHref(user.id), message: { level: 'success', text } };
}

function passwordView(user: UserRow, reading?: FormReading): PageView {
  const isUsable = isUsablePassword(user.password);
  const title = isUsable ? 'Change password' : 'Set password';
  return {
    view: 'form',
    title: `${title}: ${user.username}`,
    breadcrumbs: breadcrumbsTo(user, title),
    data: {
      intro: isUsable
        ? `Enter a new password for the user ${user.username}.`
        : `Enter a new password for the user ${user.username}. This action will enable password-based authentication for this user.`,
      fieldsets: [
        { views: fieldViews(fieldsFor(user), reading?.values ?? { usable_password: 'true' }, reading) },
      ],
      submits: [{ label: isUsable ? 'Change password' : 'Enable password-based authentication' }],
    },
  };
}

function askView(user: UserRow, { CHECK_REVOKE_TOKEN }: Settings, endsSessions: boolean): PageView {
  const tokens =
    CHECK_REVOKE_TOKEN || endsSessions
      ? 'Tokens that the user has are refused from then on.'
      : 'Tokens that the user has stay good until they expire or are revoked.';
  return {
    view: 'confirm',
    title: 'Disable password-based authentication',
    breadcrumbs: breadcrumbsTo(user, 'Disable password'),
    data: {
      paragraphs: [
        `Are you sure you want to take the password of the user “${user.username}” away? It will be lost, and nobody ` +
          'can log in to the account until it is given another one.',
        `Sessions of the user in the admin end. ${tokens}`,
      ],
      hidden: [
        ['usable_password', 'false'],
        ['confirmed', '1'],
        ...(endsSessions ? [[END_SESSIONS.name, 'on']] : []),
      ],
      submit: { label: 'Disable password-based authentication', tone: 'danger' },
      backHref: userHref(user.id, 'password'),
    },
  };
}

function breadcrumbsTo({ id, username }: UserRow, label: string) {
  return [{ label: 'Users', href: USERS_HREF }, { label: username, href: userHref(id) }, { label }];
}
