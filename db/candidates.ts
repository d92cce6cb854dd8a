import { type RawBuilder, sql } from 'kysely';
import { byDialect } from './by-dialect.ts';
import type { Condition, Order, PagedTable, Search } from './find-page.ts';
import type { Database } from './statement.ts';

/** A query of ids. */
type Ids = RawBuilder<unknown>;

/** Which of a search's conditions it best starts from, and what fits that one. */
export interface Start {
  condition: Condition;
  ids: Ids;
}

/** Beyond this many conditions the rest is asked of single rows alone: counting takes time as well. */
const MOST_COUNTED = 6;

/** So few that it is not worth while to count on. */
const FEW = 100;

/**
 * Runs a search, over the whole table or over some rows of it.
 *
 * @param among which rows are looked at; all where nothing is said
 */
export async function pickIds(db: Database, search: Search, limit: number, among?: Ids): Promise<number[]> {
  const query = among === undefined ? ofAll(search) : ofSome(search, among);
  const { rows } = await sql<{ id: number }>`${query} limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

function ofAll({ table, conditions, order }: Search): Ids {
  const where = conditions.length === 0 ? sql`` : sql`where ${allOf(conditions.map(asked))}`;
  return sql`select id from ${sql.table(table)} ${where} order by ${terms(order)}`;
}

/**
 * Some rows are looked up by their ids, one after the other: some thousand, of however many. Postgres would rather go
 * through them all, unless each is a query of its own.
 */
function ofSome({ table, conditions, order }: Search, among: Ids): Ids {
  const rows = sql.table(table);
  const named = order.map(({ by, descending }, index) => ({
    by,
    term: { by: sql.ref(`term${index}`), descending },
  }));
  const columns = sql.join([sql`id`, ...named.map(({ by, term }) => sql`${by} as ${term.by}`)]);
  const where = (first: RawBuilder<unknown>) => allOf([first, ...conditions.map(holds)]);
  return byDialect({
    sqlite: sql`select id from ${rows} where ${where(sql`id in (${among})`)} order by ${terms(order)}`,
    postgres: sql`select candidate.id from (${among}) as given (given_id) cross join lateral (
      select ${columns} from ${rows} where ${where(sql`id = given_id`)} limit 1
    ) as candidate order by ${terms(named.map(({ term }) => term))}`,
  });
}

function allOf(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql.join([...conditions], sql` and `);
}

/**
 * The indexed condition that fewest rows fit, or one that very few do.
 *
 * @returns null where more than `most` rows fit each of them, or there is none
 */
export async function rarest(db: Database, search: Search, most: number): Promise<Start | null> {
  let best: (Start & { count: number }) | null = null;
  for (const condition of search.conditions.filter(({ indexed }) => indexed).slice(0, MOST_COUNTED)) {
    const limit: number = best?.count ?? most + 1;
    const count = await countFitting(db, search.table, condition, limit);
    if (count < limit) best = { condition, count, ids: fitting(search.table, condition, limit) };
    if (best !== null && best.count <= FEW) break;
  }
  return best;
}

/**
 * How many rows fit a condition, up to a limit. Each way is counted first, by itself: what is common is so in one of
 * them or in most, and then they need not be brought together.
 */
async function countFitting(
  db: Database,
  table: PagedTable,
  condition: Condition,
  limit: number,
): Promise<number> {
  let sum = 0;
  for (const way of condition.anyOf) {
    if ('through' in way && (await count(db, firstOf(way.through, limit))) === limit) return limit;
    const found = await count(db, fitting(table, { anyOf: [way] }, limit));
    if (found === limit || condition.anyOf.length === 1) return found;
    sum += found;
    if (sum > 2 * limit) return limit;
  }
  return count(db, fitting(table, condition, limit));
}

async function count(db: Database, ids: Ids): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from (${ids}) as found`.execute(db);
  return Number(rows[0]?.count);
}

/** The first rows of a list, in its order, whatever they are. */
export function firstInOrder({ table, order }: Search, count: number): Ids {
  return sql`select id from ${sql.table(table)} order by ${terms(order)} limit ${count}`;
}

/**
 * Some rows that fit each indexed condition, as many of each way: those at that end of its index where the list
 * begins, if that can be told.
 *
 * @returns null where there is no such condition
 */
export function firstOfEach({ table, conditions, order }: Search, count: number): Ids | null {
  const indexed = conditions.filter((condition) => condition.indexed);
  if (indexed.length === 0) return null;
  const direction = sql.raw(order[0]?.descending ? 'desc' : 'asc');
  const ways = indexed.flatMap(({ anyOf, by }) => anyOf.map((way) => ({ way, by })));
  const each = Math.ceil(count / ways.length);
  return union(
    ways.map(({ way, by }) =>
      fitting(table, { anyOf: [way] }, each, by === undefined ? sql`` : sql`order by ${by} ${direction}`),
    ),
  );
}

/** Whether a table has more rows than that. */
export async function hasMoreThan(db: Database, table: PagedTable, count: number): Promise<boolean> {
  const { rows } = await sql`select 1 from ${sql.table(table)} limit 1 offset ${count}`.execute(db);
  return rows.length > 0;
}

/** A condition in a form that no index answers: what rows are looked at is settled, and no planner may think again. */
export function holds(condition: Condition): RawBuilder<unknown> {
  return sql`(${asked(condition)}) is true`;
}

function asked({ anyOf, ofOneRow }: Condition): RawBuilder<unknown> {
  const ways = anyOf.map((way) => ('through' in way ? sql`id in (${way.ids(way.through)})` : way));
  return ofOneRow ?? sql`(${sql.join(ways, sql` or `)})`;
}

/** What fits a condition, up to a number of rows, each way by its own index. */
function fitting(
  table: PagedTable,
  { anyOf }: Pick<Condition, 'anyOf'>,
  limit: number,
  order: RawBuilder<unknown> = sql``,
): Ids {
  const ways = anyOf.map((way) =>
    'through' in way
      ? firstOf(way.ids(firstOf(way.through, limit)), limit)
      : sql`select id from ${sql.table(table)} where ${way} ${order} limit ${limit}`,
  );
  return ways.length === 1 ? (ways[0] as Ids) : sql`${union(ways)} limit ${limit}`;
}

function firstOf(ids: Ids, limit: number): Ids {
  return sql`select * from (${ids}) as all_found limit ${limit}`;
}

function union(queries: readonly Ids[]): Ids {
  return sql.join(
    queries.map((query) => sql`select * from (${query}) as way`),
    sql` union `,
  );
}

function terms(order: readonly Order[]): RawBuilder<unknown> {
  const direction = ({ descending }: Order) => sql.raw(descending ? 'desc' : 'asc');
  const last = sql`id ${sql.raw(order[0]?.descending ? 'desc' : 'asc')}`;
  return sql.join([...order.map((one) => sql`${one.by} ${direction(one)}`), last]);
}
