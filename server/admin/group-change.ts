import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import {
  type GroupDifference,
  type GroupFields,
  groupChanges,
  mergeGroup,
  NO_GROUP,
  normalizedGroup,
} from '../users/group-state.ts';
import { changeGroup, createGroup, findGroup, type Group } from '../users/groups.ts';
import { listPermissions, may, type Permission } from '../users/permissions.ts';
import { type FormField, type FormReading, fieldViews, readForm } from './form.ts';
import { gone, listHref, mayOpen } from './group-delete.ts';
import { GROUPS_HREF } from './groups-list.ts';
import type { GuardedPage, PageCall, PageResult, PageView, Redirect, Viewer } from './page.ts';
import { permissionsField } from './permission-choices.ts';

/** The hidden field that says what the form was filled from. */
const EXPECTED = 'expected';

/** What a form is shown with besides what it is filled with. */
interface Shown {
  /** Null for one that is to be added. */
  group: Group | null;
  fields: GroupFields;
  expected: GroupFields;
  errors?: FormReading['errors'];
  /** What others changed since the form was filled first. */
  meanwhile?: readonly GroupDifference[];
}

/** /admin/auth/group/add/ */
export function groupAddPage(db: Database): GuardedPage {
  return {
    path: `${GROUPS_HREF}add/`,
    access: ['auth.add_group'],
    get: async ({ viewer }) => {
      const permissions = await listPermissions(db);
      return groupView(viewer, permissions, { group: null, fields: NO_GROUP, expected: NO_GROUP });
    },
    async post(call) {
      const { viewer, form, origin, now } = call;
      const permissions = await listPermissions(db);
      const { fields, errors } = enteredIn(call, permissions, NO_GROUP);
      const shown = { group: null, fields, expected: NO_GROUP };
      if (Object.keys(errors).length > 0) return groupView(viewer, permissions, { ...shown, errors });
      try {
        const group = await createGroup(db, { actor: viewer, origin, now }, fields);
        return afterSaving(viewer, form, group, 'added');
      } catch (error) {
        return groupView(viewer, permissions, { ...shown, errors: complaintsOf(error) });
      }
    },
  };
}

/** /admin/auth/group/1/change/: to look at, for who may do no more. */
export function groupChangePage(db: Database): GuardedPage {
  return {
    path: `${GROUPS_HREF}:id/change/`,
    access: ['auth.view_group', 'auth.change_group'],
    get: async ({ params, viewer }) => {
      const group = await findGroup(db, Number(params.id));
      if (group === null) throw gone();
      return groupView(viewer, await listPermissions(db), { group, fields: group, expected: group });
    },
    post: (call) => saveGroup(db, call),
  };
}

async function saveGroup(db: Database, call: PageCall): Promise<PageResult> {
  const { params, viewer, form, origin, now } = call;
  if (!may(viewer, 'auth.change_group')) {
    throw new AppError('forbidden', {
      values: { reason: 'You do not have the permission to change groups.' },
    });
  }
  const group = await findGroup(db, Number(params.id));
  if (group === null) throw gone();
  const permissions = await listPermissions(db);
  const expected = expectedBy(form.get(EXPECTED));
  const { fields, errors } = enteredIn(call, permissions, expected);
  const shown = { group, fields, expected };
  if (Object.keys(errors).length > 0) return groupView(viewer, permissions, { ...shown, errors });
  try {
    const change = { id: group.id, expected, entered: fields };
    const result = await changeGroup(db, { actor: viewer, origin, now }, change);
    if (result.outcome === 'saved') return afterSaving(viewer, form, result.group, 'changed');
    const { stored, meanwhile } = result;
    const merged = mergeGroup(expected, fields, stored);
    return groupView(viewer, permissions, { group, fields: merged, expected: stored, meanwhile });
  } catch (error) {
    return groupView(viewer, permissions, { ...shown, errors: complaintsOf(error) });
  }
}

/** What was entered, together with what the viewer lacks and so was not sent. */
function enteredIn({ viewer, form }: PageCall, permissions: readonly Permission[], before: GroupFields) {
  const { values, errors } = readForm(formFields(viewer, permissions, null), form);
  const after = {
    name: values.name as string,
    permissions: (values.permissions as readonly string[]).map(Number),
  };
  return { fields: normalizedGroup({ actor: viewer, before, after, permissions }), errors };
}

