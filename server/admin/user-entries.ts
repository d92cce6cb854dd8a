import { ascending } from '../users/account-differences.ts';
import { type AccountFields, SET_FIELDS } from '../users/accounts.ts';
import { type FormReading, readForm } from './form.ts';
import type { FormInput } from './form-input.ts';
import { settledTime, type UserForm, userFieldsets } from './user-form.ts';

/** The hidden field that says what the form was filled from. */
export const EXPECTED = '_expected';

/** Where nothing is known of what a form was filled from, whatever the account holds counts as changed since. */
const NOTHING: AccountFields = {
  username: '',
  first_name: '',
  last_name: '',
  email: '',
  is_active: false,
  is_staff: false,
  is_superuser: false,
  groups: [],
  user_permissions: [],
  last_login: null,
  date_joined: '',
};

/** What a change form was filled from, by its hidden field. */
export function expectedIn(form: FormInput): AccountFields {
  try {
    const sent = JSON.parse(form.get(EXPECTED) ?? '') as Record<string, unknown>;
    const isWhole = Object.entries(NOTHING).every(([name, nothing]) => isLike(sent[name], nothing));
    return isWhole ? (sent as unknown as AccountFields) : NOTHING;
  } catch {
    return NOTHING;
  }
}

function isLike(value: unknown, nothing: AccountFields[keyof AccountFields]): boolean {
  if (Array.isArray(nothing)) return Array.isArray(value) && value.every((id) => Number.isSafeInteger(id));
  if (nothing === null) return value === null || typeof value === 'string';
  return typeof value === typeof nothing;
}

/** What was entered into a change form, where that can be read, and what cannot. */
export interface UserEntries {
  entered: AccountFields;
  errors: Record<string, string[]>;
  typed: FormReading['typed'];
}

/**
 * Reads a change form. What it does not offer its user is read as well, so that who sends it all the same is refused
 * and not passed over.
 */
export function readUserForm(userForm: UserForm, form: FormInput, expected: AccountFields): UserEntries {
  const fields = userFieldsets(userForm).flatMap((set) => set.fields);
  const { values, errors, typed } = readForm(fields, form);
  const text = (name: string) => values[name] as string;
  const time = (name: 'last_login' | 'date_joined') =>
    errors[name] ? expected[name] : settledTime(values[name] as Date | null, expected[name]);
  const isSuperuser = userForm.viewer.user.is_superuser === 1;
  for (const name of SET_FIELDS) {
    const unknown = form.getAll(name).filter((value) => !isId(value));
    if (unknown.length === 0) continue;
    errors[name] = unknown.map((id) => `Select a valid choice. ${id} is not one of the available choices.`);
  }
  const entered = {
    username: text('username'),
    first_name: text('first_name'),
    last_name: text('last_name'),
    email: text('email'),
    is_active: values.is_active === true,
    is_staff: values.is_staff === true,
    is_superuser: form.has('is_superuser') || (!isSuperuser && expected.is_superuser),
    groups: idsIn(form, 'groups'),
    user_permissions: idsIn(form, 'user_permissions'),
    last_login: time('last_login'),
    date_joined: time('date_joined') ?? expected.date_joined,
  };
  return { entered, errors, typed };
}

function idsIn(form: FormInput, name: (typeof SET_FIELDS)[number]): number[] {
  return ascending(form.getAll(name).filter(isId).map(Number));
}

function isId(value: string): boolean {
  return /^[1-9]\d{0,14}$/.test(value);
}
