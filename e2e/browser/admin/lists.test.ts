import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { CROWD, EVENTS, fillDatabase, personOf, TOKENS } from './crowd.ts';
import { filterBy, namesIn, openPage, orderBy, rowsOf, search } from './list-steps.ts';
import { enterAdmin, follow, textOf } from './steps.ts';

interface ListCase {
  path: string;
  /** What the list counts when it is first opened. */
  count: RegExp;
  /** How many rows its pages have. */
  pages: readonly number[];
  /** What is searched, and the cells of which each row found has to have one. */
  search: { words: string; fits: RegExp; rows: number };
  /** A filter, the option chosen, and what each row then has. */
  filters: readonly { label: string; option: string; fits: RegExp; rows: number }[];
  /** A column, its number, and how its cells compare. */
  order?: { column: string; number: number; time?: true };
}

const TOKENS_PATH = '/admin/token_blacklist/outstandingtoken/';
const BLACKLIST_PATH = '/admin/token_blacklist/blacklistedtoken/';

const LISTS: Readonly<Record<string, ListCase>> = {
  users: {
    path: '/admin/auth/user/',
    count: new RegExp(`${CROWD + 1} users`),
    pages: [100, CROWD - 99],
    search: { words: 'TANAKA example.com', fits: /Tanaka/, rows: 4 },
    filters: [
      { label: 'By staff status', option: 'Yes', fits: /Yes/, rows: 7 },
      { label: 'By superuser status', option: 'Yes', fits: /^ada/, rows: 1 },
      { label: 'By active', option: 'No', fits: /No/, rows: 8 },
      { label: 'By groups', option: 'Editors', fits: /\./, rows: 10 },
      { label: 'By date joined', option: 'Past 7 days', fits: /./, rows: 3 },
    ],
    order: { column: 'Last name', number: 3 },
  },
  groups: {
    path: '/admin/auth/group/',
    count: /103 groups/,
    pages: [100, 3],
    search: { words: 'EDIT', fits: /Editors/, rows: 1 },
    filters: [],
    order: { column: 'Group', number: 0 },
  },
  'outstanding tokens': {
    path: TOKENS_PATH,
    count: new RegExp(`${TOKENS} outstanding tokens`),
    pages: [50, 50, 30],
    search: { words: 'maria.garcia', fits: /maria\.garcia/, rows: 2 },
    filters: [
      { label: 'By state', option: 'Alive', fits: /Alive/, rows: 36 },
      { label: 'By state', option: 'Expired', fits: /[Ee]xpired/, rows: 50 },
      { label: 'By state', option: 'Blacklisted', fits: /Blacklisted/, rows: 50 },
    ],
    order: { column: 'Expires at', number: 3, time: true },
  },
  'blacklisted tokens': {
    path: BLACKLIST_PATH,
    count: /65 blacklisted tokens/,
    pages: [50, 15],
    search: { words: 'maria.garcia', fits: /maria\.garcia/, rows: 2 },
    filters: [],
    order: { column: 'Blacklisted at', number: 3, time: true },
  },
  history: {
    path: '/admin/history/',
    // The log-in of who looks is one more.
    count: new RegExp(`${EVENTS + 1} events`),
    pages: [50, 50, EVENTS - 99],
    search: { words: '198.51.100.7', fits: /198\.51\.100\.7/, rows: 33 },
    filters: [
      { label: 'By subject', option: 'Refusals', fits: /refused|failed/, rows: 50 },
      { label: 'By source', option: 'Admin', fits: /Logged in to the admin/, rows: 1 },
      { label: 'By time (UTC)', option: 'Past 30 days', fits: /./, rows: 50 },
    ],
    order: { column: 'When', number: 0, time: true },
  },
};

let site: Site;
before(async () => {
  // What has expired is to stay on record.
  site = await openSite({ FLUSH_INTERVAL: '0' });
  await site.server.createUser(ADA);
  fillDatabase(site.server.database, { moreGroups: 100 });
  await site.visit(enterAdmin);
});
after(() => site.close());

