import { createHash, randomBytes } from 'node:crypto';
import { type Database, statement } from '../../db/statement.ts';
import type { AdminSessionRow, UserRow } from '../../db/tables.ts';
import { fromSqlTime, toSqlTime } from '../../db/values.ts';

/** How long a session lives, in seconds. */
export interface SessionLimits {
  /** Since its last request. */
  idle: number;
  /** Since the log-in. */
  lifetime: number;
}

/** From where somebody logged in. */
export interface SessionPlace {
  address: string;
  userAgent: string;
}

/** Bytes of a session's key: as many as no one guesses. */
const KEY_BYTES = 32;

/** How old the note of the last request may grow before it is written anew, in seconds: not every page is a write. */
const NOTE_AGE = 30;

const byKeyHash = statement((db) =>
  db.selectFrom('jotgate_admin_session').selectAll().where('key_hash', '=', ''),
);

const touch = statement((db) =>
  db.updateTable('jotgate_admin_session').set({ last_seen_at: '' }).where('id', '=', 0),
);

/**
 * Starts a session for a user who has just proved who he is.
 *
 * @returns its key, which goes into the cookie and is kept nowhere else
 */
export async function startAdminSession(
  db: Database,
  user: Pick<UserRow, 'id' | 'password'>,
  place: SessionPlace,
  now: Date,
): Promise<string> {
  const key = randomBytes(KEY_BYTES).toString('base64url');
  await db
    .insertInto('jotgate_admin_session')
    .values({
      key_hash: hashOf(key),
      user_id: user.id,
      password_mark: hashOf(user.password),
      created_at: toSqlTime(now),
      last_seen_at: toSqlTime(now),
      address: place.address.slice(0, 45),
      user_agent: place.userAgent.slice(0, 255),
    })
    .execute();
  return key;
}

/**
 * The session of a key, unless it is over: idle for too long or too old. One that is over is removed. Whose it is and
 * whether he may still have it is for `isSessionOf` to say.
 */
export async function findAdminSession(
  db: Database,
  key: string,
  limits: SessionLimits,
  now: Date,
): Promise<AdminSessionRow | null> {
  const session = (await byKeyHash(db, hashOf(key))).rows[0];
  if (session === undefined) return null;
  const seconds = (time: string) => (now.getTime() - fromSqlTime(time).getTime()) / 1000;
  if (seconds(session.last_seen_at) >= limits.idle || seconds(session.created_at) >= limits.lifetime) {
    await endAdminSession(db, session.id);
    return null;
  }
  if (seconds(session.last_seen_at) >= Math.min(NOTE_AGE, limits.idle / 2)) {
    await touch(db, toSqlTime(now), session.id);
  }
  return session;
}

/** Whether a session is this user's still: he is staff, active, and his password is the one he logged in with. */
export function isSessionOf(session: AdminSessionRow, user: UserRow): boolean {
  return (
    session.user_id === user.id &&
    user.is_active === 1 &&
    user.is_staff === 1 &&
    session.password_mark === hashOf(user.password)
  );
}

export async function endAdminSession(db: Database, id: number): Promise<void> {
  await db.deleteFrom('jotgate_admin_session').where('id', '=', id).execute();
}

/** Ends every session of some users: they were demoted, deactivated or given another password. */
export async function endAdminSessionsOf(db: Database, userIds: readonly number[]): Promise<void> {
  if (userIds.length === 0) return;
  await db.deleteFrom('jotgate_admin_session').where('user_id', 'in', userIds).execute();
}

/** After a change of one's own password: this session goes on with the new one, the user's others end. */
export async function keepOnlyAdminSession(
  db: Database,
  session: Pick<AdminSessionRow, 'id' | 'user_id'>,
  passwordHash: string,
): Promise<void> {
  await db
    .deleteFrom('jotgate_admin_session')
    .where('user_id', '=', session.user_id)
    .where('id', '!=', session.id)
    .execute();
  await db
    .updateTable('jotgate_admin_session')
    .set({ password_mark: hashOf(passwordHash) })
    .where('id', '=', session.id)
    .execute();
}

/** Removes the sessions whose time is over and that nobody came back with. */
export async function purgeAdminSessions(db: Database, limits: SessionLimits, now: Date): Promise<void> {
  const before = (seconds: number) => toSqlTime(new Date(now.getTime() - seconds * 1000));
  await db
    .deleteFrom('jotgate_admin_session')
    .where((where) =>
      where.or([
        where('last_seen_at', '<=', before(limits.idle)),
        where('created_at', '<=', before(limits.lifetime)),
      ]),
    )
    .execute();
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
