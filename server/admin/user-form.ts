import { fromSqlTime, toSqlTime } from '../../db/values.ts';
import { mayGrantGroup } from '../users/account-policy.ts';
import { type Account, type AccountFields, FIELD_LABELS } from '../users/accounts.ts';
import type { Grants } from '../users/grants.ts';
import { summarizePassword } from '../users/password-summary.ts';
import type { Actor } from '../users/permissions.ts';
import type { ChoicesField, DetailsField, FormField, FormValues } from './form.ts';
import { permissionsField } from './permission-choices.ts';
import { USERNAME_HELP } from './superuser-form.ts';

/** Whose form it is, who fills it in, and whether he may do more than look at it. */
export interface UserForm {
  viewer: Actor;
  account: Account;
  grants: Grants;
  mayChange: boolean;
}

interface Fieldset {
  title?: string;
  fields: readonly FormField[];
}

const SUPERUSERS_ONLY = 'Only a superuser may give superuser status or take it away.';

/** The field sets of Django's UserAdmin, with its texts. */
export function userFieldsets(form: UserForm): readonly Fieldset[] {
  const readOnly = !form.mayChange;
  const text = (name: 'first_name' | 'last_name') =>
    ({ kind: 'text', name, label: FIELD_LABELS[name], maxLength: 150, readOnly }) as const;
  return [
    { fields: [usernameField(readOnly), passwordField(form)] },
    {
      title: 'Personal info',
      fields: [
        text('first_name'),
        text('last_name'),
        { kind: 'email', name: 'email', label: FIELD_LABELS.email, maxLength: 254, readOnly },
      ],
    },
    { title: 'Permissions', fields: [...flagFields(form), groupsField(form), ownPermissionsField(form)] },
    {
      title: 'Important dates',
      fields: [
        { kind: 'moment', name: 'last_login', label: FIELD_LABELS.last_login, readOnly },
        { kind: 'moment', name: 'date_joined', label: FIELD_LABELS.date_joined, required: true, readOnly },
      ],
    },
  ];
}

/** What the form is filled with. */
export function formValues(fields: AccountFields): FormValues {
  return {
    ...fields,
    groups: fields.groups.map(String),
    user_permissions: fields.user_permissions.map(String),
    last_login: fields.last_login === null ? null : momentOf(fields.last_login),
    date_joined: momentOf(fields.date_joined),
  };
}

/**
 * A moment as it is to be stored. A form shows whole seconds: one that was left as it was keeps its fraction.
 *
 * @param expected what the form was filled from
 */
export function settledTime(entered: Date | null, expected: string | null): string | null {
  const shown = expected === null ? null : momentOf(expected);
  const seconds = (moment: Date | null) => (moment === null ? null : Math.floor(moment.getTime() / 1000));
  if (seconds(entered) === seconds(shown)) return expected;
  return entered === null ? null : toSqlTime(entered);
}

function momentOf(time: string): Date | null {
  const moment = fromSqlTime(time);
  return Number.isNaN(moment.getTime()) ? null : moment;
}

function usernameField(readOnly: boolean): FormField {
  return {
    kind: 'text',
    name: 'username',
    label: FIELD_LABELS.username,
    ...(readOnly ? {} : { help: [USERNAME_HELP] }),
    required: true,
    maxLength: 150,
    readOnly,
  };
}

function passwordField({ account, mayChange }: UserForm): DetailsField {
  const { usable, details, message } = summarizePassword(account.user.password);
  const field = {
    kind: 'details',
    name: 'password',
    label: 'Password',
    readOnly: true,
    details,
    message,
  } as const;
  if (!mayChange) return { ...field, link: null };
  return usable
    ? {
        ...field,
        link: {
          before:
            'Raw passwords are not stored, so there is no way to see the user’s password, but you can change the password using ',
          text: 'this form',
          href: '../password/',
        },
      }
    : {
        ...field,
        link: {
          before: 'Enable password-based authentication for this user by setting a password using ',
          text: 'this form',
          href: '../password/',
        },
      };
}

function flagFields({ viewer, mayChange }: UserForm): FormField[] {
  const readOnly = !mayChange;
  const isSuperuser = viewer.user.is_superuser === 1;
  return [
    {
      kind: 'checkbox',
      name: 'is_active',
      label: FIELD_LABELS.is_active,
      help: [
        'Designates whether this user should be treated as active. Unselect this instead of deleting accounts.',
      ],
      readOnly,
    },
    {
      kind: 'checkbox',
      name: 'is_staff',
      label: FIELD_LABELS.is_staff,
      help: ['Designates whether the user can log into this admin site.'],
      readOnly,
    },
    {
      kind: 'checkbox',
      name: 'is_superuser',
      label: FIELD_LABELS.is_superuser,
      help: [
        'Designates that this user has all permissions without explicitly assigning them.',
        ...(mayChange && !isSuperuser ? [SUPERUSERS_ONLY] : []),
      ],
      readOnly: readOnly || !isSuperuser,
    },
  ];
}

/** Who can only look at it sees the groups the user is in, else all there are. */
function groupsField({ viewer, account, grants, mayChange }: UserForm): ChoicesField {
  const groups = grants.groups.filter(({ id }) => mayChange || account.groupIds.includes(id));
  const options = groups.map((group) => ({
    value: String(group.id),
    label: group.name,
    disabled: !mayGrantGroup(viewer, group),
  }));
  const isLacking = mayChange && options.some(({ disabled }) => disabled);
  return {
    kind: 'choices',
    name: 'groups',
    label: FIELD_LABELS.groups,
    options,
    help: [
      'The groups this user belongs to. A user will get all permissions granted to each of their groups.',
      ...(isLacking ? ['Groups that grant permissions you do not have yourself are greyed out.'] : []),
    ],
    empty: mayChange ? 'There is no group yet.' : 'None.',
    readOnly: !mayChange,
  };
}

function ownPermissionsField({ viewer, account, grants, mayChange }: UserForm): ChoicesField {
  const field = {
    name: 'user_permissions',
    label: FIELD_LABELS.user_permissions,
    help: ['Specific permissions for this user.'],
    readOnly: !mayChange,
  };
  const permissions = grants.permissions.filter(({ id }) => mayChange || account.permissionIds.includes(id));
  return { ...permissionsField(field, viewer, permissions), empty: 'None.' };
}
