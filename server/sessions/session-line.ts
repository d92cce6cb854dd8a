import type { Database } from '../../db/statement.ts';
import { fromSqlTime } from '../../db/values.ts';

/** A point of a session's life. */
export interface Point {
  at: Date;
  kind: 'issued' | 'rotated' | 'grace' | 'reuse' | 'ended';
  /** The token it is about; empty for the end. */
  jti: string;
  /** From where; empty for the end, which may come from the admin. */
  address: string;
  userAgent: string;
  /** Why it ended. */
  reason: string;
}

/** The life of a session from its beginning: tokens issued and rotated, graces, tokens that came twice, its end. */
export async function sessionLine(db: Database, sessionId: number, limit = 500): Promise<Point[]> {
  const tokens = await db
    .selectFrom('jotgate_session_token')
    .selectAll()
    .where('session_id', '=', sessionId)
    .orderBy('id')
    .limit(limit)
    .execute();
  const incidents = await db
    .selectFrom('jotgate_session_incident')
    .selectAll()
    .where('session_id', '=', sessionId)
    .orderBy('id')
    .limit(limit)
    .execute();
  const session = await db
    .selectFrom('jotgate_session')
    .select(['ended_at', 'end_reason'])
    .where('id', '=', sessionId)
    .executeTakeFirst();
  const points: Point[] = [
    ...tokens.map((token) => ({
      at: fromSqlTime(token.issued_at),
      kind: token.predecessor_jti === null ? ('issued' as const) : ('rotated' as const),
      jti: token.jti,
      address: token.address,
      userAgent: token.user_agent,
      reason: '',
    })),
    ...incidents.map((incident) => ({
      at: fromSqlTime(incident.at),
      kind: incident.kind as 'grace' | 'reuse',
      jti: incident.jti,
      address: incident.address,
      userAgent: incident.user_agent,
      reason: '',
    })),
  ];
  points.sort((a, b) => a.at.getTime() - b.at.getTime());
  if (session?.ended_at) {
    const at = fromSqlTime(session.ended_at);
    points.push({ at, kind: 'ended', jti: '', address: '', userAgent: '', reason: session.end_reason });
  }
  return points;
}
