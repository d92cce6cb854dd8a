import { randomUUID } from 'node:crypto';
import { isPostgres } from '../../db/by-dialect.ts';
import { type Database, statement } from '../../db/statement.ts';
import type { SessionRow, SessionTokenRow } from '../../db/tables.ts';
import { toSqlTime } from '../../db/values.ts';

/** From where a request comes. */
export interface Client {
  address: string;
  /** The User-Agent header, as it was sent. */
  userAgent: string;
}

/** A token of a session, as far as its line goes. */
export interface LinkedToken {
  jti: string;
  expiresAt: Date;
}

/** A token and the session it belongs to. */
export interface Place {
  session: SessionRow;
  token: SessionTokenRow;
}

/** Why a session ended. */
export type EndReason = 'logout' | 'reuse' | 'revoked' | 'password';

const tokenByJti = statement((db) =>
  db.selectFrom('jotgate_session_token').selectAll().where('jti', '=', ''),
);

const sessionById = statement((db) => db.selectFrom('jotgate_session').selectAll().where('id', '=', 0));

const endOfSid = statement((db) => db.selectFrom('jotgate_session').select('ended_at').where('sid', '=', ''));

const insertSession = statement((db) =>
  db
    .insertInto('jotgate_session')
    .values({
      sid: '',
      user_id: 0,
      created_at: '',
      last_used_at: '',
      address: '',
      user_agent: '',
      ended_at: '',
      end_reason: '',
    })
    .returningAll(),
);

const insertToken = statement((db) =>
  db
    .insertInto('jotgate_session_token')
    .values({
      ...{ jti: '', session_id: 0, predecessor_jti: '', issued_at: '', expires_at: '' },
      ...{ address: '', user_agent: '', rotated_at: '', successor_jti: '' },
    })
    .onConflict((conflict) => conflict.column('jti').doNothing()),
);

const lockByJti = statement((db) =>
  db
    .selectFrom('jotgate_session')
    .select('id')
    .where('id', '=', (eb) =>
      eb.selectFrom('jotgate_session_token').select('session_id').where('jti', '=', ''),
    )
    .forUpdate(),
);

const noteUse = statement((db) =>
  db
    .updateTable('jotgate_session')
    .set({ last_used_at: '', address: '', user_agent: '' })
    .where('id', '=', 0)
    .where('ended_at', 'is', null),
);

const noteRotation = statement((db) =>
  db
    .updateTable('jotgate_session_token')
    .set({ rotated_at: '', successor_jti: '' })
    .where('jti', '=', '')
    .where('rotated_at', 'is', null),
);

