import { connect } from '../../db/connect.ts';
import type { Database } from '../../db/statement.ts';
import { buildApp } from '../../server/app.ts';
import { hashPassword } from '../../server/users/hashers.ts';
import { createSuperuser, findUserByUsername } from '../../server/users/users.ts';
import { adminRoutes } from '../attack/admin-site.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { settingsOf } from '../settings-of.ts';
import { AdminClient, type Answer } from './size-client.ts';
import { addressesOf, type Ids } from './size-pages.ts';
import type { Place, Places } from './size-places.ts';
import { type Plan, WatchedDatabase } from './size-plans.ts';
import { ROUNDS, type Timing } from './size-table.ts';
import { median } from './table.ts';

const ACCOUNT = { username: 'measurer', password: 'pw-Fixture-123' };

/** Nothing of the database may be tidied away while it is measured. */
const SETTINGS = { FLUSH_INTERVAL: '0', HISTORY_LIFETIME: '36500d', ADMIN_SESSION_IDLE_TIMEOUT: '1d' };

interface Measured {
  server: ServerProcess;
  client: AdminClient;
  ids: Ids;
}

/**
 * Opens every page there is of the admin, as a superuser, on a server with each database, one after the other: what
 * else the machine does then hits both alike.
 */
export async function timePages(places: Places): Promise<Timing[]> {
  const [full, empty] = [await open(places.full), await open(places.empty)];
  try {
    const timings: Timing[] = [];
    const others = await pagesOf(empty.ids);
    for (const [index, address] of (await pagesOf(full.ids)).entries())
      timings.push(await timePage(full, address, empty, others[index] ?? address));
    return timings;
  } finally {
    for (const { client, server } of [full, empty]) {
      client.close();
      await server.stop();
    }
  }
}

/** Every query that those pages make, with how the database answers it. */
export async function explainPages({ url }: Place): Promise<Plan[]> {
  const watched = new WatchedDatabase(url);
  await makeAccount(watched.db);
  const ids = await idsIn(watched.db);
  const app = await buildApp({ db: watched.db, settings: settingsOf(SETTINGS) });
  const at = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = await AdminClient.logIn(at, ACCOUNT.username, ACCOUNT.password);
  for (const address of await pagesOf(ids)) {
    watched.listenTo(address);
    await client.get(address);
  }
  client.close();
  await app.close();
  const plans = await watched.plans();
  await watched.db.destroy();
  return plans;
}

async function pagesOf(ids: Ids): Promise<string[]> {
  const routes = await adminRoutes();
  return routes.flatMap(({ path, get }) => (get === undefined ? [] : (addressesOf(path, ids) ?? [])));
}

async function open({ folder, url }: Place): Promise<Measured> {
  const server = await startServer({ folder, settings: { ...SETTINGS, DATABASE_URL: url } });
  const db = connect(url);
  await makeAccount(db);
  const ids = await idsIn(db);
  await db.destroy();
  return { server, ids, client: await AdminClient.logIn(server.url, ACCOUNT.username, ACCOUNT.password) };
}

async function makeAccount(db: Database): Promise<void> {
  const { username, password } = ACCOUNT;
  if ((await findUserByUsername(db, username)) !== null) return;
  const passwordHash = await hashPassword(password, settingsOf());
  await createSuperuser(db, { username, passwordHash }, new Date());
}

/** Some row of each kind in the middle of its table; 1 where there is none. */
async function idsIn(db: Database): Promise<Ids> {
  const middle = async (table: keyof typeof TABLES) => {
    const newest = await db
      .selectFrom(TABLES[table])
      .select('id')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    const half = Math.ceil((newest?.id ?? 1) / 2);
    const row = await db
      .selectFrom(TABLES[table])
      .select('id')
      .where('id', '>=', half)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return row?.id ?? 1;
  };
  return {
    user: await middle('user'),
    busyUser: 1,
    group: 1,
    token: await middle('token'),
    blacklisted: await middle('blacklisted'),
    session: await middle('session'),
    event: await middle('event'),
    superuser: (await findUserByUsername(db, ACCOUNT.username))?.id ?? 1,
  };
}

const TABLES = {
  user: 'auth_user',
  token: 'token_blacklist_outstandingtoken',
  blacklisted: 'token_blacklist_blacklistedtoken',
  session: 'jotgate_session',
  event: 'jotgate_event',
} as const;

async function timePage(full: Measured, address: string, empty: Measured, other: string): Promise<Timing> {
  const onFull: Answer[] = [];
  const onEmpty: Answer[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    onFull.push(await full.client.get(address));
    onEmpty.push(await empty.client.get(other));
  }
  const isThere = onEmpty.every(({ status }) => status === 200 || status === 303);
  const wrong = onFull.find(({ status }) => status !== 200 && status !== 303);
  return {
    name: address,
    empty: isThere ? median(onEmpty.map(({ took }) => took)) : Number.NaN,
    full: median(onFull.map(({ took }) => took)),
    found: foundOn(onFull[0]?.body ?? ''),
    ...(wrong === undefined ? {} : { wrong: `status ${wrong.status}` }),
  };
}

/** What a list says of how much it found; of other pages how long they are. */
function foundOn(body: string): string {
  const count = /<p>((?:more than )?[\d,]+ [a-z ]+)([^<]*)<\/p>/.exec(body);
  if (count === null) return `${(body.length / 1024).toFixed(0)} KB`;
  return `${count[1]}${count[2]?.includes('looked through') ? ', partly' : ''}`;
}
