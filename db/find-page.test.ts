import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type CompiledQuery, Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from './by-dialect.ts';
import { makeTestDatabase, newDatabase, ON_POSTGRES } from './database.fixture.ts';
import { JotgateSqliteDialect } from './dialects.ts';
import {
  type Condition,
  findAllIds,
  findPage,
  isLarge,
  type Order,
  type PageRequest,
  prefixRange,
  REACH,
} from './find-page.ts';
import { migrate } from './migrate.ts';
import { JotgatePostgresDialect } from './postgres-dialect.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';
import { byBytes } from './text-order.ts';
import { epochToSqlTime } from './values.ts';

interface Person {
  id: number;
  username: string;
  first_name: string;
  is_staff: 0 | 1;
  last_login: string | null;
  groups: number[];
}

/** The same thing for the database and for JavaScript. */
interface Asked {
  condition: Condition;
  holds(person: Person): boolean;
}

interface Ordered {
  order: Order;
  value(person: Person): string | number | null;
}

const lower = (column: string) => byBytes(sql<string>`lower(${sql.ref(column)})`);
const day = (number: number) => epochToSqlTime(number * 86_400);
const bytes = (text: string) => Buffer.from(text);
const startsWith = (text: string, prefix: string) =>
  bytes(text.toLowerCase()).subarray(0, bytes(prefix).length).equals(bytes(prefix));

const ASKED: readonly fc.Arbitrary<Asked>[] = [
  fc.constantFrom('a', 'b', 'ab', 'ba', 'bb', '').map((prefix) => ({
    condition: {
      anyOf: [prefixRange(lower('username'), prefix), prefixRange(lower('first_name'), prefix)],
      indexed: true,
    },
    holds: ({ username, first_name }) => startsWith(username, prefix) || startsWith(first_name, prefix),
  })),
  fc.constantFrom('a', 'b', 'ab', 'bb').map((prefix) => ({
    condition: {
      anyOf: [prefixRange(lower('username'), prefix)],
      indexed: true,
      by: lower('username'),
    },
    holds: ({ username }) => startsWith(username, prefix),
  })),
  fc.constantFrom(0, 1).map((value) => ({
    condition: { anyOf: [sql`is_staff = ${value}`], indexed: true, by: sql`id` },
    holds: ({ is_staff }) => is_staff === value,
  })),
  fc.constantFrom(day(2), day(3), day(5)).map((time) => ({
    condition: { anyOf: [sql`last_login >= ${time}`], indexed: true, by: sql`last_login` },
    holds: ({ last_login }) => last_login !== null && last_login >= time,
  })),
  fc.constantFrom(1, 2).map((group) => ({
    condition: {
      anyOf: [
        {
          through: sql`select user_id from auth_user_groups where group_id = ${group}`,
          ids: (users: RawBuilder<unknown>) => users,
        },
      ],
      indexed: true,
      ofOneRow: sql`exists (select 1 from auth_user_groups where user_id = auth_user.id and group_id = ${group})`,
    },
    holds: ({ groups }) => groups.includes(group),
  })),
  fc.constantFrom(2, 3).map((divisor) => ({
    condition: { anyOf: [sql`id % ${divisor} = 0`], indexed: false },
    holds: ({ id }) => id % divisor === 0,
  })),
];

const ORDERED: readonly fc.Arbitrary<Ordered>[] = [
  fc.boolean().map((descending) => ({
    order: { by: lower('username'), descending },
    value: ({ username }) => username.toLowerCase(),
  })),
  fc.boolean().map((descending) => ({
    order: { by: sql`is_staff`, descending },
    value: ({ is_staff }) => is_staff,
  })),
  fc.boolean().map((descending) => ({
    order: { by: sql`last_login`, descending },
    value: ({ last_login }) => last_login,
  })),
  fc.boolean().map((descending) => ({ order: { by: sql`id`, descending }, value: ({ id }) => id })),
];

