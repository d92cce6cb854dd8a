import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { connect } from '../../db/connect.ts';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import { hashPassword } from '../../server/users/hashers.ts';
import { createUser, findUserByUsername } from '../../server/users/users.ts';
import { settingsOf, TEST_KEY } from '../settings-of.ts';
import type { ApiClient } from './size-client.ts';

/** How many accounts log in, and how many tokens are used: they lie apart, all over the tables. */
export const VISITORS = 200;

const PASSWORD = 'pw-Fixture-123';

export interface Credentials extends Record<string, string> {
  username: string;
  password: string;
}

/** Accounts that can log in, with a hash of the cheapest kind: what is measured is not the hash. */
export async function accountsIn(url: string): Promise<Credentials[]> {
  const db = connect(url);
  const passwordHash = await hashPassword(PASSWORD, settingsOf());
  const names: string[] = [];
  for (const id of await spread(db, 'auth_user', 0)) {
    const user = await db
      .updateTable('auth_user')
      .set({ password: passwordHash, is_active: 1 })
      .where('id', '=', id)
      .returning('username')
      .executeTakeFirstOrThrow();
    names.push(user.username);
  }
  for (let number = names.length; number < VISITORS; number += 1) {
    const username = `visitor${number}`;
    if ((await findUserByUsername(db, username)) === null) {
      await createUser(db, { username, passwordHash }, new Date());
    }
    names.push(username);
  }
  await db.destroy();
  return names.map((username) => ({ username, password: PASSWORD }));
}

/**
 * Refresh tokens that work: of the full database some that were given out long ago, all over the younger half of its
 * tokens; of an empty one new ones.
 */
export async function refreshTokensIn(
  url: string,
  client: ApiClient,
  accounts: readonly Credentials[],
): Promise<string[]> {
  const db = connect(url);
  // The older half has expired.
  const ids = await spread(db, 'jotgate_session', 0.55);
  const stored: string[] = [];
  for (const id of ids) stored.push(await livingFrom(db, id));
  await db.destroy();
  if (new Set(stored).size === VISITORS) return stored.map(withSignature);
  const tokens: string[] = [];
  for (const account of accounts) tokens.push(pairOf(await client.post('/api/token/', account)).refresh);
  return tokens;
}

export function pairOf({ body }: { body: string }): { access: string; refresh: string } {
  return JSON.parse(body);
}

/** Ids as far from each other as they can be; none where there are too few. @param from which part is left out */
async function spread(db: Database, table: 'auth_user' | 'jotgate_session', from: number): Promise<number[]> {
  const newest = await db.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst();
  const last = newest?.id ?? 0;
  const ids: number[] = [];
  for (let number = 0; number < VISITORS; number += 1) {
    const start = Math.floor(last * (from + (0.99 - from) * (number / VISITORS)));
    const row = await db
      .selectFrom(table)
      .select('id')
      .where('id', '>=', start)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (row !== undefined) ids.push(row.id);
  }
  return new Set(ids).size === VISITORS ? ids : [];
}

/**
 * The first token from there on that works, of a session that is known. SQLite takes the tables of a cross join in the
 * order in which they stand.
 */
async function livingFrom(db: Database, session: number): Promise<string> {
  const { rows } = await sql<{ token: string }>`
    select outstanding.token from jotgate_session as session
    cross join jotgate_session_token as link
    cross join token_blacklist_outstandingtoken as outstanding
    cross join auth_user
    where session.id >= ${session} and session.id < ${session + 10_000} and session.ended_at is null
      and link.session_id = session.id and link.rotated_at is null and outstanding.jti = link.jti
      and outstanding.expires_at > ${toSqlTime(new Date(Date.now() + 3_600_000))}
      and auth_user.id = outstanding.user_id and auth_user.is_active = ${1}
      and not exists (select 1 from token_blacklist_blacklistedtoken where token_id = outstanding.id)
    order by session.id limit 1`.execute(db);
  return rows[0]?.token ?? '';
}

/** What is stored of a token has no signature. */
function withSignature(token: string): string {
  return `${token}.${createHmac('sha256', TEST_KEY).update(token).digest('base64url')}`;
}
