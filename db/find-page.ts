import { type RawBuilder, sql } from 'kysely';
import { byDialect } from './by-dialect.ts';
import { firstInOrder, firstOfEach, hasMoreThan, holds, pickIds, rarest } from './candidates.ts';
import type { Database } from './statement.ts';

/** How far a list reaches, up to where it is counted, and how many rows fit what is not common. */
export const REACH = 10_000;

/**
 * Where all conditions are common, so many times the reach is looked through from the head of the list: the whole
 * reach may be found there. Some 25 ms, where the table lies in the system's cache.
 */
const AHEAD = 1.2;

/** And so many times the reach of what fits the conditions, wherever in the list it is; of one alone, the reach. */
const FURTHER = 0.5;

/** How many rows are looked at before the event loop may turn. */
const STRIDE = 10_000;

/** How many ids `findAllIds` gives at once. */
const CHUNK = 1_000;

/** One thing that is asked of each row. Fragments name the table's columns without an alias. */
export interface Condition {
  /** One of these must hold, at least. */
  anyOf: readonly (RawBuilder<unknown> | Through)[];
  /** Whether an index answers each of them. Where none does, no search starts from this condition. */
  indexed: boolean;
  /** The same, as it is best asked of a single row; `anyOf` where nothing is said. */
  ofOneRow?: RawBuilder<unknown>;
  /** What the index that answers any of `anyOf` has the rows sorted by: `id` where they are equations. */
  by?: RawBuilder<unknown>;
}

/**
 * That a row belongs to rows of another table. Of many neither side is gone through to its end, so this tells which
 * rows fit but not that others do not: the condition says `ofOneRow` as well.
 */
export interface Through {
  /** A query of the other table's ids: `select id from auth_user where …`. */
  through: RawBuilder<unknown>;
  /** A query of this table's ids, each given once, made of the one above. */
  ids(others: RawBuilder<unknown>): RawBuilder<unknown>;
}

export interface Order {
  /**
   * On a large table an index must have it. What is null goes before everything else on SQLite and after it on Postgres,
   * and the reverse where it descends, as in Django's lists on each: said otherwise, no index of Postgres would answer.
   */
  by: RawBuilder<unknown>;
  descending: boolean;
}

export type PagedTable =
  | 'auth_user'
  | 'auth_group'
  | 'token_blacklist_outstandingtoken'
  | 'token_blacklist_blacklistedtoken'
  | 'jotgate_event'
  | 'jotgate_session';

export interface Search {
  table: PagedTable;
  /** Each must hold. */
  conditions: readonly Condition[];
  /** Of a large table the first alone counts. What is alike goes by id, in the direction of the first. */
  order: readonly Order[];
}

export interface PageRequest extends Search {
  /** From 1. */
  page: number;
  /** Rows on a page. */
  size: number;
}

export interface FoundPage {
  ids: number[];
  /** At most REACH. */
  total: number;
  /** There are more than `total`. */
  isMore: boolean;
  /** So many fit each condition that not all were looked through: there may be more, also in between. */
  isPartial: boolean;
  /** The page that was asked for, or the last one there is. */
  page: number;
  /** At least 1. */
  pageCount: number;
}

/**
 * Finds one page of a list that may be very long, in a time that does not grow with the list. Of a table that is not
 * large everything is exact. Of a large one, what fits the rarest condition is looked through, unless that is common;
 * else as many rows as may be looked at, from the head of the list and of what fits each condition.
 *
 * @param reach smaller in tests
 */
export async function findPage(db: Database, request: PageRequest, reach = REACH): Promise<FoundPage> {
  const { ids, isPartial } = await findIds(db, request, reach);
  const total = Math.min(ids.length, reach);
  const pageCount = Math.max(1, Math.ceil(total / request.size));
  const page = Math.min(Math.max(1, Math.trunc(request.page) || 1), pageCount);
  const [only, ...others] = request.conditions;
  const isCommon = isPartial && only?.indexed === true && others.length === 0;
  return {
    ids: ids.slice((page - 1) * request.size, Math.min(total, page * request.size)),
    total,
    isMore: ids.length > reach || isCommon,
    isPartial,
    page,
    pageCount,
  };
}

