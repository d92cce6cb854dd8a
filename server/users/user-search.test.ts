import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { type Condition, findPage } from '../../db/find-page.ts';
import { assertIndexed } from '../../db/plan.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { findListedUsers } from './user-list.ts';
import { hasFlag, isInGroup, type JoinedPeriod, joinedIn, searchUsers } from './user-search.ts';
import { addGroup, addUser, newDatabase } from './users.fixture.ts';

let db: Database;
let editors: number;

before(async () => {
  db = await newDatabase();
  const ada = await addUser(db, 'Ada', {
    first_name: 'Augusta',
    last_name: 'King',
    email: 'ada@Engine.example',
  });
  await addUser(db, 'élodie', { first_name: 'Élodie', last_name: "100%_O'Hara", is_active: false });
  await addUser(db, 'kingsley', { is_staff: true });
  await addUser(db, 'root', { is_superuser: true, is_staff: true });
  editors = await addGroup(db, 'editors', [], ada);
  await addGroup(db, 'nobody', []);
});
after(() => db.destroy());

async function found(...conditions: Condition[]): Promise<string[]> {
  const order = [{ by: sql.ref('username'), descending: false }];
  const { ids } = await findPage(db, { table: 'auth_user', conditions, order, page: 1, size: 100 });
  return (await findListedUsers(db, ids)).map(({ username }) => username);
}

test('each word must occur, somewhere, whatever its case', async () => {
  for (const [query, expected] of [
    ['ada', ['Ada']],
    ['KING', ['Ada', 'kingsley']],
    ['king gust', ['Ada']],
    ['king nothing', []],
    ['engine.EXAMPLE', ['Ada']],
    ['ÉLODIE', ['élodie']],
    ['élo', ['élodie']],
    ['100%_', ['élodie']],
    ['%', ['élodie']],
    ['_', ['élodie']],
    ["o'hara", ['élodie']],
    ['\\', []],
    ["' or 1=1 --", []],
    ['\ud800', []],
  ] as const) {
    assert.deepEqual(await found(...searchUsers(query.split(' '), false)), expected, query);
  }
});

test('on a large table words are looked for where a column begins', async () => {
  for (const [query, expected] of [
    ['ada', ['Ada']],
    ['king', ['Ada', 'kingsley']],
    ['gust', []],
    ['king aug', ['Ada']],
    ['ÉLO', ['élodie']],
    ['100%', ['élodie']],
    ['%', []],
  ] as const) {
    assert.deepEqual(await found(...searchUsers(query.split(' '), true)), expected, query);
  }
});

test('on a large table an index answers each comparison', async () => {
  for (const { anyOf, indexed } of [
    ...searchUsers(['king', 'é'], true),
    hasFlag('is_staff', true),
    joinedIn('today', new Date()),
  ]) {
    assert.equal(indexed, true);
    for (const fragment of anyOf) {
      assert.ok(!('through' in fragment));
      await assertIndexed(db, sql`select id from auth_user where ${fragment}`);
    }
  }
});

test('users are filtered by what they are and where they belong', async () => {
  assert.deepEqual(await found(hasFlag('is_staff', true)), ['kingsley', 'root']);
  assert.deepEqual(await found(hasFlag('is_superuser', true), hasFlag('is_staff', true)), ['root']);
  assert.deepEqual(await found(hasFlag('is_active', false)), ['élodie']);
  assert.deepEqual(await found(isInGroup(editors)), ['Ada']);
  assert.deepEqual(await found(isInGroup(4711)), []);
});

test('users are filtered by when they joined, as Django reckons it', async () => {
  const others = await newDatabase();
  try {
    const days = [
      '2024-12-31',
      '2025-01-01',
      '2025-02-28',
      '2025-03-01',
      '2025-03-03',
      '2025-03-09',
      '2025-03-10',
    ];
    for (const day of days) {
      const user = await addUser(others, day);
      const date_joined = `${day} 00:00:00`;
      await others.updateTable('auth_user').set({ date_joined }).where('id', '=', user.id).execute();
    }
    const joined = async (period: JoinedPeriod, now: string) => {
      const conditions = [joinedIn(period, new Date(now))];
      const order = [{ by: sql.ref('username'), descending: false }];
      const page = await findPage(others, { table: 'auth_user', conditions, order, page: 1, size: 100 });
      return (await findListedUsers(others, page.ids)).map(({ username }) => username.slice(2));
    };
    assert.deepEqual(await joined('today', '2025-03-10T23:59:59Z'), ['25-03-10']);
    assert.deepEqual(await joined('past_7_days', '2025-03-10T00:00:00Z'), [
      '25-03-03',
      '25-03-09',
      '25-03-10',
    ]);
    assert.deepEqual(await joined('this_month', '2025-03-01T00:00:00Z'), [
      '25-03-01',
      '25-03-03',
      '25-03-09',
      '25-03-10',
    ]);
    assert.deepEqual(await joined('this_year', '2024-06-01T00:00:00Z'), ['24-12-31']);
    assert.equal((await joined('this_year', '2025-12-31T23:59:59Z')).length, 6);
  } finally {
    await others.destroy();
  }
});
