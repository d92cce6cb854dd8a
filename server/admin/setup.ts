import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { startAdminSession } from '../sessions/admin-sessions.ts';
import { isSetupKey, takeSetupKey } from '../sessions/setup-keys.ts';
import type { Settings } from '../settings.ts';
import { hashPassword } from '../users/hashers.ts';
import { countSuperusers, createSuperuser } from '../users/users.ts';
import type { FormReading } from './form.ts';
import type { OpenCall, OpenPage, PageResult, PageView } from './page.ts';
import { type NewSuperuser, readSuperuserForm, superuserFieldsets } from './superuser-form.ts';

/**
 * /admin/setup/: the first superuser, for whoever has the address that the server wrote to its terminal. Without a
 * good key, and as soon as there is a superuser, there is nothing here.
 */
export function setupPage(db: Database, settings: Settings): OpenPage {
  return {
    path: '/admin/setup/',
    access: 'anyone',
    async get({ query, now }) {
      const key = query.get('key') ?? '';
      await requireOpen(db, await isSetupKey(db, key, now));
      return setupView(key);
    },
    async post(call) {
      const key = call.form.get('key') ?? '';
      await requireOpen(db, await isSetupKey(db, key, call.now));
      const { reading, account } = await readSuperuserForm(db, call.form);
      return account === null ? setupView(key, reading) : setUp(db, settings, call, key, account);
    },
  };
}

/** @throws AppError `not_found` */
async function requireOpen(db: Database, hasKey: boolean): Promise<void> {
  if (hasKey && (await countSuperusers(db)) === 0) return;
  throw new AppError('not_found', {
    advice:
      'A set-up address works once, for 30 minutes, and only while there is no superuser. ' +
      'Restart the server for a new one, or run: npm run createsuperuser',
  });
}

/** Of two who come at the same time the second is told that there is nothing here any more. */
async function setUp(
  db: Database,
  settings: Settings,
  { request, origin, now }: OpenCall,
  key: string,
  { username, email, password }: NewSuperuser,
): Promise<PageResult> {
  const passwordHash = await hashPassword(password, settings);
  const place = { address: request.ip, userAgent: origin.userAgent ?? '' };
  const { user, session } = await inTransaction(db, async (trx) => {
    await requireOpen(trx, await takeSetupKey(trx, key, now));
    const created: UserRow = await createSuperuser(trx, { username, email, passwordHash }, now);
    const actor = { id: created.id, name: created.username };
    const object = { type: 'user', id: String(created.id), name: created.username } as const;
    await recordEvents(
      trx,
      [{ kind: 'superuser_created', origin: { ...origin, actor }, object, reason: 'setup' }],
      now,
    );
    return { user: created, session: await startAdminSession(trx, created, place, now) };
  });
  return {
    redirect: '/admin/',
    session,
    message: {
      level: 'success',
      text: `Welcome, ${user.username}. You are the first superuser, and logged in.`,
    },
  };
}

function setupView(key: string, reading?: FormReading): PageView {
  return {
    view: 'form',
    title: 'Create the first superuser',
    breadcrumbs: [],
    data: {
      intro: 'A superuser may do everything here, and make other accounts. This page works once.',
      action: '/admin/setup/',
      hidden: [['key', key]],
      fieldsets: superuserFieldsets(reading),
      submits: [{ label: 'Create superuser and log in' }],
    },
  };
}
