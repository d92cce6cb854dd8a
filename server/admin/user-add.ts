import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { requireAdding } from '../users/account-policy.ts';
import { addAccount, hasNamesake } from '../users/add-account.ts';
import { normalizeUsername, usernameComplaints } from '../users/fields.ts';
import { hashPassword, unusablePassword } from '../users/hashers.ts';
import { TAKEN } from '../users/users.ts';
import { type FormReading, fieldViews, readForm, type TextField } from './form.ts';
import { complaintsIn } from './new-password.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';
import { USERNAME_HELP } from './superuser-form.ts';
import { USERS_HREF, userHref } from './user-links.ts';
import { passwordFields, readsPassword } from './user-password-fields.ts';

const USERNAME: TextField = {
  kind: 'text',
  name: 'username',
  label: 'Username',
  help: [USERNAME_HELP],
  required: true,
  maxLength: 150,
  autofocus: true,
};

const PASSWORD = passwordFields('Password confirmation');

const FIELDS = [USERNAME, PASSWORD.usable, PASSWORD.passwords.first, PASSWORD.passwords.second];

/** /admin/auth/user/add/: a name and a password first; the change form asks for the rest. */
export function userAddPage(db: Database, settings: Settings): GuardedPage {
  return {
    path: `${USERS_HREF}add/`,
    access: ['auth.add_user'],
    get({ viewer }) {
      requireAdding(viewer);
      return addView();
    },
    post: (call) => add(db, settings, call),
  };
}

async function add(db: Database, settings: Settings, call: PageCall): Promise<PageResult> {
  const { viewer, origin, now, form } = call;
  requireAdding(viewer);
  const reading = readForm(FIELDS, form);
  const { values, errors } = reading;
  const username = normalizeUsername(values.username as string);
  const complaints = errors.username ?? usernameComplaints(username);
  if (complaints.length > 0) errors.username = complaints;
  // Told together with what is wrong with the password, and not after that.
  else if (await hasNamesake(db, username)) errors.username = [TAKEN];
  const isUsable = await readsPassword(PASSWORD, reading, { username });
  if (Object.keys(errors).length > 0) return addView(reading);
  try {
    const passwordHash = isUsable
      ? await hashPassword(values.password1 as string, settings)
      : unusablePassword();
    const user = await addAccount(db, { actor: viewer, origin, now }, { username, passwordHash });
    return afterAdding(call, user);
  } catch (error) {
    return addView({ ...reading, errors: complaintsIn(error, PASSWORD.passwords) });
  }
}

/** On to the change form, as Django goes whichever of the two buttons was pressed, or to the next one. */
function afterAdding({ form }: PageCall, { id, username }: { id: number; username: string }): PageResult {
  const isAnother = form.has('_addanother');
  const then = isAnother ? 'You may add another user below.' : 'You may edit it again below.';
  return {
    redirect: isAnother ? `${USERS_HREF}add/` : userHref(id),
    message: {
      level: 'success',
      text: `The user “{}” was added successfully. ${then}`,
      link: { text: username, href: userHref(id) },
    },
  };
}

function addView(reading?: FormReading): PageView {
  return {
    view: 'form',
    title: 'Add user',
    breadcrumbs: [{ label: 'Users', href: USERS_HREF }, { label: 'Add user' }],
    data: {
      intro: 'First, enter a username and password. Then, you’ll be able to edit more user options.',
      fieldsets: [{ views: fieldViews(FIELDS, reading?.values ?? { usable_password: 'true' }, reading) }],
      submits: [
        { label: 'Save', name: '_save' },
        { label: 'Save and add another', name: '_addanother', tone: 'quiet' },
        { label: 'Save and continue editing', name: '_continue', tone: 'quiet' },
      ],
    },
  };
}