/** The id of a session to be: what its tokens say in their `sid` claim. */
export function newSid(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * Begins a session with its first token.
 *
 * @returns the session that the token belongs to already, where somebody else began one with it at the same time
 */
export async function startSession(
  db: Database,
  { sid, userId, first, client }: { sid: string; userId: number; first: LinkedToken; client: Client },
  now: Date,
): Promise<SessionRow> {
  const at = toSqlTime(now);
  const { address, userAgent } = shortened(client);
  const { rows } = await insertSession(db, sid, userId, at, at, address, userAgent, null, '');
  const session = rows[0] as SessionRow;
  if (await linkToken(db, session, null, first, client, now)) return session;
  await db.deleteFrom('jotgate_session').where('id', '=', session.id).execute();
  return ((await findPlace(db, first.jti)) as Place).session;
}

/** Where in which session a token stands; null for one that no session knows, such as a token that Django made. */
export async function findPlace(db: Database, jti: string): Promise<Place | null> {
  const token = (await tokenByJti(db, jti)).rows[0];
  if (token === undefined) return null;
  const session = (await sessionById(db, token.session_id)).rows[0];
  return session === undefined ? null : { session, token };
}

/**
 * Keeps the session of a token from being ended or used by others until the transaction ends, and waits for whoever does
 * so now. It comes before the token is revoked, as it does for whoever ends the session: else each waits for the other.
 */
export async function lockSessionOf(trx: Database, jti: string): Promise<void> {
  if (isPostgres(trx)) await lockByJti(trx, jti);
}

/** Whether the session of a `sid` claim goes on: it is known and was not ended. */
export async function isSessionAlive(db: Database, sid: string): Promise<boolean> {
  const row = (await endOfSid(db, sid)).rows[0];
  return row !== undefined && row.ended_at === null;
}

/**
 * Records that a token of a session was followed by another, unless the session is over. Of one that is followed by
 * several, as it can be where rotation does not blacklist, the first counts as its successor.
 *
 * @returns false for a session that is over: the token that followed must not be given out
 */
export async function recordRotation(
  db: Database,
  session: SessionRow,
  { jti, successor, client }: { jti: string; successor: LinkedToken; client: Client },
  now: Date,
): Promise<boolean> {
  // First: this takes the row of the session, for which whoever ends it at the same time then waits, or the reverse.
  if (!(await recordUse(db, session.id, client, now))) return false;
  await noteRotation(db, toSqlTime(now), successor.jti, jti);
  await linkToken(db, session, jti, successor, client, now);
  return true;
}

/** Records when and from where a session was used last. Says whether it goes on. */
export async function recordUse(
  db: Database,
  sessionId: number,
  client: Client,
  now: Date,
): Promise<boolean> {
  const { address, userAgent } = shortened(client);
  const { numAffectedRows } = await noteUse(db, toSqlTime(now), address, userAgent, sessionId);
  return numAffectedRows === 1n;
}

/** Records a grace that was used, or a token that was used twice. */
export async function recordIncident(
  db: Database,
  { session, token }: Place,
  kind: 'grace' | 'reuse',
  client: Client,
  now: Date,
): Promise<void> {
  const { address, userAgent } = shortened(client);
  await db
    .insertInto('jotgate_session_incident')
    .values({
      session_id: session.id,
      at: toSqlTime(now),
      kind,
      jti: token.jti,
      address,
      user_agent: userAgent,
    })
    .execute();
}

/** @returns whether the token was in no session yet */
async function linkToken(
  db: Database,
  session: SessionRow,
  predecessor: string | null,
  { jti, expiresAt }: LinkedToken,
  client: Client,
  now: Date,
): Promise<boolean> {
  const { address, userAgent } = shortened(client);
  const at = toSqlTime(now);
  const { numAffectedRows } = await insertToken(
    db,
    jti,
    session.id,
    predecessor,
    at,
    toSqlTime(expiresAt),
    address,
    userAgent,
    null,
    null,
  );
  return numAffectedRows === 1n;
}

/** Cut to what the columns hold. */
function shortened({ address, userAgent }: Client): Client {
  return { address: address.slice(0, 45), userAgent: userAgent.slice(0, 255) };
}

/**
 * Says of sessions that they are over. Their tokens are not touched: that is for whoever ends them.
 *
 * @returns those that this call ended
 */
export async function markEnded(
  db: Database,
  ids: readonly number[],
  reason: EndReason,
  now: Date,
): Promise<Pick<SessionRow, 'id' | 'sid' | 'user_id'>[]> {
  if (ids.length === 0) return [];
  return db
    .updateTable('jotgate_session')
    .set({ ended_at: toSqlTime(now), end_reason: reason })
    .where('id', 'in', ids)
    .where('ended_at', 'is', null)
    .returning(['id', 'sid', 'user_id'])
    .execute();
}

/** Says of all sessions of a user that they are over. */
export async function markEndedOf(db: Database, userId: number, reason: EndReason, now: Date): Promise<void> {
  await db
    .updateTable('jotgate_session')
    .set({ ended_at: toSqlTime(now), end_reason: reason })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
}

/** Takes back that sessions are over: tokens of theirs were taken off the blacklist. */
export async function resumeSessionsOf(db: Database, jtis: readonly string[]): Promise<void> {
  if (jtis.length === 0) return;
  await db
    .updateTable('jotgate_session')
    .set({ ended_at: null, end_reason: '' })
    .where('id', 'in', (eb) =>
      eb.selectFrom('jotgate_session_token').select('session_id').where('jti', 'in', jtis),
    )
    .execute();
}
