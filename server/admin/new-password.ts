import { AppError } from '../errors.ts';
import { passwordComplaints } from '../users/fields.ts';
import { PASSWORD_MAX_LENGTH } from '../users/hashers.ts';
import { PASSWORD_HELP_TEXTS, type PasswordOwner, validatePassword } from '../users/validators.ts';
import type { CheckboxField, FormReading, TextField } from './form.ts';

/** Whether the new password ends what was begun with the old one. Under CHECK_REVOKE_TOKEN it does by itself. */
export const END_SESSIONS: CheckboxField = {
  kind: 'checkbox',
  name: 'end_sessions',
  label: 'End all sessions as well',
  help: ['Every refresh token that was given out for the old password is revoked.'],
};

/** A new password and the same once more, by the names of Django's forms. */
export interface PasswordPair {
  first: TextField;
  second: TextField;
}

/** Fields for a new password, with what the validators want beside the first. */
export function passwordPair(
  names: readonly [first: string, second: string],
  labels: readonly [first: string, second: string],
  required = true,
): PasswordPair {
  const common = {
    kind: 'password',
    required,
    maxLength: PASSWORD_MAX_LENGTH,
    autocomplete: 'new-password',
  } as const;
  return {
    first: { ...common, name: names[0], label: labels[0], help: PASSWORD_HELP_TEXTS },
    second: {
      ...common,
      name: names[1],
      label: labels[1],
      help: ['Enter the same password as before, for verification.'],
    },
  };
}

/**
 * Puts what is wrong with a new password beside its second field, as Django's SetPasswordMixin does: that the two
 * differ, else what the validators say.
 */
export async function checkNewPassword(
  { first, second }: PasswordPair,
  { values, errors }: FormReading,
  owner: PasswordOwner,
): Promise<void> {
  if (errors[first.name] || errors[second.name]) return;
  const password = values[first.name] as string;
  if (password !== values[second.name]) {
    errors[second.name] = ['The two password fields didn’t match.'];
    return;
  }
  const complaints = [...passwordComplaints(password), ...(await validatePassword(password, owner))];
  if (complaints.length > 0) errors[second.name] = complaints;
}

/**
 * What stands against a password or an account once it is to be hashed and stored, by field of the form.
 *
 * @throws whatever is no complaint about a form
 */
export function complaintsIn(error: unknown, { second }: PasswordPair): FormReading['errors'] {
  if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
  const { password, ...others } = error.body as unknown as FormReading['errors'];
  return password === undefined ? others : { ...others, [second.name]: password };
}
