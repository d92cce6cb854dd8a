import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { jtiOf, loginStatus, obtainRefresh, refreshStatus } from './api.ts';
import { CROWD, fillDatabase } from './crowd.ts';
import { act, filterBy, namesIn, search } from './list-steps.ts';
import { enterAdmin, follow, headingOf, messageOf, pressButton, textOf } from './steps.ts';

const USERS = '/admin/auth/user/';
const GROUPS = '/admin/auth/group/';
const BLACKLIST = '/admin/token_blacklist/blacklistedtoken/';

const BOB = { username: 'bob', password: 'Brown-bread-and-butter-3' };
const EVE = { username: 'eve', password: 'Evening-in-the-garden-4' };

let site: Site;
before(async () => {
  site = await openSite();
  for (const account of [ADA, BOB, EVE]) await site.server.createUser(account);
  fillDatabase(site.server.database);
  await site.visit(enterAdmin);
});
after(() => site.close());

const visit = (path: string, task: (page: Page) => Promise<void>) =>
  site.visit(async (page) => {
    await page.goto(path);
    await task(page);
  });

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);

describe('users', () => {
  test('are deleted after a confirmation that lists them and what goes with them', () =>
    visit(`${USERS}?q=garcia`, async (page) => {
      const doomed = ['maria.garcia', 'tomasz.garcia'];
      await act(page, 'Delete selected users', doomed);
      assert.equal(await headingOf(page), 'Delete multiple objects');
      const text = await textOf(page);
      assert.match(text, /Are you sure you want to delete the selected users\?/);
      assert.match(text, /Users: 2 User-group relationships: 1/);
      for (const name of doomed) assert.equal(await page.getByRole('link', { name, exact: true }).count(), 1);
      await follow(page, mouse(page), 'No, take me back');
      assert.equal((await namesIn(page)).length, 12);
      await act(page, 'Delete selected users', doomed);
      await press(page, 'Yes, I’m sure');
      assert.equal(await messageOf(page), 'Successfully deleted 2 users.');
      const left = await namesIn(page);
      assert.equal(left.length, 10);
      assert.ok(!left.some((name) => doomed.includes(name)));
    }));

  test('are deactivated and activated, and their tokens are refused meanwhile', () =>
    visit(USERS, async (page) => {
      const { server } = site;
      const refresh = await obtainRefresh(server, BOB);
      assert.equal(await refreshStatus(server, refresh), 200);
      await act(page, 'Deactivate selected users', ['bob']);
      assert.match(await textOf(page), /1 user cannot log in any more.*every token of theirs is refused/);
      await press(page, 'Yes, deactivate');
      assert.equal(await messageOf(page), 'Successfully deactivated 1 user.');
      assert.equal(await refreshStatus(server, refresh), 401);
      assert.equal(await loginStatus(server, BOB), 401);
      await filterBy(page, 'By active', 'No');
      await search(page, 'bob');
      await act(page, 'Activate selected users', ['bob']);
      assert.match(await textOf(page), /1 user can log in again/);
      await press(page, 'Yes, activate');
      assert.equal(await messageOf(page), 'Successfully activated 1 user.');
      assert.equal(await refreshStatus(server, refresh), 200);
      assert.equal(await loginStatus(server, BOB), 200);
    }));

  test('lose their tokens, and nobody else does', () =>
    visit(USERS, async (page) => {
      const { server } = site;
      const [bobs, bobsOther, eves] = [
        await obtainRefresh(server, BOB),
        await obtainRefresh(server, BOB),
        await obtainRefresh(server, EVE),
      ];
      await search(page, 'bob');
      await act(page, 'Make tokens of selected users worthless', ['bob']);
      const text = await textOf(page);
      assert.match(text, /Every token of 1 user that can be revoked goes on the blacklist\./);
      assert.match(text, /\d refresh tokens die now: refused from the next request on\./);
      assert.match(
        text,
        /Access tokens that were handed out already .* can still pass until .* at the latest\./,
      );
      assert.equal(await refreshStatus(server, bobs), 200, 'nothing happens before the answer');
      await press(page, 'Yes, make them worthless');
      assert.match(await messageOf(page), /^Successfully revoked \d tokens\.$/);
      for (const token of [bobs, bobsOther]) assert.equal(await refreshStatus(server, token), 401);
      assert.equal(await refreshStatus(server, eves), 200);
      assert.equal(await loginStatus(server, BOB), 200, 'the account is as it was');
    }));

  test('are all taken that a list finds, not only those on the page', () =>
    visit(USERS, async (page) => {
      await search(page, 'example');
      await act(page, 'Deactivate selected users', 'all');
      // One of those with an address is ADA, and 8 of the crowd are inactive.
      assert.match(await textOf(page), /and 6\d more/);
      assert.match(await textOf(page), /Left as they are ada: /);
      await follow(page, mouse(page), 'No, take me back');
      assert.match(await textOf(page), new RegExp(`${CROWD - 1} users`));
    }));

  test('are not touched where none was ticked, or no action chosen', () =>
    visit(USERS, async (page) => {
      await act(page, 'Delete selected users', []);
      assert.equal(
        await messageOf(page),
        'Items must be selected in order to perform actions on them. No items have been changed.',
      );
      await page.getByRole('checkbox', { name: 'Select bob' }).check();
      await page.getByRole('button', { name: 'Go', exact: true }).click();
      // The browser itself asks for an action; without that, the server does.
      assert.ok(
        await page.getByLabel('Action', { exact: true }).evaluate((list) => list.matches(':invalid')),
      );
      assert.ok((await namesIn(page)).includes('bob'));
    }));

  test('the last superuser stays, and it is said why', () =>
    visit(`${USERS}?q=ada`, async (page) => {
      await act(page, 'Delete selected users', ['ada']);
      assert.equal(await headingOf(page), 'Cannot delete selected users');
      assert.match(await textOf(page), /Left as they are ada: \S+/);
      assert.equal(await page.getByRole('button', { name: /^Yes/ }).count(), 0);
      await follow(page, mouse(page), 'Take me back');
      assert.deepEqual(await namesIn(page), ['ada']);
    }));
});

test('groups are deleted after a confirmation, and their members stay', () =>
  visit(GROUPS, async (page) => {
    await act(page, 'Delete selected groups', ['Editors', 'Support']);
    assert.match(await textOf(page), /Users who are in a group stay/);
    assert.match(await textOf(page), /Editors \(10 users\)/);
    await press(page, 'Yes, I’m sure');
    assert.equal(await messageOf(page), 'Successfully deleted 2 groups.');
    assert.deepEqual(await namesIn(page), ['Auditors']);
    await page.goto(`${USERS}?q=haddad`);
    assert.equal((await namesIn(page)).length, 12);
  }));

test('tokens are taken off the blacklist after a warning, and work again', () =>
  visit(BLACKLIST, async (page) => {
    const { server } = site;
    const refresh = await obtainRefresh(server, EVE);
    await fetch(`${server.url}/api/token/blacklist/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh }),
    });
    assert.equal(await refreshStatus(server, refresh), 401);
    await search(page, 'eve');
    await act(page, 'Delete selected blacklisted tokens', [jtiOf(refresh)]);
    assert.match(await textOf(page), /It has not expired: whoever has it can use it again/);
    await press(page, 'Yes, I’m sure');
    assert.equal(await messageOf(page), 'Successfully deleted 1 blacklisted token.');
    assert.equal(await refreshStatus(server, refresh), 200);
  }));
