import { type Database, statement } from '../../db/statement.ts';
import type { EventTable } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import { writeDjangoLog } from './django-log.ts';
import type { EventKind } from './kinds.ts';

/** By which way, by whom and from where something was done. */
export interface Origin {
  via: 'api' | 'admin' | 'command';
  /** Null where nobody was logged in. The id is null for one who has no account here, such as the system's user. */
  actor: { id: number | null; name: string } | null;
  address?: string;
  userAgent?: string;
}

/** A field, for people, and never a secret: a password is null or eight stars. */
export interface Change {
  field: string;
  before: string | null;
  after: string | null;
}

export interface NewEvent {
  kind: EventKind;
  origin: Origin;
  /** What it was done to, by the id of its row. A token's name is its jti. */
  object?: {
    type: 'user' | 'group' | 'outstandingtoken' | 'blacklistedtoken' | 'signingkey';
    id: string;
    name: string;
  };
  /** Of a refusal the code of its AppError, else what there is to say. */
  reason?: string;
  changes?: readonly Change[];
  /** How often it happened, where one row stands for several. */
  count?: number;
}

/** An event and when it happened, in seconds since the epoch. */
export interface TimedEvent {
  event: NewEvent;
  at: number;
}

/**
 * Records what happened, together with the change itself where `db` is its transaction: the rows of the history, the
 * counts of the day, and for a change made in the admin the row that Django's own admin shows.
 */
export async function recordEvents(db: Database, events: readonly NewEvent[], at: Date): Promise<void> {
  const timed = events.map((event) => ({ event, at: at.getTime() / 1000 }));
  await inTransaction(db, (trx) => recordTimedEvents(trx, timed));
}

/** As `recordEvents` in a transaction, for events of which each has its own time. Their order is kept. */
export async function recordTimedEvents(db: Database, events: readonly TimedEvent[]): Promise<void> {
  await insertRows(db, events.map(rowOf));
  await countDays(db, events);
  await writeDjangoLog(db, events);
}

type NewEventRow = Omit<EventTable, 'id'>;

const NOTHING: NewEventRow = {
  at: '',
  kind: '',
  via: '',
  actor_id: 0,
  actor_name: '',
  object_type: '',
  object_id: '',
  object_name: '',
  reason: '',
  changes: '',
  address: '',
  user_agent: '',
  count: 0,
};

const COLUMNS = Object.keys(NOTHING) as (keyof NewEventRow)[];

/**
 * How many rows one statement takes: few sizes, so that few statements are kept prepared, and none with more values
 * than a database binds.
 */
const INSERTS = [256, 32, 4, 1].map((size) => ({
  size,
  insert: statement((db) => db.insertInto('jotgate_event').values(Array<NewEventRow>(size).fill(NOTHING))),
}));

async function insertRows(db: Database, rows: readonly NewEventRow[]): Promise<void> {
  let done = 0;
  for (const { size, insert } of INSERTS) {
    for (; rows.length - done >= size; done += size) {
      const values = rows.slice(done, done + size).flatMap((row) => COLUMNS.map((column) => row[column]));
      await insert(db, ...values);
    }
  }
}

function rowOf({ event, at }: TimedEvent): NewEventRow {
  const { kind, origin, object, reason = '', changes = [], count = 1 } = event;
  return {
    at: toSqlTime(new Date(at * 1000)),
    kind,
    via: origin.via,
    actor_id: origin.actor?.id ?? null,
    actor_name: cut(origin.actor?.name ?? '', 150),
    object_type: object?.type ?? '',
    object_id: cut(object?.id ?? '', 255),
    object_name: cut(object?.name ?? '', 255),
    reason: cut(reason, 255),
    changes: changes.length === 0 ? '[]' : JSON.stringify(changes.map(withoutSecret)),
    address: cut(origin.address ?? '', 45),
    user_agent: cut(origin.userAgent ?? '', 255),
    count,
  };
}

/** As much of a text as a column holds; half a character at its end would be none. */
function cut(text: string, length: number): string {
  return (text.length > length ? text.slice(0, length) : text).toWellFormed();
}

/** The last line of defence: whoever calls has masked it already. */
function withoutSecret(change: Change): Change {
  if (!/password/i.test(change.field)) return change;
  const masked = (value: string | null) => (value === null ? null : '********');
  return { field: change.field, before: masked(change.before), after: masked(change.after) };
}

const countDay = statement((db) =>
  db
    .insertInto('jotgate_event_day')
    .values({ day: '', kind: '', count: 0 })
    .onConflict((conflict) =>
      conflict.columns(['day', 'kind']).doUpdateSet((set) => ({
        count: set('jotgate_event_day.count', '+', set.ref('excluded.count')),
      })),
    ),
);

async function countDays(db: Database, events: readonly TimedEvent[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const { event, at } of events) {
    const key = `${dayOf(at)} ${event.kind}`;
    counts.set(key, (counts.get(key) ?? 0) + (event.count ?? 1));
  }
  // In one order everywhere: two that count the same at once must not wait for each other.
  for (const [key, count] of [...counts].sort(([one], [other]) => (one < other ? -1 : 1))) {
    await countDay(db, key.slice(0, 10), key.slice(11), count);
  }
}

/** The day of UTC as `YYYY-MM-DD`. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
