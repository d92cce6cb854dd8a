import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Condition, findAllIds } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import type { EventRow } from '../../db/tables.ts';
import { fromSqlTime } from '../../db/values.ts';
import { type EventKindRow, kindRow, kindsOf, LOGIN_KINDS, REFUSED_LOGIN_KINDS } from './kinds.ts';
import { type Change, dayOf } from './record.ts';

/** An event as it is read. */
export interface EventView {
  id: number;
  at: Date;
  kind: string;
  label: string;
  tone: EventKindRow['tone'];
  via: string;
  actor: { id: number | null; name: string } | null;
  object: { type: string; id: string; name: string } | null;
  reason: string;
  changes: Change[];
  address: string;
  userAgent: string;
  count: number;
}

/** What happened on a day of UTC, `YYYY-MM-DD`. */
export interface DayCounts {
  day: string;
  logins: number;
  refusals: number;
}

/** Events in the order of their ids given. */
export async function eventsByIds(db: Database, ids: readonly number[]): Promise<EventView[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('jotgate_event').selectAll().where('id', 'in', ids).execute();
  const views = new Map(rows.map((row) => [row.id, viewOf(row)]));
  return ids.flatMap((id) => views.get(id) ?? []);
}

/**
 * What happened to an object, newest first.
 *
 * @param kinds those that count; all where nothing is said
 */
export async function objectEvents(
  db: Database,
  type: string,
  id: string,
  limit: number,
  kinds?: readonly string[],
): Promise<EventView[]> {
  const rows = await db
    .selectFrom('jotgate_event')
    .selectAll()
    .where('object_type', '=', type)
    .where('object_id', '=', id)
    .$if(kinds !== undefined, (query) => query.where('kind', 'in', kinds ?? []))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(viewOf);
}

/** What somebody changed, newest first. */
export async function recentChangesBy(db: Database, actorId: number, limit: number): Promise<EventView[]> {
  const rows = await db
    .selectFrom('jotgate_event')
    .selectAll()
    .where('actor_id', '=', actorId)
    .where('via', '=', 'admin')
    .where('kind', 'in', [...kindsOf('change'), ...kindsOf('token')])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(viewOf);
}

/** How often people came in and how often anything was refused, on each of the last days, oldest first. */
export async function dailyCounts(db: Database, days: number, now: Date): Promise<DayCounts[]> {
  const counts = await dailyKinds(db, days, now);
  const refusals = kindsOf('refusal');
  return counts.map(({ day, kinds }) => ({
    day,
    logins: sumOf(kinds, LOGIN_KINDS),
    refusals: sumOf(kinds, refusals),
  }));
}

/** How often a login was refused on each of the last days, oldest first and today last. */
export async function dailyRefusedLogins(db: Database, days: number, now: Date): Promise<number[]> {
  const counts = await dailyKinds(db, days, now);
  return counts.map(({ kinds }) => sumOf(kinds, REFUSED_LOGIN_KINDS));
}

type KindCounts = ReadonlyMap<string, number>;

async function dailyKinds(
  db: Database,
  days: number,
  now: Date,
): Promise<{ day: string; kinds: KindCounts }[]> {
  const today = now.getTime() / 1000;
  const names = Array.from({ length: days }, (_, index) => dayOf(today - (days - 1 - index) * 86_400));
  const rows = await db
    .selectFrom('jotgate_event_day')
    .selectAll()
    .where('day', '>=', names[0] ?? '')
    .execute();
  return names.map((day) => ({
    day,
    kinds: new Map(rows.filter((row) => row.day === day).map(({ kind, count }) => [kind, Number(count)])),
  }));
}

function sumOf(counts: KindCounts, kinds: readonly string[]): number {
  return kinds.reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);
}

/** Every event that fits, in the order in which they happened: texts of JSON Lines, some hundred lines each. */
export async function* exportEvents(db: Database, conditions: readonly Condition[]): AsyncGenerator<string> {
  for await (const ids of findAllIds(db, { table: 'jotgate_event', conditions, order: [] })) {
    const events = await eventsByIds(db, ids);
    yield events.map((event) => `${JSON.stringify(exported(event))}\n`).join('');
    await nextTurn();
  }
}

/** The members of a line. A label is for people and may change; the kind is what programs go by. */
function exported({
  id,
  at,
  kind,
  via,
  actor,
  object,
  reason,
  changes,
  address,
  userAgent,
  count,
}: EventView) {
  const time = at.toISOString();
  return { id, at: time, kind, via, actor, object, reason, changes, address, user_agent: userAgent, count };
}

function viewOf(row: EventRow): EventView {
  const { label, tone } = kindRow(row.kind);
  const hasActor = row.actor_id !== null || row.actor_name !== '';
  return {
    id: row.id,
    at: fromSqlTime(row.at),
    kind: row.kind,
    label,
    tone,
    via: row.via,
    actor: hasActor ? { id: row.actor_id, name: row.actor_name } : null,
    object:
      row.object_type === '' ? null : { type: row.object_type, id: row.object_id, name: row.object_name },
    reason: row.reason,
    changes: changesOf(row.changes),
    address: row.address,
    userAgent: row.user_agent,
    count: row.count,
  };
}

/** What a row says was changed. A damaged one, which none of our programs writes, says nothing. */
function changesOf(json: string): Change[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter(isChange) : [];
  } catch {
    return [];
  }
}

function isChange(value: unknown): value is Change {
  const { field, before, after } = (value ?? {}) as Record<string, unknown>;
  const isText = (text: unknown) => text === null || typeof text === 'string';
  return typeof field === 'string' && isText(before) && isText(after);
}
