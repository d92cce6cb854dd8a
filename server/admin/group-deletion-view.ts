import type { DoomedGroup } from '../users/group-deletion.ts';
import { type Actor, may } from '../users/permissions.ts';

/** How many groups a confirmation names; of more it says how many there are. */
const NAMED = 50;

/** What the page says that asks whether to delete groups: what goes with them, or why they cannot be deleted. */
export function groupDeletionData(doomed: readonly DoomedGroup[], viewer: Actor) {
  const refusals = doomed.flatMap(({ refusal }) => refusal ?? []);
  const [only] = doomed;
  const whom = doomed.length === 1 && only ? `the group “${only.group.name}”` : 'the selected groups';
  if (refusals.length > 0) {
    const title = 'What stands against it';
    return {
      paragraphs: [`Deleting ${whom} would take from others what you could not give back to them.`],
      lists: [{ title, items: refusals.slice(0, NAMED).map((text) => ({ text })), ...moreOf(refusals) }],
      submit: null,
    };
  }
  return {
    paragraphs: [
      `Are you sure you want to delete ${whom}? This cannot be undone.`,
      'Users who are in a group stay, but lose what only the group lets them do. All of the following objects and their related items will be deleted:',
    ],
    lists: [
      { title: 'Summary', items: summary(doomed) },
      ...(doomed.length === 1 ? detailsOf(doomed, viewer) : [named(doomed)]),
    ],
    submit: { label: 'Yes, I’m sure', tone: 'danger' },
  };
}

function summary(doomed: readonly DoomedGroup[]) {
  const counts = {
    Groups: doomed.length,
    'Places of users in them': total(doomed.map(({ members }) => members)),
    'Permissions granted by them': total(doomed.map(({ permissions }) => permissions.length)),
  };
  return Object.entries(counts).map(([label, count]) => ({
    text: `${label}: ${count.toLocaleString('en-US')}`,
  }));
}

function named(doomed: readonly DoomedGroup[]) {
  const items = doomed.slice(0, NAMED).map(({ group, members }) => ({
    text: `${group.name} (${members.toLocaleString('en-US')} ${members === 1 ? 'user' : 'users'})`,
    href: `/admin/auth/group/${group.id}/change/`,
  }));
  return { title: 'Groups', items, ...moreOf(doomed) };
}

/** Of a single group also who is in it, where that is the viewer's to see, and what it grants. */
function detailsOf(doomed: readonly DoomedGroup[], viewer: Actor) {
  const maySeeUsers = may(viewer, 'auth.view_user') || may(viewer, 'auth.change_user');
  return doomed.flatMap(({ members, memberNames, permissions }) => {
    const users = { title: 'Users in it', items: memberNames.map((text) => ({ text })) };
    const rest = members - memberNames.length;
    const granted = {
      title: 'Permissions granted by it',
      items: permissions.map(({ name }) => ({ text: name })),
    };
    return [
      ...(members > 0 && maySeeUsers
        ? [rest > 0 ? { ...users, more: `and ${rest.toLocaleString('en-US')} more` } : users]
        : []),
      ...(permissions.length > 0 ? [granted] : []),
    ];
  });
}

function moreOf(all: readonly unknown[]): { more?: string } {
  return all.length > NAMED ? { more: `and ${(all.length - NAMED).toLocaleString('en-US')} more` } : {};
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