const asked = fc.array(fc.oneof(...ASKED), { maxLength: 3 });
const ordered = fc.array(fc.oneof(...ORDERED), { minLength: 1, maxLength: 3 });
const pages = fc.record({ page: fc.integer({ min: -1, max: 12 }), size: fc.integer({ min: 1, max: 7 }) });

/** Names of few letters, some of them twice but for their case, so that there are ties and long common beginnings. */
const people = fc
  .array(
    fc.record({
      username: fc.string({ unit: fc.constantFrom('a', 'b', 'B', 'é', '\u{1f600}'), maxLength: 4 }),
      first_name: fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 2 }),
      is_staff: fc.constantFrom<(0 | 1)[]>(0, 0, 0, 1),
      last_login: fc.constantFrom(null, ...[1, 2, 3, 4, 5].map(day)),
      groups: fc.uniqueArray(fc.constantFrom(1, 2), { maxLength: 2 }),
    }),
    { maxLength: 60 },
  )
  .map((rows) =>
    rows.map((row, index): Person => ({ ...row, id: index + 1, username: `${row.username}${index}` })),
  );

let db: Database;

before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

async function fill(rows: readonly Person[]): Promise<void> {
  await db.deleteFrom('auth_user_groups').execute();
  await db.deleteFrom('auth_group').execute();
  await db.deleteFrom('auth_user').execute();
  await db
    .insertInto('auth_group')
    .values([1, 2].map((id) => ({ id, name: `group ${id}` })))
    .execute();
  if (rows.length === 0) return;
  const rest = {
    password: '',
    is_superuser: 0,
    is_active: 1,
    date_joined: day(0),
    email: '',
    last_name: '',
  } as const;
  const users = rows.map(({ groups, ...row }) => ({ ...rest, ...row }));
  await db.insertInto('auth_user').values(users).execute();
  const members = rows.flatMap(({ id, groups }) => groups.map((group_id) => ({ user_id: id, group_id })));
  if (members.length > 0) await db.insertInto('auth_user_groups').values(members).execute();
}

/** Nothing comes first on SQLite and last on Postgres; texts go by their bytes. */
function compare(one: string | number | null, other: string | number | null): number {
  if (one === null || other === null)
    return (Number(one !== null) - Number(other !== null)) * (ON_POSTGRES ? -1 : 1);
  if (typeof one === 'number') return one - Number(other);
  return Buffer.compare(bytes(one), bytes(String(other)));
}

function sorted(rows: readonly Person[], order: readonly Ordered[]): Person[] {
  const turn = (term: Ordered | undefined) => (term?.order.descending ? -1 : 1);
  return rows.toSorted((one, other) => {
    for (const term of order) {
      const result = compare(term.value(one), term.value(other)) * turn(term);
      if (result !== 0) return result;
    }
    return (one.id - other.id) * turn(order[0]);
  });
}

const idsOf = (rows: readonly Person[]) => rows.map(({ id }) => id);
const fitting = (rows: readonly Person[], conditions: readonly Asked[]) =>
  rows.filter((row) => conditions.every(({ holds }) => holds(row)));

function request(
  conditions: readonly Asked[],
  order: readonly Ordered[],
): Omit<PageRequest, 'page' | 'size'> {
  return {
    table: 'auth_user',
    conditions: conditions.map(({ condition }) => condition),
    order: order.map((term) => term.order),
  };
}

test('of a small table everything is exact, by any order', () =>
  fc.assert(
    fc.asyncProperty(people, asked, ordered, pages, async (rows, conditions, order, { page, size }) => {
      await fill(rows);
      const found = await findPage(db, { ...request(conditions, order), page, size });
      const all = idsOf(sorted(fitting(rows, conditions), order));
      const pageCount = Math.max(1, Math.ceil(all.length / size));
      const shown = Math.min(Math.max(1, page), pageCount);
      assert.deepEqual(found, {
        ids: all.slice((shown - 1) * size, shown * size),
        total: all.length,
        isMore: false,
        isPartial: false,
        page: shown,
        pageCount,
      });
    }),
  ));

