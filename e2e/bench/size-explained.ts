import { buildApp } from '../../server/app.ts';
import { flushExpired } from '../../server/tokens/flush.ts';
import { settingsOf } from '../settings-of.ts';
import { OPERATION_SETTINGS, ROTATION } from './size-operations.ts';
import type { Place } from './size-places.ts';
import { type Plan, WatchedDatabase } from './size-plans.ts';
import { accountsIn, type Credentials, pairOf } from './size-visitors.ts';

/** Every query that the operations on tokens make, with how the database answers it. */
export async function explainOperations({ url }: Place): Promise<Plan[]> {
  const [account] = await accountsIn(url);
  const watched = new WatchedDatabase(url);
  await watchRequests(watched, account as Credentials, {}, 'refresh');
  await watchRequests(watched, account as Credentials, ROTATION, 'rotation');
  watched.listenTo('purge');
  await flushExpired(watched.db, settingsOf(OPERATION_SETTINGS), new Date(), { isOver: () => true });
  const plans = await watched.plans();
  await watched.db.destroy();
  return plans;
}

async function watchRequests(
  watched: WatchedDatabase,
  account: Credentials,
  settings: Readonly<Record<string, string>>,
  refresh: string,
): Promise<void> {
  const app = await buildApp({
    db: watched.db,
    settings: settingsOf({ ...OPERATION_SETTINGS, ...settings }),
  });
  const post = async (path: string, payload: Readonly<Record<string, string>>) => {
    const answer = await app.inject({ method: 'POST', url: path, payload });
    if (answer.statusCode !== 200) throw new Error(`${path} answers ${answer.statusCode}: ${answer.body}`);
    return answer;
  };
  watched.listenTo('login');
  const pair = pairOf(await post('/api/token/', account));
  watched.listenTo('verify');
  await post('/api/token/verify/', { token: pair.refresh });
  watched.listenTo(refresh);
  await post('/api/token/refresh/', { refresh: pair.refresh });
  // What happened is written when the app ends, if not before.
  watched.listenTo('history');
  await app.close();
}