for (const [name, list] of Object.entries(LISTS)) {
  describe(`the list of ${name}`, () => {
    const visit = (task: (page: Page) => Promise<void>) =>
      site.visit(async (page) => {
        await page.goto(list.path);
        await task(page);
      });

    test('is counted and turned over page by page', () =>
      visit(async (page) => {
        assert.match(await textOf(page), list.count);
        const seen = new Set<string>();
        for (const [index, rows] of list.pages.entries()) {
          if (index > 0) await openPage(page, index + 1);
          const cells = await rowsOf(page);
          assert.equal(cells.length, rows);
          for (const row of cells) seen.add(row.join(' | '));
        }
        if (name !== 'history')
          assert.equal(
            seen.size,
            list.pages.reduce((sum, rows) => sum + rows),
          );
      }));

    test('is searched', () =>
      visit(async (page) => {
        const { words, fits, rows } = list.search;
        await search(page, words);
        assert.equal(await page.getByRole('searchbox').inputValue(), words);
        await assertRows(page, fits, rows);
        await search(page, 'nothing.like-that');
        assert.match(await textOf(page), /Nothing here fits the search and the filters\./);
        await follow(page, mouse(page), 'Show all');
        assert.match(await textOf(page), list.count);
      }));

    for (const { label, option, fits, rows } of list.filters) {
      test(`is filtered ${label}: ${option}`, () =>
        visit(async (page) => {
          await filterBy(page, label, option);
          await assertRows(page, fits, rows);
          const group = page.getByRole('group', { name: label, exact: true });
          assert.equal(await group.locator('[aria-current="true"]').textContent(), option);
          await filterBy(page, label, 'All');
          assert.match(await textOf(page), list.count);
        }));
    }

    const { order } = list;
    if (order === undefined) return;
    test(`is ordered by the head of a column: ${order.column}`, () =>
      visit(async (page) => {
        const value = (text = '') => (order.time ? Date.parse(text) : text);
        const column = async () => (await rowsOf(page)).map((row) => value(row[order.number]));
        const compare = (one: number | string, other: number | string) =>
          one < other ? -1 : one > other ? 1 : 0;
        assert.equal(await orderBy(page, order.column), 'ascending');
        const upwards = await column();
        assert.deepEqual(upwards, [...upwards].sort(compare));
        assert.equal(await orderBy(page, order.column), 'descending');
        const downwards = await column();
        assert.deepEqual(downwards, [...downwards].sort(compare).reverse());
        assert.notEqual(downwards[0], upwards[0]);
      }));
  });
}

async function assertRows(page: Page, fits: RegExp, count: number): Promise<void> {
  const rows = await rowsOf(page);
  assert.equal(rows.length, count);
  for (const row of rows) assert.match(row.join(' '), fits);
}

test('search, filters and order go together, over pages and back from what was opened', () =>
  site.visit(async (page) => {
    await page.goto('/admin/auth/user/');
    await filterBy(page, 'By active', 'Yes');
    await search(page, 'example');
    assert.equal(await orderBy(page, 'Username'), 'ascending');
    assert.equal(await orderBy(page, 'Username'), 'descending');
    await openPage(page, 2);
    const [last = ''] = (await namesIn(page)).slice(-1);
    assert.match(await textOf(page), /113 users/);
    await follow(page, mouse(page), last);
    await follow(page, mouse(page), 'Users', page.getByRole('navigation', { name: 'Breadcrumbs' }));
    assert.equal((await namesIn(page)).at(-1), last);
    assert.equal(await page.getByRole('searchbox').inputValue(), 'example');
  }));

/** Follows a link that gives a file instead of a page. */
async function download(page: Page, link: string): Promise<{ filename: string; text: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: link, exact: true }).click(),
  ]);
  return { filename: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

test('users are exported as CSV: those that are filtered, and no password', () =>
  site.visit(async (page) => {
    await page.goto('/admin/auth/user/');
    await search(page, 'tanaka');
    const shown = await namesIn(page);
    const { filename, text } = await download(page, 'Export as CSV');
    assert.equal(filename, 'users.csv');
    const records = parse<Record<string, string>>(text, { columns: true });
    // In the order in which they joined, whatever order the list has.
    assert.deepEqual(records.map(({ username }) => username).sort(), shown);
    const maria = records.find(({ username }) => username === 'maria.tanaka');
    const { firstName, lastName, email } = personOf(60);
    assert.deepEqual(
      [maria?.first_name, maria?.last_name, maria?.email, maria?.is_staff],
      [firstName, lastName, email, 'true'],
    );
    assert.doesNotMatch(text, /password|bcrypt|pbkdf2/);
  }));

test('the history is exported as JSON Lines: what is filtered, however many pages that has', () =>
  site.visit(async (page) => {
    await page.goto('/admin/history/');
    await filterBy(page, 'By source', 'API');
    const { filename, text } = await download(page, 'Export as JSON Lines');
    assert.match(filename, /^jotgate-history-\d{4}-\d\d-\d\d\.jsonl$/);
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(events.length, EVENTS);
    assert.ok(events.every(({ via }) => via === 'api'));
    assert.ok(events.some(({ kind, address }) => kind === 'login_refused' && address === '203.0.113.99'));
  }));
