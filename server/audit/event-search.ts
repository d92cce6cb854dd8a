import { type RawBuilder, sql } from 'kysely';
import { type Condition, prefixRange } from '../../db/find-page.ts';
import { toSqlTime } from '../../db/values.ts';
import { API_KINDS, EVENT_KINDS, type EventGroup, type EventKind, kindsOf } from './kinds.ts';

/** By what events can be ordered: their ids go with their times. */
export const EVENT_ORDER = sql.ref('id');

/** How far back one may look, in days of UTC before today. */
export const EVENT_PERIODS = { today: 0, past_7_days: 7, past_30_days: 30 } as const;

export type EventPeriod = keyof typeof EVENT_PERIODS;

const SEARCHED = [sql<string>`lower(actor_name)`, sql<string>`lower(object_name)`, sql<string>`address`];

/**
 * That each word is in the name of who acted or of what it was done to, or in the address: on a large table where it
 * begins, and an index finds it, else anywhere.
 */
export function searchEvents(words: readonly string[], isLarge: boolean): Condition[] {
  const test = isLarge ? prefixRange : contains;
  return words.map((word) => ({
    // SQLite's `lower` knows the letters of ASCII alone.
    anyOf: SEARCHED.map((text) =>
      test(
        text,
        word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      ),
    ),
    indexed: isLarge,
  }));
}

export function isOfKind(kind: EventKind): Condition {
  return { anyOf: [sql`kind = ${kind}`], indexed: true, by: EVENT_ORDER };
}

export function isInGroup(group: EventGroup): Condition {
  return isOneOf(kindsOf(group));
}

/**
 * By which way it came. What came by the rarer ways is none of the kinds that the API makes by the million, and
 * without saying so it could not be found among these.
 */
export function cameVia(via: 'api' | 'admin' | 'command'): Condition[] {
  const way = { anyOf: [sql`via = ${via}`], indexed: false };
  if (via === 'api') return [way];
  const kinds = Object.keys(EVENT_KINDS) as EventKind[];
  return [way, isOneOf(kinds.filter((kind) => !API_KINDS.includes(kind)))];
}

export function happenedIn(period: EventPeriod, now: Date): Condition {
  const midnight = Date.UTC(
    now.getUTCFullYear(),
    now.getUTCMonth(),
    now.getUTCDate() - EVENT_PERIODS[period],
  );
  return { anyOf: [sql`at >= ${toSqlTime(new Date(midnight))}`], indexed: true, by: sql.ref('at') };
}

function isOneOf(kinds: readonly EventKind[]): Condition {
  return {
    anyOf: kinds.map((kind) => sql`kind = ${kind}`),
    indexed: true,
    ofOneRow: sql`kind in (${sql.join(kinds)})`,
  };
}

function contains(expression: RawBuilder<string>, text: string): RawBuilder<unknown> {
  const pattern = `%${text.toWellFormed().replace(/[\\%_]/g, '\\$&')}%`;
  return sql`${expression} like ${pattern} escape ${'\\'}`;
}
