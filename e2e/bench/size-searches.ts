import { type RawBuilder, sql } from 'kysely';
import { type Condition, type Order, prefixRange, type Search } from '../../db/find-page.ts';
import { byBytes } from '../../db/text-order.ts';
import { epochToSqlTime } from '../../db/values.ts';
import { entriesOf, inState } from '../../server/tokens/outstanding-search.ts';

/** A search as an admin page makes one, and which page of what it finds. */
export interface SizeCase {
  name: string;
  search: Search;
  /** The last one there is where nothing is said. */
  page?: number;
}

const lower = (column: string) => byBytes(sql<string>`lower(${sql.ref(column)})`);

const order = (by: RawBuilder<unknown>, descending = false): Order[] => [{ by, descending }];

const is = (column: string, value: number | string): Condition => ({
  anyOf: [sql`${sql.ref(column)} = ${value}`],
  indexed: true,
  by: sql`id`,
});

const within = (column: string, operator: '>=' | '<=' | '>', value: string): Condition => ({
  anyOf: [sql`${sql.ref(column)} ${sql.raw(operator)} ${value}`],
  indexed: true,
  by: sql.ref(column),
});

const userTerm = (prefix: string): Condition => ({
  anyOf: ['username', 'first_name', 'last_name', 'email'].map((column) => prefixRange(lower(column), prefix)),
  indexed: true,
});

const inGroup = (group: number): Condition => ({
  anyOf: [
    {
      through: sql`select user_id from auth_user_groups where group_id = ${group}`,
      ids: (members) => members,
    },
  ],
  indexed: true,
  ofOneRow: sql`exists (select 1 from auth_user_groups where user_id = auth_user.id and group_id = ${group})`,
});

/** Tokens by the beginning of their user's name or of their id. */
const tokenTerm = (prefix: string): Condition => {
  const name = prefixRange(lower('username'), prefix);
  const jti = prefixRange(sql`jti`, prefix);
  return {
    anyOf: [
      jti,
      {
        through: sql`select id from auth_user where ${name}`,
        ids: (users) => sql`select token.id from (${users}) as owner
          cross join token_blacklist_outstandingtoken as token where token.user_id = owner.id`,
      },
    ],
    indexed: true,
    ofOneRow: sql`(${jti} or exists (
      select 1 from auth_user where auth_user.id = token_blacklist_outstandingtoken.user_id and ${name}))`,
  };
};

const eventTerm = (prefix: string): Condition => ({
  anyOf: [
    prefixRange(lower('actor_name'), prefix),
    prefixRange(lower('object_name'), prefix),
    prefixRange(sql`address`, prefix),
  ],
  indexed: true,
});

/** Everything that the lists of the admin can be asked for, in every way that a search can go. */
export function sizeCases(): SizeCase[] {
  const now = Date.now() / 1000;
  return [...userCases(now), ...tokenCases(now), ...blacklistCases(now), ...eventCases(now)].map(
    ([name, table, conditions, by, page]) => ({
      name,
      search: { table, conditions, order: by },
      ...(page === undefined ? {} : { page }),
    }),
  );
}

type Row = [name: string, table: Search['table'], conditions: Condition[], order: Order[], page?: number];

function userCases(now: number): Row[] {
  const ago = (days: number) => epochToSqlTime(now - days * 86_400);
  const byName = order(lower('username'));
  const rows: [name: string, conditions: Condition[], order: Order[], page?: number][] = [
    ['all, first page', [], byName, 1],
    ['all, last page', [], byName],
    ['all, by username backwards', [], order(lower('username'), true), 1],
    ...['email', 'first_name', 'last_name'].map((column): [string, Condition[], Order[]] => [
      `all, by ${column}, last page`,
      [],
      order(lower(column)),
    ]),
    ...['is_staff', 'date_joined', 'last_login'].map((column): [string, Condition[], Order[]] => [
      `all, by ${column} backwards, last page`,
      [],
      order(sql.ref(column), true),
    ]),
    ['"m"', [userTerm('m')], byName],
    ['"sm"', [userTerm('sm')], byName],
    ['"smith"', [userTerm('smith')], byName],
    ['"maria smith"', [userTerm('maria'), userTerm('smith')], byName],
    ['"m s a"', [userTerm('m'), userTerm('s'), userTerm('a')], order(lower('email'), true)],
    ['"nobody"', [userTerm('nobody')], byName],
    ['one by name', [userTerm('maria.smith1')], byName],
    ['staff', [is('is_staff', 1)], byName],
    ['superusers', [is('is_superuser', 1)], byName],
    ['active', [is('is_active', 1)], byName],
    ['inactive', [is('is_active', 0)], byName],
    ['inactive staff', [is('is_active', 0), is('is_staff', 1)], byName],
    ['no staff, by staff backwards', [is('is_staff', 0)], order(sql`is_staff`, true)],
    ['active, "m"', [is('is_active', 1), userTerm('m')], byName],
    ['inactive, "m"', [is('is_active', 0), userTerm('m')], byName],
    ['in the largest group', [inGroup(1)], byName],
    ['in a small group', [inGroup(10)], byName],
    ['largest group, inactive, "m"', [inGroup(1), is('is_active', 0), userTerm('m')], byName],
    ['joined today', [within('date_joined', '>=', ago(1))], byName],
    ['joined this year', [within('date_joined', '>=', ago(365))], byName],
    ['joined this year, oldest first', [within('date_joined', '>=', ago(365))], order(sql`date_joined`)],
  ];
  return rows.map(([name, ...rest]) => [`users: ${name}`, 'auth_user', ...rest]);
}

