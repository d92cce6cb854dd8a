import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { endAdminSession, purgeAdminSessions, startAdminSession } from '../sessions/admin-sessions.ts';
import type { Settings } from '../settings.ts';
import { PASSWORD_MAX_LENGTH } from '../users/hashers.ts';
import { logIn } from '../users/log-in.ts';
import { countSuperusers, findUserByUsername, updateLastLogin } from '../users/users.ts';
import { type FormReading, fieldViews, readForm, type TextField } from './form.ts';
import { localPath } from './local-path.ts';
import type { OpenCall, OpenPage, PageResult, PageView } from './page.ts';
import { sessionLimits } from './viewer.ts';

const FIELDS: readonly TextField[] = [
  {
    kind: 'text',
    name: 'username',
    label: 'Username',
    required: true,
    autocomplete: 'username',
    autofocus: true,
  },
  {
    kind: 'password',
    name: 'password',
    label: 'Password',
    required: true,
    maxLength: PASSWORD_MAX_LENGTH,
    autocomplete: 'current-password',
  },
];

const REFUSED =
  'Please enter the correct username and password for a staff account. Note that both fields may be case-sensitive.';

/** /admin/login/: Django's AdminSite.login. */
export function loginPage(db: Database, settings: Settings): OpenPage {
  return {
    path: '/admin/login/',
    access: 'anyone',
    async get({ query, viewer }) {
      const next = localPath(query.get('next'), '/admin/');
      if (viewer !== null) return { redirect: next };
      if ((await countSuperusers(db)) === 0) return noSuperuserPage();
      return loginView(next);
    },
    async post(call) {
      const next = localPath(call.form.get('next'), '/admin/');
      const reading = readForm(FIELDS, call.form);
      if (Object.keys(reading.errors).length > 0) return loginView(next, reading);
      return enter(db, settings, call, reading, next);
    },
  };
}

async function enter(
  db: Database,
  settings: Settings,
  { request, viewer, origin, now }: OpenCall,
  reading: FormReading,
  next: string,
): Promise<PageResult> {
  const username = reading.values.username as string;
  const refuse = async (reason: string) => {
    // Only who has an account is named: people type passwords into the wrong field.
    const known = await findUserByUsername(db, username);
    const object = known && ({ type: 'user', id: String(known.id), name: known.username } as const);
    const event = { kind: 'admin_login_refused', origin, reason, ...(object && { object }) } as const;
    await recordEvents(db, [event], now);
  };
  const credentials = { username, password: reading.values.password as string };
  const user = await logIn(db, settings, credentials, request.ip, now).catch(async (error) => {
    if (error instanceof AppError && error.code === 'throttled') await refuse(error.code);
    throw error;
  });
  if (user === null || user.is_staff !== 1) {
    await refuse(user === null ? 'no_active_account' : 'not_staff');
    return loginView(next, reading, [REFUSED]);
  }
  const place = { address: request.ip, userAgent: origin.userAgent ?? '' };
  const session = await inTransaction(db, async (trx) => {
    if (viewer !== null) await endAdminSession(trx, viewer.session.id);
    await purgeAdminSessions(trx, sessionLimits(settings), now);
    await updateLastLogin(trx, user.id, now);
    const actor = { id: user.id, name: user.username };
    await recordEvents(trx, [{ kind: 'admin_login', origin: { ...origin, actor } }], now);
    return startAdminSession(trx, user, place, now);
  });
  return { redirect: next, session };
}

function loginView(next: string, reading?: FormReading, formErrors: readonly string[] = []): PageView {
  return {
    view: 'login',
    title: 'Log in',
    breadcrumbs: [],
    data: {
      action: '/admin/login/',
      hidden: [['next', next]],
      formErrors,
      fieldsets: [{ views: fieldViews(FIELDS, reading?.values ?? {}, reading) }],
      submits: [{ label: 'Log in' }],
    },
  };
}

/** What /admin/ says while nobody could log in to it. */
export function noSuperuserPage(): PageView {
  return {
    view: 'text',
    title: 'No superuser yet',
    breadcrumbs: [],
    data: {
      paragraphs: [
        'Nobody can log in here before there is a superuser. The server wrote an address to the terminal it was ' +
          'started in, good for 30 minutes and once: open it, and create the first superuser in the browser.',
        'Is it gone or too old? Restart the server for a new one, or create the superuser in a terminal:',
      ],
      command: 'npm run createsuperuser',
    },
  };
}
