import { type Database, statement } from '../../db/statement.ts';
import type { NewEvent, TimedEvent } from './record.ts';

/** By what an account can be found: its id, or its username as it is stored. */
export type AccountClue = { readonly id: number } | { readonly username: string };

/**
 * An event whose account is yet to be looked up, so that no answer waits for it: who acted, or of a refusal, where
 * nobody has proved to be anyone, whom it was about.
 */
export interface NotedEvent extends NewEvent {
  account?: { readonly as: 'actor' | 'object'; readonly clue: AccountClue };
}

export interface TimedNote extends TimedEvent {
  event: NotedEvent;
}

interface Account {
  id: number;
  username: string;
}

/** How many accounts one statement looks for; what is left over is filled up with repetitions. */
const AT_ONCE = 32;

const byIds = statement((db) =>
  db.selectFrom('auth_user').select(['id', 'username']).where('id', 'in', Array<number>(AT_ONCE).fill(0)),
);
const byUsernames = statement((db) =>
  db
    .selectFrom('auth_user')
    .select(['id', 'username'])
    .where('username', 'in', Array<string>(AT_ONCE).fill('')),
);

/**
 * Names the accounts of events, each looked up once. Of an id that nobody has any more the id remains; of a username
 * that nobody has nothing does, for it is only what somebody typed, which may well be a password.
 */
export async function nameAccounts(db: Database, notes: readonly TimedNote[]): Promise<TimedEvent[]> {
  const clues = notes.flatMap(({ event }) => event.account?.clue ?? []);
  const ids = new Set(clues.flatMap((clue) => ('id' in clue ? [clue.id] : [])));
  const usernames = new Set(clues.flatMap((clue) => ('username' in clue ? [clue.username] : [])));
  const accounts = [
    ...(await findAll(db, byIds, [...ids])),
    ...(await findAll(db, byUsernames, [...usernames])),
  ];
  const byId = new Map(accounts.map((account) => [account.id, account]));
  const byUsername = new Map(accounts.map((account) => [account.username, account]));
  const find = (clue: AccountClue) =>
    'id' in clue ? (byId.get(clue.id) ?? { id: clue.id, username: '' }) : byUsername.get(clue.username);
  return notes.map(({ event, at }) => ({ event: withAccount(event, find), at }));
}

async function findAll<Value>(
  db: Database,
  find: ReturnType<typeof statement<Account>>,
  values: readonly Value[],
): Promise<Account[]> {
  const found: Account[] = [];
  for (let done = 0; done < values.length; done += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => values[done + index] ?? values[done]);
    found.push(...(await find(db, ...some)).rows);
  }
  return found;
}

function withAccount(event: NotedEvent, find: (clue: AccountClue) => Account | undefined): NewEvent {
  const { account, ...rest } = event;
  const found = account === undefined ? undefined : find(account.clue);
  if (account === undefined || found === undefined) return rest;
  const { id, username } = found;
  if (account.as === 'actor') return { ...rest, origin: { ...rest.origin, actor: { id, name: username } } };
  return { ...rest, object: { type: 'user', id: String(id), name: username } };
}