describe('of a large table', () => {
  const reaches = fc.integer({ min: 1, max: 20 });

  /** All that is found, page by page. */
  async function everything(search: Omit<PageRequest, 'page' | 'size'>, size: number, reach: number) {
    const first = await findPage(db, { ...search, page: 1, size }, reach);
    const ids = [...first.ids];
    for (let page = 2; page <= first.pageCount; page += 1) {
      const { ids: more, ...rest } = await findPage(db, { ...search, page, size }, reach);
      assert.deepEqual({ ...rest, page: 1, ids: first.ids }, first);
      assert.ok(more.length > 0 && more.length <= size);
      ids.push(...more);
    }
    assert.equal(ids.length, first.total);
    return { ...first, ids };
  }

  test('what is found fits, is in order and counted, and says so where it is not all', () =>
    fc.assert(
      fc.asyncProperty(people, asked, ordered, reaches, async (rows, conditions, order, reach) => {
        await fill(rows);
        const terms = rows.length > reach ? order.slice(0, 1) : order;
        const found = await everything(request(conditions, order), 4, reach);
        const all = idsOf(sorted(fitting(rows, conditions), terms));
        assert.ok(found.total <= reach);
        if (found.isMore) assert.ok(all.length > found.total);
        if (found.isPartial) {
          assert.deepEqual(
            found.ids,
            all.filter((id) => found.ids.includes(id)),
          );
        } else {
          assert.deepEqual(found.ids, all.slice(0, reach));
          assert.equal(found.isMore, all.length > reach);
        }
      }),
      { numRuns: 300 },
    ));

  test('it is all, wherever no more fit one condition than are looked at', () =>
    fc.assert(
      fc.asyncProperty(people, asked, ordered, reaches, async (rows, conditions, order, reach) => {
        await fill(rows);
        const isRare = conditions.some(
          (one) => one.condition.indexed && fitting(rows, [one]).length <= reach,
        );
        const found = await findPage(db, { ...request(conditions, order), page: 1, size: 5 }, reach);
        if (isRare || conditions.length === 0) assert.equal(found.isPartial, false);
      }),
      { numRuns: 200 },
    ));

  test('the head of the list is exact, however common what is asked for', async () => {
    const rows = Array.from({ length: 60 }, (_, index): Person => {
      const rest = { first_name: '', last_login: null, groups: [] };
      return {
        ...rest,
        id: index + 1,
        username: `u${String(index).padStart(2, '0')}`,
        is_staff: index % 2 ? 1 : 0,
      };
    });
    await fill(rows);
    const staff = { anyOf: [sql`is_staff = ${1}`], indexed: true, by: sql`id` };
    const search = { table: 'auth_user', conditions: [staff], page: 1, size: 10 } as const;
    for (const descending of [false, true]) {
      const order = [{ by: lower('username'), descending }];
      const found = await findPage(db, { ...search, order }, 10);
      const all = rows.filter(({ is_staff }) => is_staff === 1).map(({ id }) => id);
      const expected = descending ? all.toReversed() : all;
      // Half of the first twelve.
      assert.deepEqual(found.ids.slice(0, 6), expected.slice(0, 6));
      assert.ok(found.isMore);
    }
  });

  test('what is far from the head of the list is found where only that is asked for', async () => {
    const rows = Array.from({ length: 100 }, (_, index): Person => {
      const rest = { first_name: '', last_login: day(index), groups: index < 50 ? [1] : [] };
      return { ...rest, id: index + 1, username: `u${index}`, is_staff: index < 50 ? 1 : 0 };
    });
    await fill(rows);
    const newest = [{ by: sql`id`, descending: true }];
    const inGroup: Condition = {
      anyOf: [
        {
          through: sql`select user_id from auth_user_groups where group_id = 1`,
          ids: (users) => sql`select * from (${users}) as members`,
        },
      ],
      indexed: true,
      ofOneRow: sql`exists (select 1 from auth_user_groups where user_id = auth_user.id)`,
    };
    const staff = { anyOf: [sql`is_staff = ${1}`], indexed: true, by: sql`id` };
    for (const condition of [staff, inGroup]) {
      const search = {
        table: 'auth_user',
        conditions: [condition],
        order: newest,
        page: 1,
        size: 50,
      } as const;
      const found = await findPage(db, search, 10);
      assert.equal(found.total, 10);
      assert.ok(found.isMore && found.isPartial);
      if (condition === staff) assert.deepEqual(found.ids, [50, 49, 48, 47, 46, 45, 44, 43, 42, 41]);
    }
  });

  test('it is large above the reach alone', async () => {
    const insert = (from: number, count: number) =>
      sql`with recursive n (i) as (select cast(${from} as integer) union all select i + 1 from n where i < ${from + count - 1})
        insert into auth_group (id, name) select i, 'g' || i from n`.execute(db);
    await fill([]);
    assert.equal(await isLarge(db, 'auth_group'), false);
    await insert(3, REACH - 2);
    assert.equal(await isLarge(db, 'auth_group'), false);
    await insert(REACH + 1, 1);
    assert.equal(await isLarge(db, 'auth_group'), true);
  });
});