function tokenCases(now: number): Row[] {
  const table = 'token_blacklist_outstandingtoken';
  const newest = order(sql`created_at`, true);
  const time = new Date(now * 1000);
  const alive = inState('alive', time);
  const expired = inState('expired', time);
  const blacklisted = inState('blacklisted', time);
  const rows: [name: string, conditions: Condition[], order: Order[], page?: number][] = [
    ['all, first page', [], newest, 1],
    ['all, last page', [], newest],
    ['all, by id backwards', [], order(sql`id`, true)],
    ...['jti', 'user_id', 'expires_at'].map((column): [string, Condition[], Order[]] => [
      `all, by ${column}, last page`,
      [],
      order(sql.ref(column)),
    ]),
    ['alive', alive, newest],
    ['alive, oldest first', alive, order(sql`created_at`)],
    ['expired', expired, newest],
    ['expired, by jti', expired, order(sql`jti`)],
    ['blacklisted', blacklisted, newest],
    ['blacklisted, by user', blacklisted, order(sql`user_id`)],
    ['"m"', [tokenTerm('m')], newest],
    ['"maria.s"', [tokenTerm('maria.s')], newest],
    ['"a1"', [tokenTerm('a1')], newest],
    ['"nobody"', [tokenTerm('nobody')], newest],
    ['"m", alive', [tokenTerm('m'), ...alive], newest],
    ['"m", expired', [tokenTerm('m'), ...expired], newest],
    ['of one with many', [is('user_id', 1)], newest],
    ['of one with few', [is('user_id', 900_000)], newest],
  ];
  return rows.map(([name, ...rest]) => [`tokens: ${name}`, table, ...rest]);
}

function blacklistCases(now: number): Row[] {
  const table = 'token_blacklist_blacklistedtoken';
  const newest = order(sql`blacklisted_at`, true);
  const ofJti = (prefix: string): Condition => ({
    anyOf: [
      {
        through: sql`select id from token_blacklist_outstandingtoken where ${prefixRange(sql`jti`, prefix)}`,
        ids: entriesOf,
      },
    ],
    indexed: true,
    ofOneRow: sql`exists (select 1 from token_blacklist_outstandingtoken as token
      where token.id = token_blacklist_blacklistedtoken.token_id and ${prefixRange(sql`token.jti`, prefix)})`,
  });
  return [
    ['blacklist: all, first page', table, [], newest, 1],
    ['blacklist: all, last page', table, [], order(sql`blacklisted_at`)],
    ['blacklist: "a"', table, [ofJti('a')], newest],
    ['blacklist: "a1b"', table, [ofJti('a1b')], newest],
    ['blacklist: today', table, [within('blacklisted_at', '>=', epochToSqlTime(now - 86_400))], newest],
  ];
}

function eventCases(now: number): Row[] {
  const table = 'jotgate_event';
  const newest = order(sql`at`, true);
  const ago = (days: number) => epochToSqlTime(now - days * 86_400);
  return [
    ['events: all, first page', table, [], newest, 1],
    ['events: all, last page', table, [], order(sql`id`, true)],
    ['events: of a common kind', table, [is('kind', 'refreshed')], newest],
    ['events: of a rare kind', table, [is('kind', 'password_changed')], newest],
    ['events: "m"', table, [eventTerm('m')], newest],
    ['events: "maria.smith"', table, [eventTerm('maria.smith')], newest],
    ['events: "10.1"', table, [eventTerm('10.1')], newest],
    ['events: refused, "m"', table, [is('kind', 'login_refused'), eventTerm('m')], newest],
    ['events: today', table, [within('at', '>=', ago(1))], newest],
    [
      'events: this month, refused',
      table,
      [within('at', '>=', ago(30)), is('kind', 'login_refused')],
      newest,
    ],
  ];
}
