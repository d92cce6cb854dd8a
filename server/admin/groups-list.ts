import { sql } from 'kysely';
import { prefixRange } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import type { GroupRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import { deleteGroups, previewGroupDeletion } from '../users/group-deletion.ts';
import { groupsByIds } from '../users/groups.ts';
import { may } from '../users/permissions.ts';
import { readSelection, type Selection } from './bulk.ts';
import { groupDeletionData } from './group-deletion-view.ts';
import { type BulkAction, type List, listView } from './list.ts';
import type { GuardedPage, PageCall, PageResult, PageView } from './page.ts';

export const GROUPS_HREF = '/admin/auth/group/';

const DELETE: BulkAction = { value: 'delete_selected', label: 'Delete selected groups' };

const LIST: List<GroupRow> = {
  table: 'auth_group',
  nouns: ['group', 'groups'],
  columns: [
    {
      label: 'Group',
      order: sql.ref('name'),
      cell: ({ id, name }) => ({ text: name, href: `${GROUPS_HREF}${id}/change/` }),
    },
  ],
  defaultOrder: [{ by: sql.ref('name'), descending: false }],
  filters: [],
  search: {
    help: 'Name of a group',
    conditions: (words, large) =>
      words.map((word) => ({ anyOf: [nameMatches(word, large)], indexed: large })),
  },
  load: groupsByIds,
};

function nameMatches(word: string, large: boolean) {
  if (large) return prefixRange(sql.ref<string>('name'), word);
  return sql`lower(name) like lower(${`%${word.toWellFormed().replace(/[\\%_]/g, '\\$&')}%`}) escape '\\'`;
}

/** /admin/auth/group/: the list of groups, and what is done with several at once. */
export function groupsListPage(db: Database): GuardedPage {
  return {
    path: GROUPS_HREF,
    access: ['auth.view_group', 'auth.change_group'],
    get: (call) => groupsView(db, call),
    async post(call) {
      const selection = await readSelection(db, LIST, actionsFor(call), call);
      if ('redirect' in selection) return selection;
      return deleteSelected(db, call, selection);
    },
  };
}

function actionsFor({ viewer }: PageCall): BulkAction[] {
  return may(viewer, 'auth.delete_group') ? [DELETE] : [];
}

async function groupsView(db: Database, call: PageCall): Promise<PageView> {
  const mayAdd = may(call.viewer, 'auth.add_group');
  return {
    view: 'list',
    title: 'Groups',
    breadcrumbs: [{ label: 'Groups' }],
    data: {
      list: await listView(db, LIST, call.query),
      actions: actionsFor(call),
      headLinks: mayAdd ? [{ label: 'Add group', href: `${GROUPS_HREF}add/` }] : [],
      empty: mayAdd
        ? 'There is no group yet. A group gives its members permissions together: add one, then put users into it.'
        : 'There is no group yet.',
    },
  };
}

async function deleteSelected(
  db: Database,
  { viewer, origin, now, request }: PageCall,
  { ids, isConfirmed, hidden }: Selection,
): Promise<PageResult> {
  if (isConfirmed) {
    const { length } = await deleteGroups(db, { actor: viewer, origin, now }, ids);
    const text = `Successfully deleted ${length} ${length === 1 ? 'group' : 'groups'}.`;
    return { redirect: GROUPS_HREF, message: { level: 'success', text } };
  }
  const doomed = await previewGroupDeletion(db, viewer, ids);
  if (doomed.length === 0) throw new AppError('not_found', { advice: 'These groups are gone already.' });
  return {
    view: 'confirm',
    title: 'Delete multiple objects',
    breadcrumbs: [{ label: 'Groups', href: GROUPS_HREF }, { label: 'Delete multiple objects' }],
    data: { ...groupDeletionData(doomed, viewer), hidden, backHref: request.url },
  };
}
