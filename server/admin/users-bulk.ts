import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { endAdminSessionsOf } from '../sessions/admin-sessions.ts';
import type { Settings } from '../settings.ts';
import { previewRevocation, revokeTokensOf } from '../tokens/mass-revocation.ts';
import { findRefusal } from '../users/account-policy.ts';
import { findSubjects } from '../users/acting.ts';
import { deleteAccounts, previewDeletion } from '../users/delete-accounts.ts';
import { type Actor, may } from '../users/permissions.ts';
import { switchAccounts } from '../users/switch-accounts.ts';
import type { Selection } from './bulk.ts';
import type { BulkAction } from './list.ts';
import type { PageCall, PageResult } from './page.ts';
import { type RevocationData, revocationData } from './revocation-view.ts';
import { refusedList, userDeletionData, usersList } from './user-deletion-view.ts';
import { USERS_HREF } from './user-links.ts';

/** What an action is given. */
interface Deed {
  db: Database;
  settings: Settings;
  call: PageCall;
  ids: readonly number[];
}

/** What a question says: see views/admin/confirm.eta. */
interface Question {
  paragraphs: readonly string[];
  lists: readonly unknown[];
  revocation?: RevocationData;
  /** Null where there is nothing that could be done. */
  submit: { label: string; tone?: string } | null;
}

interface UserAction extends BulkAction {
  /** The permission that it takes, besides what the rules say of each account. */
  needs: string;
  /** The title of the question. */
  title: string;
  ask(deed: Deed): Promise<Question>;
  /** Does it to all whom the viewer may do it to, and says what was done. */
  act(deed: Deed): Promise<string>;
}

const ACTIONS: readonly UserAction[] = [
  {
    value: 'delete_selected',
    label: 'Delete selected users',
    needs: 'auth.delete_user',
    title: 'Delete multiple objects',
    ask: async ({ db, call, ids }) => userDeletionData(await previewDeletion(db, call.viewer, ids)),
    act: deleteUsers,
  },
  {
    value: 'activate',
    label: 'Activate selected users',
    needs: 'auth.change_user',
    title: 'Activate users',
    ask: askActivation,
    act: (deed) => switchUsers(deed, 'activate'),
  },
  {
    value: 'deactivate',
    label: 'Deactivate selected users',
    needs: 'auth.change_user',
    title: 'Deactivate users',
    ask: askDeactivation,
    act: (deed) => switchUsers(deed, 'deactivate'),
  },
  {
    value: 'revoke_tokens',
    label: 'Make tokens of selected users worthless',
    needs: 'token_blacklist.add_blacklistedtoken',
    title: 'Make tokens worthless',
    ask: askRevocation,
    act: revokeTokens,
  },
];

/** What a viewer may do with the users that are ticked. */
export function actionsFor(viewer: Actor): BulkAction[] {
  return ACTIONS.filter(({ needs }) => may(viewer, needs)).map(({ value, label }) => ({ value, label }));
}

/** Asks whether to do what was chosen, or does it. */
export async function actOnUsers(
  db: Database,
  settings: Settings,
  call: PageCall,
  { action, ids, isConfirmed, hidden }: Selection,
): Promise<PageResult> {
  const chosen = ACTIONS.find(({ value }) => value === action) as UserAction;
  const deed = { db, settings, call, ids };
  const { url } = call.request;
  if (isConfirmed) return { redirect: url, message: { level: 'success', text: await chosen.act(deed) } };
  const question = await chosen.ask(deed);
  return {
    view: 'confirm',
    title: question.submit === null ? `Cannot ${chosen.label.toLowerCase()}` : chosen.title,
    breadcrumbs: [{ label: 'Users', href: USERS_HREF }, { label: chosen.title }],
    data: { ...question, hidden, action: url, backHref: url },
  };
}

