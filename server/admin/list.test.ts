import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import type { GroupRow } from '../../db/tables.ts';
import { newDatabase } from '../tokens/tokens.fixture.ts';
import { countText, type List, listView } from './list.ts';

const GROUPS: List<GroupRow> = {
  table: 'auth_group',
  nouns: ['group', 'groups'],
  columns: [
    { label: 'Name', order: sql`name`, cell: ({ id, name }) => ({ text: name, href: `/${id}/` }) },
    { label: 'Length', order: sql`length(name)`, cell: ({ name }) => ({ text: String(name.length) }) },
    { label: 'Loud', cell: ({ name }) => ({ flag: name.toUpperCase() === name }) },
  ],
  defaultOrder: [{ by: sql`id`, descending: false }],
  filters: [
    {
      param: 'parity',
      label: 'parity',
      options: [
        { value: 'even', label: 'Even' },
        { value: 'odd', label: 'Odd' },
      ],
      condition: (value) => ({ anyOf: [sql`id % 2 = ${value === 'odd' ? 1 : 0}`], indexed: false }),
    },
  ],
  search: {
    help: 'name',
    conditions: (words) =>
      words.map((word) => ({ anyOf: [sql`replace(name, ${word}, '') <> name`], indexed: false })),
  },
  load: async (db, ids) => {
    const rows =
      ids.length === 0 ? [] : await db.selectFrom('auth_group').selectAll().where('id', 'in', ids).execute();
    return ids.flatMap((id) => rows.filter((row) => row.id === id));
  },
};

let db: Database;
before(async () => {
  db = await newDatabase();
  const names = Array.from({ length: 250 }, (_, index) => `g${'x'.repeat(index % 7)}${index + 1}`);
  await db
    .insertInto('auth_group')
    .values(names.map((name) => ({ name })))
    .execute();
});
after(() => db.destroy());

const view = (query = '') => listView(db, GROUPS, new URLSearchParams(query));
const ids = async (query: string) => (await view(query)).rows.map(({ id }) => id);

describe('a list', () => {
  test('comes in pages of a hundred, in its own order', async () => {
    assert.deepEqual(
      await ids(''),
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      await ids('p=3'),
      Array.from({ length: 50 }, (_, index) => index + 201),
    );
  });

  for (const page of ['0', '-1', '99', 'x', '', '1e9', '2.5']) {
    test(`takes ${JSON.stringify(page)} for a page that there is`, async () => {
      const { rows, found } = await view(`p=${page}`);
      assert.ok(rows.length > 0 && found.page >= 1 && found.page <= 3);
    });
  }

  test('counts what it found', async () => {
    assert.equal((await view()).count, '250 groups');
    assert.equal((await view('q=g1+x250')).count, '0 groups');
    assert.equal((await view('q=250')).count, '1 group');
  });

  test('links to its pages, but not to the one that is open', async () => {
    const { pages } = await view('p=2&q=g&o=1');
    assert.deepEqual(pages, [
      { label: '1', href: '?p=1&q=g&o=1' },
      { label: '2', href: null },
      { label: '3', href: '?p=3&q=g&o=1' },
    ]);
  });
});

describe('its order', () => {
  const lengths = async (query: string) =>
    (await view(query)).rows.map(({ cells }) => Number((cells[1] as { text: string }).text));

  test('is by a column, up or down', async () => {
    const up = await lengths('o=2');
    assert.deepEqual(
      up,
      [...up].sort((a, b) => a - b),
    );
    const down = await lengths('o=-2');
    assert.deepEqual(
      down,
      [...down].sort((a, b) => b - a),
    );
    assert.ok((down[0] ?? 0) > (up[0] ?? 0));
  });

  test('is by several, the first one first', async () => {
    const rows = (await view('o=2.-1')).rows.map(({ cells }) => (cells[0] as { text: string }).text);
    const expected = [...rows].sort((a, b) => a.length - b.length || (a < b ? 1 : -1));
    assert.deepEqual(rows, expected);
  });

  for (const query of ['o=3', 'o=0', 'o=99', 'o=x', 'o=1;drop', 'o=-', 'o=']) {
    test(`is its own for ${query}`, async () => assert.equal((await ids(query))[0], 1));
  }

  test('turns around at the next click, and goes before what was chosen earlier', async () => {
    const hrefs = async (query: string) => (await view(query)).head.map(({ href, sorted }) => [href, sorted]);
    assert.deepEqual(await hrefs(''), [
      ['?o=1', null],
      ['?o=2', null],
      [null, null],
    ]);
    assert.deepEqual(await hrefs('o=1'), [
      ['?o=-1', 'ascending'],
      ['?o=2.1', null],
      [null, null],
    ]);
    assert.deepEqual(await hrefs('o=-1&p=2'), [
      ['?o=1', 'descending'],
      ['?o=2.-1', null],
      [null, null],
    ]);
  });
});

describe('its filters', () => {
  test('narrow it, and keep the search and the order', async () => {
    const odd = await view('q=g&o=1&parity=odd&p=2');
    assert.equal(odd.count, '125 groups');
    assert.deepEqual(
      odd.filters[0]?.options.map(({ label, href, chosen }) => [label, href, chosen]),
      [
        ['All', '?q=g&o=1', false],
        ['Even', '?q=g&o=1&parity=even', false],
        ['Odd', '?q=g&o=1&parity=odd', true],
      ],
    );
    assert.deepEqual(odd.search?.kept, [
      ['o', '1'],
      ['parity', 'odd'],
    ]);
    assert.equal(odd.clearHref, '?o=1');
  });

  test('do not know what they do not offer', async () => {
    const all = await view('parity=%27%3B--');
    assert.deepEqual([all.count, all.isFiltered], ['250 groups', false]);
  });
});

test('a search of nothing but blanks is none', async () => {
  assert.equal((await view('q=+++')).isFiltered, false);
  assert.equal((await view('q=+++')).count, '250 groups');
});

test('a count is for people', () => {
  const nouns = ['user', 'users'] as const;
  assert.equal(countText(nouns, { total: 1, isMore: false }), '1 user');
  assert.equal(countText(nouns, { total: 2_345, isMore: false }), '2,345 users');
  assert.equal(countText(nouns, { total: 10_000, isMore: true }), 'more than 10,000 users');
});
