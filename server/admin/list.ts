import type { RawBuilder } from 'kysely';
import {
  type Condition,
  type FoundPage,
  findPage,
  isLarge,
  type Order,
  type PagedTable,
} from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';

/** One cell of a row. */
export type Cell =
  | { text: string; href?: string; code?: true }
  | { flag: boolean }
  | { time: Date | null; href?: string }
  | { badge: string; tone: 'good' | 'bad' | 'neutral' }
  /** A template of its own below views/admin/partials/, which shows the row. */
  | { partial: string; row: unknown };

export interface Column<Row> {
  label: string;
  /** By what the list is ordered when the column's head is clicked; without it, it cannot be. */
  order?: RawBuilder<unknown>;
  cell(row: Row): Cell;
}

/** A group of links beside a list, each of which narrows it. */
export interface Filter {
  /** Its parameter in the address. */
  param: string;
  /** As the end of "By …". */
  label: string;
  /** Without the one for all, which is the absence of the parameter. */
  options: readonly { value: string; label: string }[];
  condition(value: string): Condition | readonly Condition[];
}

/** What can be done with the rows that were ticked. */
export interface BulkAction {
  value: string;
  label: string;
}

/** A list of the admin: from it come the page's head, search, filters, table, order and pages. */
export interface List<Row extends { id: number }> {
  table: PagedTable;
  /** "user", "users": what stands in "3 users". */
  nouns: readonly [one: string, many: string];
  columns: readonly Column<Row>[];
  /** In what order it comes when nobody asks for another. */
  defaultOrder: readonly Order[];
  filters: readonly Filter[];
  search?: {
    /** What is searched, for people. */
    help: string;
    /** A condition for each word that was typed. On a large table it must be one that an index answers. */
    conditions(words: readonly string[], large: boolean): Condition[] | Promise<Condition[]>;
  };
  load(db: Database, ids: readonly number[]): Promise<Row[]>;
  /** Rows a page, where they are so long that PAGE_SIZE of them would weigh too much. */
  pageSize?: number;
}

/** Rows a page, as Django's `list_per_page`. */
export const PAGE_SIZE = 100;

/** The parameters of Django's lists: search, order and page. */
const SEARCH = 'q';
const ORDER = 'o';
const PAGE = 'p';

/** What a list's template shows. */
export interface ListView {
  found: Omit<FoundPage, 'ids'>;
  /** "3 users", "more than 10,000 users". */
  count: string;
  head: readonly HeadCell[];
  rows: readonly { id: number; cells: readonly Cell[] }[];
  search: { name: string; value: string; help: string; kept: readonly (readonly [string, string])[] } | null;
  filters: readonly { label: string; options: readonly { label: string; href: string; chosen: boolean }[] }[];
  isFiltered: boolean;
  clearHref: string;
  pages: readonly { label: string; href: string | null }[];
  /** The query string as it is, with its question mark or empty, for links that keep it. */
  query: string;
}

interface HeadCell {
  label: string;
  /** Null where it cannot be ordered by. */
  href: string | null;
  sorted: 'ascending' | 'descending' | null;
}

/** The rows of a list that its address asks for, and everything its template shows around them. */
export async function listView<Row extends { id: number }>(
  db: Database,
  list: List<Row>,
  query: URLSearchParams,
): Promise<ListView> {
  const order = orderOf(list, query);
  const { ids, ...found } = await findPage(db, {
    table: list.table,
    conditions: await listConditions(db, list, query),
    order: order.length > 0 ? order.map(({ order: one }) => one) : list.defaultOrder,
    page: Number(query.get(PAGE) ?? 1),
    size: list.pageSize ?? PAGE_SIZE,
  });
  const rows = await list.load(db, ids);
  return {
    found,
    count: countText(list.nouns, found),
    head: list.columns.map((column, index) => headCell(column, index + 1, order, query)),
    rows: rows.map((row) => ({ id: row.id, cells: list.columns.map(({ cell }) => cell(row)) })),
    search: list.search === undefined ? null : searchView(list.search.help, query),
    filters: list.filters.map((filter) => filterView(filter, query)),
    isFiltered: isFiltered(list, query),
    clearHref: withParams(query, { [SEARCH]: null, [PAGE]: null, ...cleared(list) }),
    pages: pageLinks(found, query),
    query: queryText(query),
  };
}

/** What a list's address asks of each row: for its page, and for exports of all that is found. */
export async function listConditions<Row extends { id: number }>(
  db: Database,
  list: List<Row>,
  query: URLSearchParams,
): Promise<Condition[]> {
  const words = (query.get(SEARCH) ?? '').split(/\s+/).filter((word) => word !== '');
  const searched =
    list.search === undefined || words.length === 0
      ? []
      : await list.search.conditions(words.slice(0, 10), await isLarge(db, list.table));
  const filtered = list.filters.flatMap((filter) => {
    const value = chosenValue(filter, query);
    return value === null ? [] : filter.condition(value);
  });
  return [...searched, ...filtered];
}

