import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { AppError } from '../errors.ts';
import { endAdminSessionsOf } from '../sessions/admin-sessions.ts';
import { complaintsAbout } from '../users/account-complaints.ts';
import { type Difference, isFlagField, mergeFields } from '../users/account-differences.ts';
import { findRefusal } from '../users/account-policy.ts';
import { fieldsOf, findAccount } from '../users/accounts.ts';
import { subjectOf } from '../users/acting.ts';
import { type AccountEdit, changeAccount, type EditResult } from '../users/change-account.ts';
import { findGrants, namesOf } from '../users/grants.ts';
import { may } from '../users/permissions.ts';
import type { FormErrors } from './form.ts';
import type { GuardedPage, PageCall, PageResult, Redirect } from './page.ts';
import { changeView, type OpenForm, type Shown } from './user-change-view.ts';
import { tellMeanwhile } from './user-conflict.ts';
import { expectedIn, readUserForm } from './user-entries.ts';
import { keptList, listHref, noSuchUser, USERS_HREF, userHref } from './user-links.ts';

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
  const shown: Shown = { fields: entered, expected, typed };
  if (Object.keys(errors).length > 0) {
    const edit = { actor: call.viewer, id, before: fieldsOf(form.account), after: entered, ...form.grants };
    return changeView(call, form, { ...shown, errors: { ...(await complaintsAbout(db, edit)), ...errors } });
  }
  try {
    const result = await store(db, call, { id, expected, entered });
    if (result.outcome === 'saved') return afterSaving(call, result.account.user);
    const { stored, meanwhile } = result;
    const merged = mergeFields(expected, entered, stored);
    const told = await tellMeanwhile(db, id, meanwhile, { stored, merged, names: namesOf(form.grants) });
    return changeView(call, form, { fields: merged, expected: stored, meanwhile: told });
  } catch (error) {
    return refusedView(call, form, shown, error);
  }
}

/** Saves, and ends the sessions of who was demoted or switched off. */
function store(db: Database, { viewer, origin, now }: PageCall, edit: AccountEdit): Promise<EditResult> {
  return inTransaction(db, async (trx) => {
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

/** The form again, with what stands against it: nothing that was entered is lost over that. */
function refusedView(call: PageCall, form: OpenForm, shown: Shown, error: unknown): PageResult {
  if (!(error instanceof AppError)) throw error;
  switch (error.code) {
    case 'invalid':
      return changeView(call, form, { ...shown, errors: error.body as unknown as FormErrors });
    case 'forbidden':
      return {
        ...changeView(call, form, { ...shown, refused: String(error.body.detail) }),
        status: error.status,
      };
    default:
      throw error;
  }
}

function afterSaving(call: PageCall, { id, username }: { id: number; username: string }): Redirect {
  const { form, viewer } = call;
  const [redirect, then] =
    form.has('_addanother') && may(viewer, 'auth.add_user')
      ? [`${USERS_HREF}add/`, ' You may add another user below.']
      : form.has('_continue')
        ? [userHref(id) + keptList(call), ' You may edit it again below.']
        : [listHref(call), ''];
  const text = `The user “{}” was changed successfully.${then}`;
  return { redirect, message: { level: 'success', text, link: { text: username, href: userHref(id) } } };
}