async function deleteUsers({ db, call, ids }: Deed): Promise<string> {
  const doomed = await previewDeletion(db, call.viewer, ids);
  const allowed = doomed.filter(({ refusal }) => refusal === null).map(({ user }) => user.id);
  const { length } = await deleteAccounts(db, acting(call), allowed);
  return `Successfully deleted ${counted(length)}.`;
}

/** Of the chosen accounts those that the viewer may switch and that are in the other state, and those he may not. */
async function switchable({ db, call, ids }: Deed, to: 'activate' | 'deactivate') {
  const before = to === 'activate' ? 0 : 1;
  const subjects = (await findSubjects(db, ids)).filter(({ user }) => user.is_active === before);
  const judged = subjects.map((subject) => ({
    user: subject.user,
    refusal: findRefusal(call.viewer, to, subject),
  }));
  return {
    users: judged.filter(({ refusal }) => refusal === null).map(({ user }) => user),
    refused: judged.flatMap(({ user, refusal }) => (refusal === null ? [] : [{ user, refusal }])),
  };
}

async function askActivation(deed: Deed): Promise<Question> {
  const { users, refused } = await switchable(deed, 'activate');
  const left = refusedList(refused);
  if (users.length === 0) return nothingToDo('None of the selected users can be activated.', left);
  return {
    paragraphs: [`${counted(users.length)} can log in again, and refresh the tokens that they still have.`],
    lists: [usersList('Users', users), ...left],
    submit: { label: 'Yes, activate' },
  };
}

async function askDeactivation(deed: Deed): Promise<Question> {
  const { users, refused } = await switchable(deed, 'deactivate');
  const left = refusedList(refused);
  if (users.length === 0) return nothingToDo('None of the selected users can be deactivated.', left);
  return {
    paragraphs: [
      `${counted(users.length)} cannot log in any more, and their sessions in the admin end. They can be activated again.`,
      deed.settings.CHECK_USER_IS_ACTIVE
        ? 'As long as they are inactive, every token of theirs is refused.'
        : 'The tokens that they have are good all the same, for CHECK_USER_IS_ACTIVE is off: make them worthless as well.',
    ],
    lists: [usersList('Users', users), ...left],
    submit: { label: 'Yes, deactivate', tone: 'danger' },
  };
}

async function askRevocation(deed: Deed): Promise<Question> {
  const users = (await findSubjects(deed.db, deed.ids)).map(({ user }) => user);
  if (users.length === 0) return nothingToDo('The selected users are gone.', []);
  const ids = users.map(({ id }) => id);
  const { db, settings, call } = deed;
  return {
    paragraphs: [
      `Every token of ${counted(users.length)} that can be revoked goes on the blacklist. Who uses one has to log in again.`,
    ],
    revocation: revocationData(await previewRevocation(db, settings, ids, call.now)),
    lists: [usersList('Users', users)],
    submit: { label: 'Yes, make them worthless', tone: 'danger' },
  };
}

function nothingToDo(text: string, lists: readonly unknown[]): Question {
  return { paragraphs: [text], lists, submit: null };
}

async function switchUsers(deed: Deed, to: 'activate' | 'deactivate'): Promise<string> {
  const ids = (await switchable(deed, to)).users.map(({ id }) => id);
  const { length } = await inTransaction(deed.db, async (trx) => {
    const switched = await switchAccounts(trx, acting(deed.call), to, ids);
    if (to === 'deactivate') await endAdminSessionsOf(trx, ids);
    return switched;
  });
  return `Successfully ${to}d ${counted(length)}.`;
}

async function revokeTokens({ db, settings, call, ids }: Deed): Promise<string> {
  const revoked = await revokeTokensOf(db, settings, ids, call.now, call.origin);
  const tokens = `${revoked.toLocaleString('en-US')} ${revoked === 1 ? 'token' : 'tokens'}`;
  return `Successfully revoked ${tokens}.`;
}

function acting({ viewer, origin, now }: PageCall) {
  return { actor: viewer, origin, now };
}

function counted(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'user' : 'users'}`;
}
