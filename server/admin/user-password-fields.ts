import type { PasswordOwner } from '../users/validators.ts';
import type { ChoiceField, FormField, FormReading } from './form.ts';
import { checkNewPassword, type PasswordPair, passwordPair } from './new-password.ts';

const HELP =
  'Whether the user will be able to authenticate using a password or not. If disabled, they may still be able to ' +
  'authenticate using other backends, such as Single Sign-On or LDAP.';

/** The fields of Django's forms in which an administrator sets a password, or takes it away. */
export interface PasswordFields {
  usable: ChoiceField;
  passwords: PasswordPair;
}

/** @param help what else there is to say of an account without a password */
export function passwordFields(secondLabel: string, ...help: readonly string[]): PasswordFields {
  return {
    usable: {
      kind: 'choice',
      name: 'usable_password',
      label: 'Password-based authentication',
      options: [
        { value: 'true', label: 'Enabled' },
        { value: 'false', label: 'Disabled' },
      ],
      help: [HELP, ...help],
    },
    // Whether they are needed depends on the choice above.
    passwords: passwordPair(['password1', 'password2'], ['Password', secondLabel], false),
  };
}

/** Whether there is to be a password; what is wrong with it is put beside its fields. */
export async function readsPassword(
  { passwords }: PasswordFields,
  reading: FormReading,
  owner: PasswordOwner,
): Promise<boolean> {
  const { values, errors } = reading;
  if (values.usable_password === 'false') {
    for (const { name } of Object.values(passwords) as FormField[]) delete errors[name];
    return false;
  }
  for (const { name } of [passwords.first, passwords.second]) {
    if (values[name] === '') errors[name] = ['This field is required.'];
  }
  await checkNewPassword(passwords, reading, owner);
  return true;
}
