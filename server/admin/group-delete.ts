import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import { deleteGroups, previewGroupDeletion } from '../users/group-deletion.ts';
import { type Actor, may } from '../users/permissions.ts';
import { groupDeletionData } from './group-deletion-view.ts';
import { GROUPS_HREF } from './groups-list.ts';
import type { GuardedPage, PageCall, PageView } from './page.ts';

/** /admin/auth/group/1/delete/: asks, and lists what goes with the group. */
export function groupDeletePage(db: Database): GuardedPage {
  return {
    path: `${GROUPS_HREF}:id/delete/`,
    access: ['auth.delete_group'],
    get: (call) => deletionView(db, call),
    async post({ params, viewer, origin, now }) {
      const [group] = await deleteGroups(db, { actor: viewer, origin, now }, [Number(params.id)]);
      if (group === undefined) throw gone();
      const text = `The group “${group.name}” was deleted successfully.`;
      return { redirect: listHref(viewer), message: { level: 'success', text } };
    },
  };
}

/** Whether somebody may look at groups. Who may add or delete them need not be allowed to. */
export function mayOpen(viewer: Actor): boolean {
  return may(viewer, 'auth.view_group') || may(viewer, 'auth.change_group');
}

/** Back to the list, where that is the viewer's to see. */
export function listHref(viewer: Actor): string {
  return mayOpen(viewer) ? GROUPS_HREF : '/admin/';
}

async function deletionView(db: Database, { params, viewer }: PageCall): Promise<PageView> {
  const doomed = await previewGroupDeletion(db, viewer, [Number(params.id)]);
  const [only] = doomed;
  if (only === undefined) throw gone();
  const href = `${GROUPS_HREF}${only.group.id}/change/`;
  return {
    view: 'confirm',
    title: 'Delete group',
    breadcrumbs: [
      { label: 'Groups', href: GROUPS_HREF },
      { label: only.group.name, href },
      { label: 'Delete' },
    ],
    data: {
      ...groupDeletionData(doomed, viewer),
      hidden: [],
      backHref: mayOpen(viewer) ? href : '/admin/',
    },
  };
}

/** Django says so on the index, where it sends whoever asks. */
export function gone(): AppError {
  return new AppError('not_found', {
    advice: 'There is no group with this id. Perhaps it was deleted? The list of groups shows what there is.',
  });
}