describe('all ids', () => {
  async function collected(conditions: readonly Asked[], reach?: number): Promise<number[][]> {
    const chunks: number[][] = [];
    for await (const chunk of findAllIds(db, request(conditions, []), reach)) chunks.push(chunk);
    return chunks;
  }

  test('are all that fit, in the order of id', () =>
    fc.assert(
      fc.asyncProperty(people, asked, fc.integer({ min: 1, max: 20 }), async (rows, conditions, reach) => {
        await fill(rows);
        const chunks = await collected(conditions, reach);
        assert.deepEqual(chunks.flat(), idsOf(fitting(rows, conditions)));
      }),
    ));

  test('come in chunks of 1,000, also far apart and below zero, and the event loop turns in between', async () => {
    await fill([]);
    const rows = 2_500;
    const apart = 800_009;
    await sql`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
      insert into auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined,
        first_name) select (i - 7) * ${apart}, '', ${0}, 'u' || i, '', '', ${0}, ${1}, ${day(0)}, '' from n`.execute(
      db,
    );
    let turns = 0;
    const clock = setInterval(() => {
      turns += 1;
    }, 0);
    const chunks = await collected([], 100);
    clearInterval(clock);
    assert.deepEqual(
      chunks.map(({ length }) => length),
      [1_000, 1_000, 500],
    );
    assert.deepEqual(
      chunks.flat(),
      Array.from({ length: rows }, (_, index) => (index - 6) * apart),
    );
    assert.ok(turns > 0);
  });
});

describe('the beginning of a text', () => {
  // Postgres has no text with a NUL, and is given another for it.
  const stored = (text: string) => (ON_POSTGRES ? text.replaceAll('\0', '\ufffd') : text);
  const texts = [
    ...['', 'a', 'A', 'ab', 'abc', 'b', 'a\u0000', 'a\u007f', 'a\u0080', 'ÿ', 'ÿÿ', 'Ā', 'a%b', 'a_b'],
    ...['\ud7ff', '\ud7ffx', '\ue000', '\uffff', '\uffffz', '\ufffd', '\ufffdz', '\u{10000}', '\u{1f600}'],
    ...['\u{1f600}x', '\u{1f601}', '\u{10ffff}', '\u{10ffff}\u{10ffff}', 'a\u{10ffff}', 'a\u{10ffff}b'],
  ].map(stored);

  async function found(prefix: string): Promise<string[]> {
    const all = sql.join(texts.map((text) => sql`(${text})`));
    const { rows } = await sql<{ text: string }>`
      with texts (text) as (values ${all}) select text from texts
      where ${prefixRange(sql`text`, prefix)}`.execute(db);
    return rows.map(({ text }) => text);
  }

  for (const prefix of texts) {
    test(`${JSON.stringify(prefix)} finds what begins so, and that alone`, async () => {
      assert.deepEqual(
        await found(prefix),
        texts.filter((text) => text.startsWith(prefix)),
      );
    });
  }
  test('a lone surrogate is what the database makes of it', async () => {
    assert.deepEqual(await found('\ud83d'), ['\ufffd', '\ufffdz']);
    assert.deepEqual(await found('\ude00'), ['\ufffd', '\ufffdz']);
  });
  test('of any text', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (prefix, text) => {
        const { rows } = await sql<{ found: number }>`
          select count(*) as found from (select ${text} as text) as one
          where ${prefixRange(sql`text`, prefix)}`.execute(db);
        assert.equal(rows[0]?.found, stored(text).startsWith(stored(prefix)) ? 1 : 0);
      }),
    ));
});

