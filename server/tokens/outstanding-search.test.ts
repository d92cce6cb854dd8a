import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { RawBuilder } from 'kysely';
import { sql } from 'kysely';
import { ON_POSTGRES } from '../../db/database.fixture.ts';
import { type Condition, findPage, type PagedTable, REACH } from '../../db/find-page.ts';
import { assertIndexed } from '../../db/plan.fixture.ts';
import type { Database } from '../../db/statement.ts';
import {
  BLACKLISTED_ORDERS,
  inState,
  OUTSTANDING_ORDERS,
  searchBlacklisted,
  searchOutstanding,
} from './outstanding-search.ts';
import { addToBlacklist, recordOutstanding } from './store.ts';
import { newDatabase, newUser, START } from './tokens.fixture.ts';

const NOW = new Date(START * 1000);
const OUTSTANDING = 'token_blacklist_outstandingtoken';
const BLACKLISTED = 'token_blacklist_blacklistedtoken';
let db: Database;

beforeEach(async () => {
  db = await newDatabase();
  const ada = await newUser(db, 'Ada');
  const adam = await newUser(db, 'adam_1');
  await record('abc1', ada.id, START + 60);
  await record('abd2', adam.id, START + 30);
  await record('ffff', ada.id, START - 10);
  await record('0a_c', null, START + 90);
});
afterEach(() => db.destroy());

function record(jti: string, userId: number | null, expiresAt: number) {
  return recordOutstanding(db, { jti, token: 'e30.e30', userId, createdAt: START, expiresAt });
}

async function found(
  conditions: readonly Condition[],
  by: RawBuilder<unknown> = OUTSTANDING_ORDERS.jti,
  table: PagedTable = OUTSTANDING,
): Promise<number[]> {
  const order = [{ by, descending: false }];
  return (await findPage(db, { table, conditions, order, page: 1, size: 100 })).ids;
}

