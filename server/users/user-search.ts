import { type RawBuilder, sql } from 'kysely';
import { type Condition, prefixRange } from '../../db/find-page.ts';
import { toSqlBoolean, toSqlTime } from '../../db/values.ts';

/** The periods of Django's date filter, in UTC. */
export const JOINED_PERIODS = {
  today: 'Today',
  past_7_days: 'Past 7 days',
  this_month: 'This month',
  this_year: 'This year',
} as const;

export type JoinedPeriod = keyof typeof JOINED_PERIODS;

const SEARCHED = ['username', 'first_name', 'last_name', 'email'] as const;

/**
 * That each word occurs in the name, a part of the full name or the address of a user, whatever its case. On a large
 * table words are looked for where a column begins, and an index finds them, else anywhere in it.
 */
export function searchUsers(words: readonly string[], isLarge: boolean): Condition[] {
  const test = isLarge ? prefixRange : contains;
  return words.map((word) => ({
    anyOf: SEARCHED.flatMap((column) =>
      spellingsOf(word).map((spelling) => test(sql`lower(${sql.ref(column)})`, spelling)),
    ),
    indexed: isLarge,
  }));
}

export function hasFlag(column: 'is_staff' | 'is_superuser' | 'is_active', value: boolean): Condition {
  return { anyOf: [sql`${sql.ref(column)} = ${toSqlBoolean(value)}`], indexed: true, by: sql.ref('id') };
}

export function isInGroup(id: number): Condition {
  const through = sql`select user_id from auth_user_groups where group_id = ${id}`;
  return {
    anyOf: [{ through, ids: (members) => members }],
    indexed: true,
    ofOneRow: sql`exists (select 1 from auth_user_groups where user_id = auth_user.id and group_id = ${id})`,
  };
}

/** @param now in whose day, month or year somebody joined */
export function joinedIn(period: JoinedPeriod, now: Date): Condition {
  const [from, until] = boundsOf(period, now);
  const joined = sql`(date_joined >= ${toSqlTime(from)} and date_joined < ${toSqlTime(until)})`;
  return { anyOf: [joined], indexed: true, by: sql.ref('date_joined') };
}

/**
 * A word as the database may see it in lower case: where its `lower` knows the letters of ASCII alone, a word with
 * others has several forms.
 */
function spellingsOf(word: string): string[] {
  const text = word.toWellFormed();
  const [first = ''] = text;
  const capitalized = first.toUpperCase() + text.slice(first.length);
  const forms = [text, text.toLowerCase(), text.toUpperCase(), capitalized];
  return [...new Set(forms.map((form) => form.replace(/[A-Z]/g, (letter) => letter.toLowerCase())))];
}

function contains(expression: RawBuilder<string>, text: string): RawBuilder<unknown> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return sql`${expression} like ${pattern} escape ${'\\'}`;
}

/** Django's DateFieldListFilter. */
function boundsOf(period: JoinedPeriod, now: Date): [from: Date, until: Date] {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const date = (y: number, m: number, d: number) => new Date(Date.UTC(y, m, d));
  const bounds: Record<JoinedPeriod, [Date, Date]> = {
    today: [date(year, month, day), date(year, month, day + 1)],
    past_7_days: [date(year, month, day - 7), date(year, month, day + 1)],
    this_month: [date(year, month, 1), date(year, month + 1, 1)],
    this_year: [date(year, 0, 1), date(year + 1, 0, 1)],
  };
  return bounds[period];
}
