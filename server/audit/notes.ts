import { type Database, statement } from '../../db/statement.ts';
import type { NewEvent, TimedEvent } from './record.ts';

/** By what an account can be found: its id, or its username as it is stored. */
export type AccountClue = { readonly id: number } | { readonly username: string };

/** An event of which not all is known yet, so that no answer waits for it. */
export interface NotedEvent extends NewEvent {
  /** Who acted, or of a refusal, where nobody has proved to be anyone, whom it was about. */
  account?: { readonly as: 'actor' | 'object'; readonly clue: AccountClue };
  /** The jti of the token that it was done to. */
  token?: string;
}

export interface TimedNote extends TimedEvent {
  event: NotedEvent;
}

interface Account {
  id: number;
  username: string;
}

/** How many rows one statement looks for; what is left over is filled up with repetitions. */
const AT_ONCE = 32;

const accountsById = statement((db) =>
  db.selectFrom('auth_user').select(['id', 'username']).where('id', 'in', Array<number>(AT_ONCE).fill(0)),
);
const accountsByUsername = statement((db) =>
  db
    .selectFrom('auth_user')
    .select(['id', 'username'])
    .where('username', 'in', Array<string>(AT_ONCE).fill('')),
);
const tokensByJti = statement((db) =>
  db
    .selectFrom('token_blacklist_outstandingtoken')
    .select(['id', 'jti'])
    .where('jti', 'in', Array<string>(AT_ONCE).fill('')),
);

/**
 * Looks up the accounts and tokens of events, each once. Of an id that nobody has any more the id remains; of a
 * username that nobody has nothing does, for it is only what somebody typed, which may well be a password.
 */
export async function completeNotes(db: Database, notes: readonly TimedNote[]): Promise<TimedEvent[]> {
  const events = notes.map(({ event }) => event);
  const clues = events.flatMap(({ account }) => account?.clue ?? []);
  const ids = clues.flatMap((clue) => ('id' in clue ? clue.id : []));
  const usernames = clues.flatMap((clue) => ('username' in clue ? clue.username : []));
  const jtis = events.flatMap(({ token }) => token ?? []);
  const known: Known = {
    byId: new Map((await findAll(db, accountsById, ids)).map((account) => [account.id, account])),
    byUsername: new Map(
      (await findAll(db, accountsByUsername, usernames)).map((account) => [account.username, account]),
    ),
    tokens: new Map((await findAll(db, tokensByJti, jtis)).map(({ id, jti }) => [jti, id])),
  };
  return notes.map(({ event, at }) => ({ event: completed(event, known), at }));
}

interface Known {
  byId: ReadonlyMap<number, Account>;
  byUsername: ReadonlyMap<string, Account>;
  tokens: ReadonlyMap<string, number>;
}

async function findAll<Row>(
  db: Database,
  find: ReturnType<typeof statement<Row>>,
  wanted: readonly (string | number)[],
): Promise<Row[]> {
  const values = [...new Set(wanted)];
  const found: Row[] = [];
  for (let done = 0; done < values.length; done += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, index) => values[done + index] ?? values[done]);
    found.push(...(await find(db, ...some)).rows);
  }
  return found;
}

function completed({ account, token, ...event }: NotedEvent, known: Known): NewEvent {
  const complete = token === undefined ? event : { ...event, object: tokenObject(token, known) };
  const found = account === undefined ? undefined : findAccount(account.clue, known);
  if (account === undefined || found === undefined) return complete;
  const { id, username } = found;
  if (account.as === 'object')
    return { ...complete, object: { type: 'user', id: String(id), name: username } };
  return { ...complete, origin: { ...event.origin, actor: { id, name: username } } };
}

function findAccount(clue: AccountClue, { byId, byUsername }: Known): Account | undefined {
  if ('username' in clue) return byUsername.get(clue.username);
  return byId.get(clue.id) ?? { id: clue.id, username: '' };
}

/** A token goes by the id of its row, as in the admin, while it is recorded at all. */
function tokenObject(jti: string, { tokens }: Known): NonNullable<NewEvent['object']> {
  return { type: 'outstandingtoken', id: String(tokens.get(jti) ?? jti), name: jti };
}
