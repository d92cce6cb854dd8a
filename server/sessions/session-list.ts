import type { Database } from '../../db/statement.ts';
import type { SessionRow } from '../../db/tables.ts';
import { fromSqlTime, toSqlTime } from '../../db/values.ts';
import type { EndReason } from './sessions.ts';

/** A session as people see it. */
export interface SessionView {
  id: number;
  sid: string;
  userId: number;
  startedAt: Date;
  lastUsedAt: Date;
  /** Where it was used last. */
  address: string;
  userAgent: string;
  /** Until when its newest token is good; null where all of its tokens are forgotten. */
  expiresAt: Date | null;
  endedAt: Date | null;
  endReason: EndReason | null;
  isAlive: boolean;
}

/** The sessions of a user, those used last first. */
export async function sessionsOf(
  db: Database,
  userId: number,
  now: Date,
  { aliveOnly = false, limit = 200 }: { aliveOnly?: boolean; limit?: number } = {},
): Promise<SessionView[]> {
  const rows = await selectSessions(db)
    .where('user_id', '=', userId)
    .$if(aliveOnly, (query) =>
      query
        .where('ended_at', 'is', null)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom('jotgate_session_token as token')
              .select('token.id')
              .whereRef('token.session_id', '=', 'jotgate_session.id')
              .where('token.expires_at', '>', toSqlTime(now)),
          ),
        ),
    )
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => viewOf(row, now));
}

/** Sessions by their ids, in the order of these. */
export async function sessionsByIds(db: Database, ids: readonly number[], now: Date): Promise<SessionView[]> {
  if (ids.length === 0) return [];
  const rows = await selectSessions(db).where('id', 'in', ids).execute();
  const views = new Map(rows.map((row) => [row.id, viewOf(row, now)]));
  return ids.flatMap((id) => views.get(id) ?? []);
}

/** A session by what its tokens call it; null where there is none. */
export async function findSession(db: Database, sid: string, now: Date): Promise<SessionView | null> {
  const row = await selectSessions(db).where('sid', '=', sid).executeTakeFirst();
  return row === undefined ? null : viewOf(row, now);
}

function selectSessions(db: Database) {
  return db
    .selectFrom('jotgate_session')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('jotgate_session_token')
        .select((inner) => inner.fn.max('expires_at').as('latest'))
        .whereRef('session_id', '=', 'jotgate_session.id')
        .as('expires_at'),
    );
}

function viewOf(row: SessionRow & { expires_at: string | null }, now: Date): SessionView {
  const expiresAt = row.expires_at === null ? null : fromSqlTime(row.expires_at);
  return {
    id: row.id,
    sid: row.sid,
    userId: row.user_id,
    startedAt: fromSqlTime(row.created_at),
    lastUsedAt: fromSqlTime(row.last_used_at),
    address: row.address,
    userAgent: row.user_agent,
    expiresAt,
    endedAt: row.ended_at === null ? null : fromSqlTime(row.ended_at),
    endReason: row.ended_at === null ? null : (row.end_reason as EndReason),
    isAlive: row.ended_at === null && expiresAt !== null && expiresAt > now,
  };
}
