import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import { endAdminSessionsOf } from '../sessions/admin-sessions.ts';
import { complaintsAbout } from '../users/account-complaints.ts';
import { type Difference, isFlagField, mergeFields } from '../users/account-differences.ts';
import { findRefusal } from '../users/account-policy.ts';
import { type AccountFields, fieldsOf, findAccount } from '../users/accounts.ts';
import { subjectOf } from '../users/acting.ts';
import { changeAccount, type EditResult } from '../users/change-account.ts';
import { findGrants, namesOf } from '../users/grants.ts';
import { may } from '../users/permissions.ts';
import { type FormErrors, type FormReading, fieldViews } from './form.ts';
import type { GuardedPage, PageCall, PageResult, PageView, Redirect } from './page.ts';
import { type ToldChange, tellMeanwhile } from './user-conflict.ts';
import { EXPECTED, expectedIn, readUserForm } from './user-entries.ts';
import { formValues, type UserForm, userFieldsets } from './user-form.ts';
import { listHref, noSuchUser, USERS_HREF, userHref } from './user-links.ts';

/** The form of one account, with why its viewer may only look at it, if that is so. */
interface OpenForm extends UserForm {
  /** Null where he may change it. */
  refusal: string | null;
  mayDelete: boolean;
}

/** What a form is shown with. */
interface Shown {
  fields: AccountFields;
  expected: AccountFields;
  errors?: FormErrors;
  typed?: FormReading['typed'];
  meanwhile?: readonly ToldChange[];
  /** Why it cannot be saved as it is, whatever its fields hold. */
  refused?: string;
}

/** /admin/auth/user/1/change/: to look at, for who may do no more. */
export function userChangePage(db: Database): GuardedPage {
  return {
    path: `${USERS_HREF}:id/change/`,
    access: ['auth.view_user', 'auth.change_user'],
    async get(call) {
      const form = await openForm(db, call);
      const fields = fieldsOf(form.account);
      return changeView(call, form, { fields, expected: fields });
    },
    post: (call) => save(db, call),
  };
}

/** /admin/auth/user/1/: Django leads on to the change form. */
export function userPage(): GuardedPage {
  return {
    path: `${USERS_HREF}:id/`,
    access: ['auth.view_user', 'auth.change_user'],
    get: ({ params }) => ({ redirect: userHref(Number(params.id)) }),
  };
}

async function openForm(db: Database, { params, viewer }: PageCall): Promise<OpenForm> {
  const account = await findAccount(db, Number(params.id));
  if (account === null) throw noSuchUser();
  const subject = await subjectOf(db, account.user);
  const refusal = findRefusal(viewer, 'change', subject);
  return {
    viewer,
    account,
    grants: await findGrants(db),
    mayChange: refusal === null,
    refusal,
    mayDelete: findRefusal(viewer, 'delete', subject) === null,
  };
}

async function save(db: Database, call: PageCall): Promise<PageResult> {
  const form = await openForm(db, call);
  if (form.refusal !== null) throw new AppError('forbidden', { values: { reason: form.refusal } });
  const { id } = form.account.user;
  const expected = expectedIn(call.form);
  const { entered, errors, typed } = readUserForm(form, call.form, expected);
  const edit = { id, expected, entered };
  const shown = { fields: entered, expected, typed };
  if (Object.keys(errors).length > 0) {
    const before = fieldsOf(form.account);
    const others = await complaintsAbout(db, {
      actor: call.viewer,
      id,
      before,
      after: entered,
      ...form.grants,
    });
    return changeView(call, form, { ...shown, errors: { ...others, ...errors } });
  }
  try {
    const result = await store(db, call, edit);
    if (result.outcome === 'saved') return afterSaving(call, result.account.user);
    const { stored, meanwhile } = result;
    const merged = mergeFields(expected, entered, stored);
    const names = namesOf(form.grants);
    const told = await tellMeanwhile(db, id, meanwhile, { stored, merged, names });
    return changeView(call, form, { fields: merged, expected: stored, meanwhile: told });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'invalid') {
      return changeView(call, form, { ...shown, errors: error.body as unknown as FormErrors });
    }
    if (error.code !== 'forbidden') throw error;
    // Nothing that was entered is lost over it, either.
    return {
      ...changeView(call, form, { ...shown, refused: String(error.body.detail) }),
      status: error.status,
    };
  }
}

/** Saves, and ends the sessions of who was demoted or switched off. */
function store(
  db: Database,
  { viewer, origin, now }: PageCall,
  edit: Parameters<typeof changeAccount>[2],
): Promise<EditResult> {
  return db.transaction().execute(async (trx) => {
    const result = await changeAccount(trx, { actor: viewer, origin, now }, edit);
    if (result.outcome === 'saved' && result.differences.some(isDemotion)) {
      await endAdminSessionsOf(trx, [edit.id]);
    }
    return result;
  });
}

function isDemotion({ field, after }: Difference): boolean {
  return isFlagField(field) && after === 'no';
}

function afterSaving(
  { form, query, viewer, request }: PageCall,
  user: { id: number; username: string },
): Redirect {
  const href = userHref(user.id);
  const [redirect, then] =
    form.has('_addanother') && may(viewer, 'auth.add_user')
      ? [`${USERS_HREF}add/`, ' You may add another user below.']
      : form.has('_continue')
        ? [request.url, ' You may edit it again below.']
        : [listHref(viewer, query), ''];
  const text = `The user “{}” was changed successfully.${then}`;
  return { redirect, message: { level: 'success', text, link: { text: user.username, href } } };
}

function changeView({ viewer, query, request }: PageCall, form: OpenForm, shown: Shown): PageView {
  const { fields, expected, errors = {}, typed = {}, meanwhile = [] } = shown;
  const { user } = form.account;
  return {
    view: 'user',
    title: form.mayChange ? 'Change user' : 'View user',
    breadcrumbs: [{ label: 'Users', href: listHref(viewer, query) }, { label: user.username }],
    data: {
      username: user.username,
      // A viewer knows why he can only look; who may change users is told why not this one.
      refusal: may(viewer, 'auth.change_user') ? form.refusal : null,
      meanwhile,
      formErrors: shown.refused === undefined ? [] : [shown.refused],
      action: request.url,
      hidden: form.mayChange ? [[EXPECTED, JSON.stringify(expected)]] : [],
      fieldsets: userFieldsets(form).map(({ title, fields: own }) => ({
        title,
        views: fieldViews(own, formValues(fields), { errors, typed: wrongOnly(typed, errors) }),
      })),
      submits: form.mayChange ? submitsFor(viewer) : [],
      tools: [{ label: 'History', href: userHref(user.id, 'history') }],
      closeHref: form.mayChange ? null : listHref(viewer, query),
      ...(form.mayDelete && { deleteHref: userHref(user.id, 'delete') }),
    },
  };
}

/** What was typed is given back as it is where it could not be read. */
function wrongOnly(typed: FormReading['typed'], errors: FormErrors): FormReading['typed'] {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => errors[name]));
}

function submitsFor(viewer: PageCall['viewer']) {
  const another = { label: 'Save and add another', name: '_addanother', tone: 'quiet' };
  return [
    { label: 'Save', name: '_save' },
    ...(may(viewer, 'auth.add_user') ? [another] : []),
    { label: 'Save and continue editing', name: '_continue', tone: 'quiet' },
  ];
}
