import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { keepOnlyAdminSession } from '../sessions/admin-sessions.ts';
import type { Settings } from '../settings.ts';
import { revokeTokensOf } from '../tokens/mass-revocation.ts';
import { checkPassword, hashPassword, PASSWORD_MAX_LENGTH } from '../users/hashers.ts';
import { replacePassword } from '../users/users.ts';
import { type FormReading, fieldViews, readForm, type TextField } from './form.ts';
import { checkNewPassword, END_SESSIONS, passwordPair } from './new-password.ts';
import type { GuardedPage, PageView } from './page.ts';

const OLD: TextField = {
  kind: 'password',
  name: 'old_password',
  label: 'Old password',
  required: true,
  maxLength: PASSWORD_MAX_LENGTH,
  autocomplete: 'current-password',
  autofocus: true,
};

const NEW = passwordPair(['new_password1', 'new_password2'], ['New password', 'New password confirmation']);

const FIELDS = [OLD, NEW.first, NEW.second, END_SESSIONS];

const WRONG = 'Your old password was entered incorrectly. Please enter it again.';

/** /admin/password_change/: Django's PasswordChangeView. This session goes on, the person's others end. */
export function passwordChangePage(db: Database, settings: Settings): GuardedPage {
  return {
    path: '/admin/password_change/',
    access: 'staff',
    get: () => changeView(),
    async post({ form, viewer, origin, now }) {
      const { user, session } = viewer;
      const reading = readForm(FIELDS, form);
      await checkNewPassword(NEW, reading, user);
      const old = reading.values.old_password as string;
      if (!reading.errors.old_password) {
        const { matches } = await checkPassword(old, user.password, settings);
        if (!matches) reading.errors.old_password = [WRONG];
      }
      if (Object.keys(reading.errors).length > 0) return changeView(reading);
      const passwordHash = await hashPassword(reading.values.new_password1 as string, settings);
      const isChanged = await inTransaction(db, async (trx) => {
        if (!(await replacePassword(trx, user, passwordHash))) return false;
        await keepOnlyAdminSession(trx, session, passwordHash);
        const object = { type: 'user', id: String(user.id), name: user.username } as const;
        await recordEvents(trx, [{ kind: 'password_changed', origin, object }], now);
        if (reading.values.end_sessions)
          await revokeTokensOf(trx, settings, [user.id], now, origin, 'password');
        return true;
      });
      // Somebody else was quicker: with that, the old password was another one.
      if (!isChanged) return changeView({ ...reading, errors: { old_password: [WRONG] } });
      return {
        redirect: '/admin/',
        message: {
          level: 'success',
          text: 'Your password was changed. Your other sessions in the admin have ended.',
        },
      };
    },
  };
}

function changeView(reading?: FormReading): PageView {
  return {
    view: 'form',
    title: 'Password change',
    breadcrumbs: [{ label: 'Password change' }],
    data: {
      intro:
        'Please enter your old password, for security’s sake, and then enter your new password twice so we can ' +
        'verify you typed it in correctly.',
      fieldsets: [{ views: fieldViews(FIELDS, {}, reading) }],
      submits: [{ label: 'Change my password' }],
    },
  };
}
