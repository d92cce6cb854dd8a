import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { overwriteUser } from '../accounts.ts';
import type { Hands } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { jtiOf, loginStatus, obtainRefresh, refreshStatus } from './api.ts';
import { act, filterBy, namesIn, search } from './list-steps.ts';
import { fill, follow, logInToAdmin, logOut, messageOf, pathOf, pressButton, textOf } from './steps.ts';
import { WAYS } from './ways.ts';

const PASSWORD = 'Brown-bread-and-butter-3';

let site: Site;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
});
after(() => site.close());

describe('a day of an admin: adds and changes a user, meets another admin, revokes, and deletes', () => {
  for (const [number, [way, { handsOf, options }]] of Object.entries(WAYS).entries()) {
    test(way, () =>
      site.visit(async (page) => {
        const hands = handsOf(page);
        const account = { username: `bob${number}`, password: PASSWORD };
        await logInToAdmin(page, ADA, hands);
        await addUser(page, hands, account);
        await changeUser(page, hands, account.username);
        await revokeOne(page, hands, account);
        await revokeAll(page, hands, account);
        await readHistory(page, hands, account.username);
        await deleteUser(page, hands, account);
        await logOut(page, hands);
      }, options),
    );
  }
});

/** Opens a list by the menu. */
function openList(page: Page, hands: Hands, name: string): Promise<void> {
  return follow(page, hands, name, page.getByRole('navigation', { name: 'Administration' }));
}

async function addUser(
  page: Page,
  hands: Hands,
  { username, password }: { username: string; password: string },
): Promise<void> {
  await openList(page, hands, 'Users');
  await follow(page, hands, 'Add user');
  await fill(page, hands, { Username: username, Password: password, 'Password confirmation': 'another' });
  await pressButton(page, hands, 'Save');
  assert.match(await textOf(page), /The two password fields didn’t match\./);
  await fill(page, hands, { Password: password, 'Password confirmation': password });
  await pressButton(page, hands, 'Save');
  assert.match(await messageOf(page), new RegExp(`^The user “${username}” was added successfully\\.`));
}

/** While the form is open, somebody else changes the address. */
async function changeUser(page: Page, hands: Hands, username: string): Promise<void> {
  await fill(page, hands, { 'First name': 'Robert' });
  await hands.tick(page.getByLabel('Staff status'));
  overwriteUser(site.server, username, { username, email: `${username}@example.com` });
  await pressButton(page, hands, 'Save');
  const alert = page.getByRole('alert', { name: 'Somebody else changed this meanwhile' });
  assert.match(await alert.innerText(), new RegExp(`Email address:\\s+${username}@example\\.com`));
  assert.equal(await page.getByLabel('First name').inputValue(), 'Robert');
  await pressButton(page, hands, 'Save');
  assert.equal(await messageOf(page), `The user “${username}” was changed successfully.`);
}

async function revokeOne(
  page: Page,
  hands: Hands,
  account: { username: string; password: string },
): Promise<void> {
  const token = await obtainRefresh(site.server, account);
  await openList(page, hands, 'Outstanding tokens');
  await search(page, account.username, hands);
  await filterBy(page, 'By state', 'Alive', hands);
  await follow(page, hands, jtiOf(token));
  await follow(page, hands, 'Revoke this token');
  await pressButton(page, hands, 'Yes, revoke it');
  assert.match(await textOf(page), /State Blacklisted/);
  assert.equal(await refreshStatus(site.server, token), 401);
}

async function revokeAll(
  page: Page,
  hands: Hands,
  account: { username: string; password: string },
): Promise<void> {
  const tokens = [await obtainRefresh(site.server, account), await obtainRefresh(site.server, account)];
  await openList(page, hands, 'Users');
  await filterBy(page, 'By staff status', 'Yes', hands);
  await search(page, account.username, hands);
  await act(page, 'Make tokens of selected users worthless', [account.username], hands);
  assert.match(await textOf(page), /2 refresh tokens die now: refused from the next request on\./);
  await pressButton(page, hands, 'Yes, make them worthless');
  assert.equal(await messageOf(page), 'Successfully revoked 2 tokens.');
  for (const token of tokens) assert.equal(await refreshStatus(site.server, token), 401);
}

async function readHistory(page: Page, hands: Hands, username: string): Promise<void> {
  await follow(page, hands, username);
  await follow(page, hands, 'History');
  assert.match(await textOf(page), /First name: empty → “Robert”; Staff status: “no” → “yes”/);
}

async function deleteUser(
  page: Page,
  hands: Hands,
  account: { username: string; password: string },
): Promise<void> {
  await follow(page, hands, account.username, page.getByRole('navigation', { name: 'Breadcrumbs' }));
  await follow(page, hands, 'Delete');
  assert.match(await textOf(page), /3 outstanding tokens stay on record without an owner\./);
  await pressButton(page, hands, 'Yes, I’m sure');
  assert.equal(pathOf(page), '/admin/auth/user/');
  assert.ok(!(await namesIn(page)).includes(account.username));
  assert.equal(await loginStatus(site.server, account), 401);
}
