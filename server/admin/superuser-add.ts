import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { addSuperuser } from '../users/add-account.ts';
import { hashPassword } from '../users/hashers.ts';
import { findUserById } from '../users/users.ts';
import type { FormReading } from './form.ts';
import { complaintsIn } from './new-password.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';
import { PASSWORDS, readSuperuserForm, superuserFieldsets } from './superuser-form.ts';
import { noSuchUser, USERS_HREF, userHref } from './user-links.ts';

const HREF = '/admin/createsuperuser/';

/** /admin/createsuperuser/: another superuser in one step, as the command of that name makes one. */
export function superuserAddPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: HREF,
    access: 'superuser',
    get: () => addView(),
    post: (call) => add(db, settings, call),
  };
}

/** /admin/createsuperuser/1/: what the account that was made can do, and where to try it. */
export function superuserAddedPage(db: Database): GuardedPage {
  return {
    path: `${HREF}:id/`,
    access: 'superuser',
    async get({ params }) {
      const user = await findUserById(db, Number(params.id));
      if (user?.is_superuser !== 1) throw noSuchUser();
      return {
        view: 'text',
        title: `Superuser ${user.username}`,
        breadcrumbs: [
          { label: 'Users', href: USERS_HREF },
          { label: 'Create superuser', href: HREF },
          { label: user.username },
        ],
        data: {
          paragraphs: [`“${user.username}” can log in right now, with username and password:`],
          items: [
            'to this admin, and there see, add, change and delete everything, also other superusers;',
            'at /api/token/, to get an access and a refresh token, and with the access token to every endpoint that asks for one.',
          ],
          links: [
            { label: 'Try it at /api/token/', href: '/api/token/' },
            { label: 'Change user', href: userHref(user.id), quiet: true },
            { label: 'Create another superuser', href: HREF, quiet: true },
          ],
        },
      };
    },
  };
}

async function add(
  db: Database,
  settings: Settings,
  { form, viewer, origin, now }: PageCall,
): Promise<PageResult> {
  const { reading, account } = await readSuperuserForm(db, form);
  if (account === null) return addView(reading);
  const { username, email, password } = account;
  try {
    const passwordHash = await hashPassword(password, settings);
    const user = await addSuperuser(db, { actor: viewer, origin, now }, { username, email, passwordHash });
    return {
      redirect: `${HREF}${user.id}/`,
      message: { level: 'success', text: 'Superuser created successfully.' },
    };
  } catch (error) {
    return addView({ ...reading, errors: complaintsIn(error, PASSWORDS) });
  }
}

function addView(reading?: FormReading): PageView {
  return {
    view: 'form',
    title: 'Create superuser',
    breadcrumbs: [{ label: 'Users', href: USERS_HREF }, { label: 'Create superuser' }],
    data: {
      intro: 'A superuser has all permissions without explicitly assigning them.',
      fieldsets: superuserFieldsets(reading),
      submits: [{ label: 'Create superuser' }],
    },
  };
}
