import { type ServerProcess, startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';
import { ApiClient } from './size-client.ts';
import type { Place, Places } from './size-places.ts';
import { type Race, race } from './size-races.ts';
import { accountsIn, type Credentials, pairOf, refreshTokensIn, VISITORS } from './size-visitors.ts';

/** What the servers have in common. Nothing is tidied away by itself. */
export const OPERATION_SETTINGS = {
  SECRET_KEY: TEST_KEY,
  FLUSH_INTERVAL: '0',
  HISTORY_LIFETIME: '36500d',
} as const;

export const ROTATION = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' } as const;

/** A server, who logs in to it and the refresh tokens that it takes now. */
export interface Contestant {
  server: ServerProcess;
  client: ApiClient;
  accounts: readonly Credentials[];
  tokens: string[];
}

/** What is asked of a server, once a round, and how long the answer took. */
type Operation = (one: Contestant, round: number) => Promise<number>;

const login: Operation = async ({ client, accounts }, round) =>
  (await client.post('/api/token/', accounts[round % VISITORS] as Credentials)).took;

export const verify: Operation = async ({ client, tokens }, round) =>
  (await client.post('/api/token/verify/', { token: tokens[round % VISITORS] as string })).took;

const refresh: Operation = async ({ client, tokens }, round) =>
  (await client.post('/api/token/refresh/', { refresh: tokens[round % VISITORS] as string })).took;

/** A refresh after which the next token takes the place of the one that was sent. */
export const rotate: Operation = async ({ client, tokens }, round) => {
  const answer = await client.post('/api/token/refresh/', { refresh: tokens[round % VISITORS] as string });
  tokens[round % VISITORS] = pairOf(answer).refresh;
  return answer.took;
};

/** @param settings of the servers, besides those that all have */
export async function enter(
  place: Place,
  settings: Readonly<Record<string, string>> = {},
): Promise<Contestant> {
  const accounts = await accountsIn(place.url);
  const server = await startServer({
    folder: place.folder,
    settings: { ...OPERATION_SETTINGS, ...settings, DATABASE_URL: place.url },
  });
  const client = new ApiClient(server.url);
  return { server, client, accounts, tokens: await refreshTokensIn(place.url, client, accounts) };
}

export async function leave({ client, server }: Contestant): Promise<void> {
  client.close();
  await server.stop();
}

/** Logs in, verifies, refreshes and rotates on both databases. */
export async function timeOperations(places: Places): Promise<Race[]> {
  const rounds = VISITORS * 3;
  const on = async (settings: Readonly<Record<string, string>>, operations: Record<string, Operation>) => {
    const full = await enter(places.full, settings);
    const empty = await enter(places.empty, settings);
    const races: Race[] = [];
    for (const [name, operation] of Object.entries(operations)) {
      const contestants = { full, empty };
      races.push(await race(name, rounds, (which, round) => operation(contestants[which], round)));
    }
    await Promise.all([leave(full), leave(empty)]);
    return races;
  };
  return [...(await on({}, { login, verify, refresh })), ...(await on(ROTATION, { rotation: rotate }))];
}
