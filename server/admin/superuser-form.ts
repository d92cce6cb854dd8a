import type { Database } from '../../db/statement.ts';
import { emailComplaints, normalizeEmail, normalizeUsername, usernameComplaints } from '../users/fields.ts';
import { findUserByUsername } from '../users/users.ts';
import { type FormReading, fieldViews, readForm, type TextField } from './form.ts';
import type { FormInput } from './form-input.ts';
import { checkNewPassword, passwordPair } from './new-password.ts';

export const USERNAME_HELP = 'Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.';

export const USERNAME_TAKEN = 'A user with that username already exists.';

export const PASSWORDS = passwordPair(['password1', 'password2'], ['Password', 'Password (again)']);

const FIELDS: readonly TextField[] = [
  {
    kind: 'text',
    name: 'username',
    label: 'Username',
    help: [USERNAME_HELP],
    required: true,
    maxLength: 150,
    autocomplete: 'off',
    autofocus: true,
  },
  { kind: 'email', name: 'email', label: 'Email address', maxLength: 254, autocomplete: 'off' },
  PASSWORDS.first,
  PASSWORDS.second,
];

/** What a superuser is made of. */
export interface NewSuperuser {
  username: string;
  email: string;
  password: string;
}

/** Reads the form of a new superuser and puts what is wrong with it beside the fields, in Django's words. */
export async function readSuperuserForm(
  db: Database,
  form: FormInput,
): Promise<{ reading: FormReading; account: NewSuperuser | null }> {
  const reading = readForm(FIELDS, form);
  const { values, errors } = reading;
  const username = normalizeUsername(values.username as string);
  const email = normalizeEmail(values.email as string);
  if (!errors.username) errors.username = [...usernameComplaints(username)];
  if (errors.username.length === 0 && (await findUserByUsername(db, username)))
    errors.username = [USERNAME_TAKEN];
  if (!errors.email) errors.email = emailComplaints(email);
  await checkNewPassword(PASSWORDS, reading, { username, email });
  for (const [name, messages] of Object.entries(errors)) if (messages.length === 0) delete errors[name];
  const account =
    Object.keys(errors).length === 0 ? { username, email, password: values.password1 as string } : null;
  return { reading, account };
}

/** The form for its template: empty, or with what was entered and what is wrong with it. */
export function superuserFieldsets(reading?: FormReading) {
  return [{ views: fieldViews(FIELDS, reading?.values ?? {}, reading) }];
}
