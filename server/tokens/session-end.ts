import { sql } from 'kysely';
import { inBatches } from '../../db/batches.ts';
import type { Database } from '../../db/statement.ts';
import type { SessionRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import { type NewEvent, type Origin, recordEvents } from '../audit/record.ts';
import { type EndReason, findPlace, markEnded } from '../sessions/sessions.ts';
import { namesOfUsers } from '../users/users.ts';

/** Why and by whom sessions are ended. */
export interface Ending {
  reason: EndReason;
  /** For the history; null where another event says it already. */
  origin: Origin | null;
}

/**
 * Ends sessions: every live token of them goes onto the blacklist, and where CHECK_SESSION is on their access tokens
 * die as well. A rotation that runs at the same time either comes first, and its successor dies too, or finds its
 * session over.
 *
 * @returns how many sessions this call ended
 */
export async function endSessions(
  db: Database,
  ids: readonly number[],
  { reason, origin }: Ending,
  now: Date,
): Promise<number> {
  return inTransaction(db, async (trx) => {
    let count = 0;
    for (const batch of inBatches(ids)) {
      const ended = await markEnded(trx, batch, reason, now);
      if (ended.length === 0) continue;
      await blacklistTokensOf(trx, ended, now);
      if (origin !== null) await recordEvents(trx, await eventsOf(trx, ended, reason, origin), now);
      count += ended.length;
    }
    return count;
  });
}

async function blacklistTokensOf(
  db: Database,
  sessions: readonly { id: number }[],
  now: Date,
): Promise<void> {
  const ids = sessions.map(({ id }) => id);
  await sql`
    insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
    select ${toSqlTime(now)}, id from token_blacklist_outstandingtoken
    where jti in (select jti from jotgate_session_token where session_id in (${sql.join(ids)}))
      and expires_at > ${toSqlTime(now)}
    on conflict (token_id) do nothing`.execute(db);
}

async function eventsOf(
  db: Database,
  sessions: readonly Pick<SessionRow, 'sid' | 'user_id'>[],
  reason: EndReason,
  origin: Origin,
): Promise<NewEvent[]> {
  const ids = [...new Set(sessions.map((session) => session.user_id))];
  const names = await namesOfUsers(db, ids);
  return sessions.map((session) => ({
    kind: reason === 'reuse' ? ('session_reused' as const) : ('session_ended' as const),
    origin,
    reason,
    object: { type: 'user' as const, id: String(session.user_id), name: names.get(session.user_id) ?? '' },
    changes: [{ field: 'Session', before: session.sid, after: null }],
  }));
}

/** Ends the session of a token that was revoked, if no other token of it is alive. */
export async function endIfDead(db: Database, jti: string, ending: Ending, now: Date): Promise<void> {
  const place = await findPlace(db, jti);
  if (place === null || (await hasLiveToken(db, place.session.id, now))) return;
  await endSessions(db, [place.session.id], ending, now);
}

/** Whether a session has a token that is neither expired nor revoked. */
async function hasLiveToken(db: Database, sessionId: number, now: Date): Promise<boolean> {
  const { rows } = await sql`
    select outstanding.id from jotgate_session_token as token
    join token_blacklist_outstandingtoken as outstanding on outstanding.jti = token.jti
    where token.session_id = ${sessionId} and outstanding.expires_at > ${toSqlTime(now)}
      and not exists (
        select 1 from token_blacklist_blacklistedtoken where token_id = outstanding.id
      )
    limit 1`.execute(db);
  return rows.length > 0;
}