test('whatever is asked of a large table, no query reads it from end to end or sorts it', async () => {
  const queries: CompiledQuery[] = [];
  const { url, remove } = await makeTestDatabase();
  const watched: Database = new Kysely<Tables>({
    dialect: ON_POSTGRES ? new JotgatePostgresDialect(url, 2) : new JotgateSqliteDialect(':memory:'),
    log: ({ query }) => {
      queries.push(query);
    },
  });
  await migrate(watched);
  await makeThirty(watched);
  const plans: string[] = [];
  for (const condition of fc.sample(fc.array(fc.oneof(...ASKED), { maxLength: 3 }), 60)) {
    for (const { order } of fc.sample(fc.oneof(...ORDERED), 4)) {
      queries.length = 0;
      const search = { ...request(condition, []), order: [order] };
      await findPage(watched, { ...search, page: 1, size: 5 }, 4);
      for (const query of queries.splice(0)) plans.push(...(await planOf(watched, query)));
    }
  }
  await watched.destroy();
  await remove();
  (ON_POSTGRES ? assertPostgresPlans : assertSqlitePlans)(plans);
});

/** Users who are alike, in one group. */
async function makeThirty(on: Database): Promise<void> {
  await on.insertInto('auth_group').values({ id: 1, name: 'one' }).execute();
  for (let id = 1; id <= 30; id += 1) {
    const names = { username: `u${id}`, first_name: 'u', last_name: 'u', email: 'u' };
    const flags = { is_superuser: 0, is_staff: 1, is_active: 1 } as const;
    const user = { id, password: '', date_joined: day(0), ...names, ...flags };
    await on.insertInto('auth_user').values(user).execute();
    await on.insertInto('auth_user_groups').values({ user_id: id, group_id: 1 }).execute();
  }
}

/** On Postgres as it would be of tables that are too large to go through. */
async function planOf(on: Database, query: CompiledQuery): Promise<string[]> {
  const words = isPostgres(on) ? 'explain (costs off)' : 'explain query plan';
  return on.connection().execute(async (connection) => {
    if (isPostgres(on)) await sql`set enable_seqscan = off`.execute(connection);
    const explained = await connection.executeQuery<Record<string, string>>({
      ...sql`select 1`.compile(on),
      sql: `${words} ${query.sql}`,
      parameters: query.parameters,
    });
    return explained.rows.map((row) => row['QUERY PLAN'] ?? row.detail ?? '');
  });
}

function assertSqlitePlans(plans: readonly string[]): void {
  const scans = plans.filter((plan) => /^SCAN (auth_user|auth_user_groups)\b/.test(plan));
  assert.ok(scans.length > 0);
  // The order of id is that of the table itself.
  for (const scan of scans) assert.match(scan, /^SCAN auth_user( USING COVERING INDEX .*)?$/);
  for (const plan of plans) assert.doesNotMatch(plan, /AUTOMATIC|SCAN auth_user_groups/);
}

function assertPostgresPlans(plans: readonly string[]): void {
  const text = plans.join('\n');
  assert.match(text, /Index/);
  // Everything begins with nothing: of that the first rows are taken, wherever they are.
  const ofEverything = /Seq Scan on auth_user.*\n(?: *Disabled: true\n)? *Filter: \(.* ~~ '%'::text\)$/gm;
  assert.doesNotMatch(text.replace(ofEverything, ''), /Seq Scan on auth_user.*\n.*\n.*/);
}