function wordsOf(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

/** Makes a table large, with rows that no search of these tests is after. */
async function fill(table: 'users' | 'tokens'): Promise<void> {
  const rows = sql`with recursive row(n) as (select 1 union all select n + 1 from row where n <= ${REACH})`;
  const insert = {
    users: sql`insert into auth_user (password, is_superuser, username, last_name, email, is_staff, is_active,
      date_joined, first_name) ${rows} select '!', false, 'zz' || n, '', '', false, true, '2026-01-01', '' from row`,
    tokens: sql`insert into token_blacklist_outstandingtoken (token, expires_at, jti)
      ${rows} select '', '2020-01-01', 'zz' || n from row`,
  };
  await insert[table].execute(db);
}

describe('a search among few', () => {
  const cases: Readonly<Record<string, number[]>> = {
    '': [4, 1, 2, 3],
    ab: [1, 2],
    bc: [1],
    AD: [1, 2, 3],
    dam: [2],
    adam: [2],
    m_1: [2],
    a_c: [4],
    '%': [],
    '\\': [],
    "' or 1=1": [],
    'ada ff': [3],
    ' ada   abd ': [2],
    'ada nothing': [],
    '2': [2],
    '99999999999999999999': [],
    '\ud800': [],
  };
  for (const [text, ids] of Object.entries(cases)) {
    test(JSON.stringify(text), async () => {
      assert.deepEqual(await found(await searchOutstanding(db, wordsOf(text))), ids);
    });
  }
});

describe('a search among many goes by how a name or an id begins', () => {
  const cases: Readonly<Record<string, number[]>> = {
    ab: [1, 2],
    bc: [],
    AD: [1, 2, 3],
    dam: [],
    m_1: [],
    2: [2],
  };
  for (const [text, ids] of Object.entries(cases)) {
    test(text, async () => {
      await fill('users');
      await fill('tokens');
      assert.deepEqual(await found(await searchOutstanding(db, [text])), ids);
    });
  }
});

test('among many users and few tokens, each is searched in its way', async () => {
  await fill('users');
  assert.deepEqual(await found(await searchOutstanding(db, ['da'])), []);
  assert.deepEqual(await found(await searchOutstanding(db, ['ada'])), [1, 2, 3]);
  assert.deepEqual(await found(await searchOutstanding(db, ['bd'])), [2]);
});

test('tokens by their state', async () => {
  for (const jti of ['abc1', 'ffff']) await addToBlacklist(db, jti, NOW);
  assert.deepEqual(await found(inState('alive', NOW)), [4, 2]);
  assert.deepEqual(await found(inState('expired', NOW)), [3]);
  assert.deepEqual(await found(inState('blacklisted', NOW)), [1, 3]);
  assert.deepEqual(await found(inState('alive', new Date((START + 30) * 1000))), [4]);
});

test('a state and a search together', async () => {
  await addToBlacklist(db, 'abc1', NOW);
  assert.deepEqual(
    await found([...inState('blacklisted', NOW), ...(await searchOutstanding(db, ['ada']))]),
    [1],
  );
  assert.deepEqual(await found([...inState('alive', NOW), ...(await searchOutstanding(db, ['ada']))]), [2]);
});

test('tokens in order', async () => {
  assert.deepEqual(await found([], OUTSTANDING_ORDERS.jti), [4, 1, 2, 3]);
  assert.deepEqual(await found([], OUTSTANDING_ORDERS.user), ON_POSTGRES ? [1, 3, 2, 4] : [4, 1, 3, 2]);
  assert.deepEqual(await found([], OUTSTANDING_ORDERS.expires), [3, 2, 1, 4]);
  assert.deepEqual(await found([], OUTSTANDING_ORDERS.created), [1, 2, 3, 4]);
});

test('the blacklist is searched by what it is about, and has the order in which it grew', async () => {
  await addToBlacklist(db, 'abd2', new Date((START + 5) * 1000));
  await addToBlacklist(db, 'abc1', NOW);
  const search = async (text: string) =>
    found(await searchBlacklisted(db, wordsOf(text)), BLACKLISTED_ORDERS.blacklisted, BLACKLISTED);
  assert.deepEqual(await search(''), [2, 1]);
  assert.deepEqual(await search('abd'), [1]);
  assert.deepEqual(await search('ada'), [2, 1]);
  assert.deepEqual(await search('adam'), [1]);
  assert.deepEqual(await search('ffff'), []);
});

test('what is asked of single rows is the same', async () => {
  await addToBlacklist(db, 'abd2', NOW);
  const ofOneRow = (conditions: readonly Condition[]) =>
    conditions.map((condition) => ({ ...condition, anyOf: [condition.ofOneRow ?? assert.fail()] }));
  for (const word of ['ab', 'ada', 'adam', 'nothing', '2']) {
    const outstanding = await searchOutstanding(db, [word]);
    assert.deepEqual(await found(ofOneRow(outstanding)), await found(outstanding), word);
    const blacklisted = await searchBlacklisted(db, [word]);
    const search = (conditions: Condition[]) =>
      found(conditions, BLACKLISTED_ORDERS.blacklisted, BLACKLISTED);
    assert.deepEqual(await search(ofOneRow(blacklisted)), await search(blacklisted), word);
  }
});

test('a search of the blacklist finds what fits, however many tokens do', async () => {
  await fill('users');
  await fill('tokens');
  await addToBlacklist(db, 'zz7', NOW);
  const search = async (word: string) =>
    found(await searchBlacklisted(db, [word]), BLACKLISTED_ORDERS.blacklisted, BLACKLISTED);
  assert.deepEqual([await search('zz'), await search('zz7'), await search('zz70')], [[1], [1], []]);
});

test('every condition that is said to be indexed is answered by an index', async () => {
  await fill('users');
  await fill('tokens');
  const searches = [
    ...(await searchOutstanding(db, ['ab'])),
    ...inState('alive', NOW),
    ...inState('expired', NOW),
  ];
  const all = [
    ...[...searches, ...inState('blacklisted', NOW)].map((condition) => [OUTSTANDING, condition] as const),
    ...(await searchBlacklisted(db, ['ab'])).map((condition) => [BLACKLISTED, condition] as const),
  ];
  for (const [table, { anyOf, indexed }] of all) {
    for (const one of indexed ? anyOf : []) {
      const query =
        'through' in one ? one.ids(one.through) : sql`select id from ${sql.table(table)} where ${one}`;
      await assertIndexed(db, query);
    }
  }
});
