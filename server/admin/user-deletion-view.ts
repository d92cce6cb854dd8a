import type { Belongings, DoomedAccount } from '../users/delete-accounts.ts';
import { userHref } from './user-links.ts';

/** How many accounts a confirmation names; of more it says how many there are. */
const NAMED = 50;

/** What goes with accounts, in Django's names. Tokens stay. */
const GOING: Readonly<Record<Exclude<keyof Belongings, 'tokens'>, string>> = {
  groups: 'User-group relationships',
  permissions: 'User-user permission relationships',
  logEntries: 'Log entries',
  sessions: 'Sessions in the admin',
};

/** What the page says that asks whether to delete accounts: what goes with them, and who is left out and why. */
export function userDeletionData(doomed: readonly DoomedAccount[]) {
  const allowed = doomed.filter(({ refusal }) => refusal === null);
  const refused = doomed.flatMap(({ user, refusal }) => (refusal === null ? [] : [{ user, refusal }]));
  const [only] = doomed;
  const whom = doomed.length === 1 && only ? `the user “${only.user.username}”` : 'the selected users';
  const left = refusedList(refused);
  if (allowed.length === 0) {
    return { paragraphs: [`You cannot delete ${whom}.`], lists: left, submit: null };
  }
  return {
    paragraphs: [
      `Are you sure you want to delete ${whom}? All of the following related items will be deleted. This cannot be undone.`,
      tokenWords(allowed),
    ],
    lists: [
      { title: 'Summary', items: summary(allowed) },
      usersList(
        'Users',
        allowed.map(({ user }) => user),
      ),
      ...left,
    ],
    submit: { label: 'Yes, I’m sure', tone: 'danger' },
  };
}

/** Accounts by name, each with a link to itself. */
export function usersList(title: string, users: readonly { id: number; username: string }[]) {
  const items = users.slice(0, NAMED).map(({ id, username }) => ({ text: username, href: userHref(id) }));
  return { title, items, ...moreOf(users) };
}

/** Accounts that are left as they are, with the reasons; no list where there are none. */
export function refusedList(refused: readonly { user: { username: string }; refusal: string }[]) {
  if (refused.length === 0) return [];
  const items = refused
    .slice(0, NAMED)
    .map(({ user, refusal }) => ({ text: `${user.username}: ${refusal}` }));
  return [{ title: 'Left as they are', items, ...moreOf(refused) }];
}

function tokenWords(doomed: readonly DoomedAccount[]): string {
  const count = doomed.reduce((sum, { belongings }) => sum + belongings.tokens, 0);
  const refused = 'Tokens of a deleted user are refused at once, and the history stays.';
  if (count === 0) return refused;
  const tokens =
    count === 1 ? 'One outstanding token stays' : `${count.toLocaleString('en-US')} outstanding tokens stay`;
  return `${refused} ${tokens} on record without an owner.`;
}

function summary(doomed: readonly DoomedAccount[]) {
  const counts = Object.entries(GOING).map(([key, label]) => {
    const count = doomed.reduce((sum, { belongings }) => sum + belongings[key as keyof Belongings], 0);
    return { label, count };
  });
  return [{ label: 'Users', count: doomed.length }, ...counts]
    .filter(({ count }) => count > 0)
    .map(({ label, count }) => ({ text: `${label}: ${count.toLocaleString('en-US')}` }));
}

function moreOf(all: readonly unknown[]): { more?: string } {
  return all.length > NAMED ? { more: `and ${(all.length - NAMED).toLocaleString('en-US')} more` } : {};
}
