import type { AccountFields } from '../users/accounts.ts';
import { type Actor, may } from '../users/permissions.ts';
import { type FormErrors, type FormReading, fieldViews } from './form.ts';
import type { PageCall, PageView } from './page.ts';
import { tokenTools } from './token-links.ts';
import type { ToldChange } from './user-conflict.ts';
import { EXPECTED } from './user-entries.ts';
import { formValues, type UserForm, userFieldsets } from './user-form.ts';
import { keptList, listHref, userHref } from './user-links.ts';

/** The form of one account, and what its viewer may do with that. */
export interface OpenForm extends UserForm {
  /** Why he may only look at it; null where he may change it. */
  refusal: string | null;
  mayDelete: boolean;
}

/** What a form is shown with. */
export interface Shown {
  fields: AccountFields;
  /** What the next try is filled from. */
  expected: AccountFields;
  errors?: FormErrors;
  typed?: FormReading['typed'];
  /** What others changed since the form was filled first. */
  meanwhile?: readonly ToldChange[];
  /** Why it cannot be saved as it is, whatever its fields hold. */
  refused?: string;
}

/** Django's change form; without buttons for who may only look at it. */
export function changeView(call: PageCall, form: OpenForm, shown: Shown): PageView {
  const { viewer } = call;
  const { fields, expected, errors = {}, typed = {}, meanwhile = [], refused } = shown;
  const { user } = form.account;
  const kept = keptList(call);
  return {
    view: 'user',
    title: form.mayChange ? 'Change user' : 'View user',
    breadcrumbs: [{ label: 'Users', href: listHref(call) }, { label: user.username }],
    data: {
      username: user.username,
      // Who may only view users knows why he can only look; who may change them is told why not this one.
      refusal: may(viewer, 'auth.change_user') ? form.refusal : null,
      meanwhile,
      formErrors: refused === undefined ? [] : [refused],
      action: userHref(user.id) + kept,
      hidden: form.mayChange ? [[EXPECTED, JSON.stringify(expected)]] : [],
      fieldsets: userFieldsets(form).map(({ title, fields: own }) => ({
        title,
        views: fieldViews(own, formValues(fields), { errors, typed: unreadable(typed, errors) }),
      })),
      submits: form.mayChange ? submitsFor(viewer) : [],
      tools: [...tokenTools(viewer, user.id), { label: 'History', href: userHref(user.id, 'history') }],
      closeHref: form.mayChange ? null : listHref(call),
      ...(form.mayDelete && { deleteHref: userHref(user.id, 'delete') + kept }),
    },
  };
}

/** What was typed where it could not be read: that is given back as it is. */
function unreadable(typed: FormReading['typed'], errors: FormErrors): FormReading['typed'] {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => errors[name]));
}

function submitsFor(viewer: Actor) {
  const another = { label: 'Save and add another', name: '_addanother', tone: 'quiet' };
  return [
    { label: 'Save', name: '_save' },
    ...(may(viewer, 'auth.add_user') ? [another] : []),
    { label: 'Save and continue editing', name: '_continue', tone: 'quiet' },
  ];
}