/** What a form was filled from; nothing where that is not to be read, so that every difference is told. */
function expectedBy(text: string | undefined): GroupFields {
  try {
    const { name, permissions } = JSON.parse(text ?? '');
    if (typeof name === 'string' && Array.isArray(permissions)) {
      return { name, permissions: permissions.filter(Number.isSafeInteger) };
    }
  } catch {}
  return NO_GROUP;
}

/** @throws whatever is no complaint about a form */
function complaintsOf(error: unknown): FormReading['errors'] {
  if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
  return error.body as unknown as FormReading['errors'];
}

function afterSaving(
  viewer: Viewer,
  form: PageCall['form'],
  { id, name }: { id: number; name: string },
  done: 'added' | 'changed',
): Redirect {
  const href = `${GROUPS_HREF}${id}/change/`;
  const [redirect, then] = form.has('_addanother')
    ? [`${GROUPS_HREF}add/`, ' You may add another group below.']
    : form.has('_continue') && mayOpen(viewer)
      ? [href, ' You may edit it again below.']
      : [listHref(viewer), ''];
  const text = (shown: string) => `The group “${shown}” was ${done} successfully.${then}`;
  if (!mayOpen(viewer)) return { redirect, message: { level: 'success', text: text(name) } };
  return { redirect, message: { level: 'success', text: text('{}'), link: { text: name, href } } };
}

function formFields(viewer: Viewer, permissions: readonly Permission[], group: Group | null): FormField[] {
  const readOnly = group !== null && !may(viewer, 'auth.change_group');
  return [
    { kind: 'text', name: 'name', label: 'Name', required: true, maxLength: 150, readOnly },
    permissionsField({ name: 'permissions', label: 'Permissions', readOnly }, viewer, permissions),
  ];
}

function groupView(viewer: Viewer, permissions: readonly Permission[], shown: Shown): PageView {
  const { group, fields, expected, errors = {}, meanwhile = [] } = shown;
  const mayChange = group === null || may(viewer, 'auth.change_group');
  const verb = group === null ? 'Add' : mayChange ? 'Change' : 'View';
  const values = { name: fields.name, permissions: fields.permissions.map(String) };
  const formFieldsShown = formFields(viewer, permissions, group);
  return {
    view: 'group',
    title: `${verb} group`,
    breadcrumbs: [{ label: 'Groups', href: GROUPS_HREF }, { label: group?.name ?? 'Add group' }],
    data: {
      group,
      members: group && membersText(group),
      usersHref: usersHref(viewer, group),
      meanwhile: toldChanges(meanwhile, expected, fields),
      hidden:
        group === null
          ? []
          : [[EXPECTED, JSON.stringify({ name: expected.name, permissions: expected.permissions })]],
      fieldsets: [{ views: fieldViews(formFieldsShown, values, { errors }) }],
      submits: mayChange ? submitsFor(viewer) : [],
      closeHref: mayChange ? null : GROUPS_HREF,
      tools: group === null ? [] : [{ label: 'History', href: `${GROUPS_HREF}${group.id}/history/` }],
      ...(group !== null &&
        may(viewer, 'auth.delete_group') && { deleteHref: `${GROUPS_HREF}${group.id}/delete/` }),
    },
  };
}

/** What others changed, and where that is written over by saving what was entered. */
function toldChanges(meanwhile: readonly GroupDifference[], stored: GroupFields, merged: GroupFields) {
  return groupChanges(meanwhile).map((change, index) =>
    meanwhile[index]?.field === 'name' && merged.name !== stored.name
      ? { ...change, yours: merged.name }
      : change,
  );
}

function membersText({ members }: Group): string {
  if (members === 0) return 'no user is in it yet';
  return members === 1 ? '1 user is in it' : `${members.toLocaleString('en-US')} users are in it`;
}

/** The list of a group's users, for who may open it. */
function usersHref(viewer: Viewer, group: Group | null): string | null {
  const maySee = may(viewer, 'auth.view_user') || may(viewer, 'auth.change_user');
  return group !== null && maySee ? `/admin/auth/user/?groups__id__exact=${group.id}` : null;
}

function submitsFor(viewer: Viewer) {
  return [
    { label: 'Save' },
    ...(may(viewer, 'auth.add_group')
      ? [{ label: 'Save and add another', name: '_addanother', tone: 'quiet' }]
      : []),
    ...(mayOpen(viewer) ? [{ label: 'Save and continue editing', name: '_continue', tone: 'quiet' }] : []),
  ];
}