/** The option of a filter that an address chooses; what it does not offer counts as none. */
function chosenValue({ param, options }: Filter, query: URLSearchParams): string | null {
  const value = query.get(param);
  return options.some((option) => option.value === value) ? value : null;
}

interface ChosenOrder {
  column: number;
  order: Order;
}

/** Django's `?o=1.-2`: columns by number from 1, the first is the most important, a minus turns one around. */
function orderOf<Row extends { id: number }>({ columns }: List<Row>, query: URLSearchParams): ChosenOrder[] {
  const terms = (query.get(ORDER) ?? '').split('.').flatMap((text): ChosenOrder[] => {
    const [, minus, digits] = /^(-?)(\d{1,3})$/.exec(text) ?? [];
    const by = columns[Number(digits) - 1]?.order;
    return by === undefined ? [] : [{ column: Number(digits), order: { by, descending: minus === '-' } }];
  });
  return terms.filter(({ column }, index) => terms.findIndex((term) => term.column === column) === index);
}

/** A click makes the column the first to order by, or turns it around where it is that already. */
function headCell<Row>(
  { label, order }: Column<Row>,
  number: number,
  chosen: readonly ChosenOrder[],
  query: URLSearchParams,
): HeadCell {
  if (order === undefined) return { label, href: null, sorted: null };
  const [first] = chosen;
  const current = first?.column === number ? (first.order.descending ? 'descending' : 'ascending') : null;
  const others = chosen.filter(({ column }) => column !== number).slice(0, 2);
  const terms = [
    `${current === 'ascending' ? '-' : ''}${number}`,
    ...others.map(({ column, order: { descending } }) => `${descending ? '-' : ''}${column}`),
  ];
  return { label, href: withParams(query, { [ORDER]: terms.join('.'), [PAGE]: null }), sorted: current };
}

function searchView(help: string, query: URLSearchParams): ListView['search'] {
  const kept = [...query].filter(([name]) => name !== SEARCH && name !== PAGE);
  return { name: SEARCH, value: query.get(SEARCH) ?? '', help, kept };
}

function filterView(filter: Filter, query: URLSearchParams): ListView['filters'][number] {
  const chosen = chosenValue(filter, query);
  const link = (value: string | null, label: string) => ({
    label,
    href: withParams(query, { [filter.param]: value, [PAGE]: null }),
    chosen: chosen === value,
  });
  return {
    label: filter.label,
    options: [link(null, 'All'), ...filter.options.map(({ value, label }) => link(value, label))],
  };
}

function isFiltered<Row extends { id: number }>({ filters }: List<Row>, query: URLSearchParams): boolean {
  return (
    (query.get(SEARCH) ?? '').trim() !== '' || filters.some((filter) => chosenValue(filter, query) !== null)
  );
}

function cleared<Row extends { id: number }>({ filters }: List<Row>): Record<string, null> {
  return Object.fromEntries(filters.map(({ param }) => [param, null]));
}

/** "3 users", "1 user", "more than 10,000 users". */
export function countText(
  [one, many]: readonly [string, string],
  { total, isMore }: Pick<FoundPage, 'total' | 'isMore'>,
): string {
  const number = total.toLocaleString('en-US');
  if (isMore) return `more than ${number} ${many}`;
  return `${number} ${total === 1 ? one : many}`;
}

/** How many pages on each side of the current one, and at either end, have a link. */
const NEAR = 2;

/** Links to pages, with gaps as Django's paginator has them; the current page and gaps are none. */
function pageLinks({ page, pageCount }: Omit<FoundPage, 'ids'>, query: URLSearchParams): ListView['pages'] {
  if (pageCount <= 1) return [];
  const all = Array.from({ length: pageCount }, (_, index) => index + 1);
  const shown = all.filter((one) => one === 1 || one === pageCount || Math.abs(one - page) <= NEAR);
  return shown.flatMap((one, index) => {
    const gap = index > 0 && one - (shown[index - 1] as number) > 1 ? [{ label: '…', href: null }] : [];
    return [
      ...gap,
      { label: String(one), href: one === page ? null : withParams(query, { [PAGE]: String(one) }) },
    ];
  });
}

/** The address of the same list with some parameters set, or taken out where they are null. */
function withParams(query: URLSearchParams, changes: Readonly<Record<string, string | null>>): string {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  return queryText(changed) || '?';
}

function queryText(query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