/** In order, and one more than the reach where there are more. */
async function findIds(
  db: Database,
  search: Search,
  reach: number,
): Promise<{ ids: number[]; isPartial: boolean }> {
  const limit = reach + 1;
  const exactly = async (ids: Promise<number[]>) => ({ ids: await ids, isPartial: false });
  if (!(await hasMoreThan(db, search.table, reach))) return exactly(pickIds(db, search, limit));
  const { table, conditions, order } = search;
  const indexable = { table, conditions, order: order.slice(0, 1) };
  if (conditions.length === 0) return exactly(pickIds(db, indexable, limit));
  const start = await rarest(db, search, reach);
  if (start !== null) {
    const others = conditions.filter((condition) => condition !== start.condition);
    return exactly(pickIds(db, { ...indexable, conditions: others }, limit, start.ids));
  }
  const ahead = await pickIds(db, indexable, limit, firstInOrder(indexable, Math.ceil(reach * AHEAD)));
  if (ahead.length > reach) return { ids: ahead, isPartial: false };
  const isOne = conditions.length === 1;
  const further = firstOfEach(indexable, Math.ceil(isOne ? reach : reach * FURTHER));
  // What comes of the only condition fits it.
  const left = isOne ? [] : conditions;
  const behind =
    further === null ? [] : await pickIds(db, { ...indexable, conditions: left }, limit, further);
  // Whatever is not among the first rows of the list comes after all that are.
  return { ids: [...new Set([...ahead, ...behind])].slice(0, limit), isPartial: true };
}

/**
 * Everything that a search finds, however much that is: in the order of id, in chunks of 1,000. A row that comes or
 * goes meanwhile is given once or not at all. Between two chunks the event loop turns.
 */
export async function* findAllIds(
  db: Database,
  search: Omit<PageRequest, 'page' | 'size'>,
  reach = REACH,
): AsyncGenerator<number[]> {
  const { table, conditions } = search;
  let waiting: number[] = [];
  for await (const ids of stride(db, { table, conditions, order: [] }, reach)) {
    waiting.push(...ids);
    for (; waiting.length >= CHUNK; waiting = waiting.slice(CHUNK)) {
      yield waiting.slice(0, CHUNK);
      // Whoever asks for more has worked with these in between, and a database like SQLite never lets go by itself.
      await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
  }
  if (waiting.length > 0) yield waiting;
}

/** As `findAllIds`, as much as one query finds at a time. */
async function* stride(db: Database, search: Search, reach: number): AsyncGenerator<number[]> {
  const { table, conditions } = search;
  const start = await rarest(db, search, reach);
  if (start !== null) {
    const others = conditions.filter((condition) => condition !== start.condition);
    yield await pickIds(db, { ...search, conditions: others }, reach, start.ids);
    return;
  }
  const rows = sql.table(table);
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const step = sql`select id from ${rows} where id > ${after} order by id limit ${Math.min(STRIDE, reach)}`;
    const end = await sql<{ last: number | null }>`select max(id) as last from (${step}) as step`.execute(db);
    const last = end.rows[0]?.last ?? null;
    if (last === null) return;
    const within = sql`id > ${after} and id <= ${last}`;
    const found = await sql<{ id: number }>`
      select id from ${rows} where ${sql.join([within, ...conditions.map(holds)], sql` and `)} order by id`.execute(
      db,
    );
    yield found.rows.map(({ id }) => id);
    after = last;
  }
}

/** Whether a table has more than REACH rows. */
export function isLarge(db: Database, table: PagedTable): Promise<boolean> {
  return hasMoreThan(db, table, REACH);
}

/**
 * That a text begins with a prefix, as a range: an index on the expression answers it. Texts go by code points, as
 * UTF-8 does byte by byte; a half of a surrogate pair counts as U+FFFD, which is what the database is given for it.
 */
export function prefixRange(expression: RawBuilder<string>, prefix: string): RawBuilder<unknown> {
  const start = prefix.toWellFormed();
  const pattern = `${start.replace(/[\\%_]/g, '\\$&')}%`;
  return byDialect({ sqlite: range(expression, start), postgres: sql`${expression} like ${pattern}` });
}

function range(expression: RawBuilder<string>, start: string): RawBuilder<unknown> {
  const end = successor(start);
  if (end === null) return sql`${expression} >= ${start}`;
  return sql`(${expression} >= ${start} and ${expression} < ${end})`;
}

/** The first text after all that begin with this one; null where there is none. */
function successor(prefix: string): string | null {
  const points = [...prefix].map((character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  // Surrogates are no characters: between U+D7FF and U+E000 there is none.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}
