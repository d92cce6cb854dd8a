import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { assertGoodPage, weighAssets } from '../page-checks.ts';
import { ADA, loading, openSite, type Site } from '../site.ts';
import { postForm } from '../steps.ts';
import { loginStatus } from './api.ts';
import {
  assertNothingBeside,
  enterAdmin,
  follow,
  headingOf,
  logInToAdmin,
  messageOf,
  pathOf,
  pressButton,
  textOf,
} from './steps.ts';
import { WAYS } from './ways.ts';

const PASSWORD = 'Brown-bread-and-butter-3';

/** How many log-ins of an account may fail. */
const MOST = 3;

const LOCKS = '/admin/locks/';

let site: Site;
before(async () => {
  site = await openSite({
    LOGIN_FAILURES_PER_ACCOUNT: String(MOST),
    LOGIN_FAILURES_PER_ADDRESS: '0',
    LOGIN_FAILURE_WINDOW: '10m',
  });
  await site.server.createUser(ADA);
});
after(() => site.close());

let accounts = 0;
async function someone(): Promise<{ username: string; password: string }> {
  accounts += 1;
  const account = { username: `walker${accounts}`, password: PASSWORD, is_staff: true };
  await site.server.createUser(account);
  return account;
}

/** Fills the form of the API with a password. @returns the status, and for how long the page tells to wait */
async function tryToLogIn(page: Page, username: string, password: string) {
  const { status, json, headers } = await postForm(page, '/api/token/', {
    Username: username,
    Password: password,
  });
  const wait = headers['Retry-After'] ?? null;
  if (status === 429) {
    const detail = `Request was throttled. Expected available in ${wait} second${wait === '1' ? '' : 's'}.`;
    assert.deepEqual(json, { detail });
  }
  return { status, wait: wait === null ? null : Number(wait) };
}

/** Who is locked, by the rows of the page. */
async function lockedOn(page: Page): Promise<string[]> {
  return page.locator('tbody tr td:first-child').allInnerTexts();
}

describe('who failed too often is locked out, seen by an admin, and let in again', () => {
  for (const [way, { handsOf, options }] of Object.entries(WAYS)) {
    if (way === 'by mouse') continue;
    test(way, () =>
      site.visit(async (page) => {
        const hands = handsOf(page);
        const { username, password } = await someone();
        for (let count = 0; count < MOST; count += 1) {
          assert.deepEqual(await tryToLogIn(page, username, 'wrong'), { status: 401, wait: null });
        }
        const { status, wait } = await tryToLogIn(page, username, password);
        assert.equal(status, 429);
        assert.ok(wait !== null && wait > 500 && wait <= 600, `${wait} s`);

        await logInToAdmin(page, ADA, hands);
        await follow(page, hands, 'Locks', page.getByRole('navigation', { name: 'Administration' }));
        assert.equal(await headingOf(page), 'Locks');
        assert.ok((await lockedOn(page)).includes(username));
        const row = page.getByRole('row').filter({ hasText: username });
        assert.match(await row.innerText(), new RegExp(`${username}\\s+Username\\s+${MOST}\\s`));
        await assertNothingBeside(page);
        await pressButton(page, hands, `Lift the lock of ${username}`);
        assert.equal(pathOf(page), LOCKS);
        assert.equal(await messageOf(page), `The lock of ${username} was lifted.`);
        assert.ok(!(await lockedOn(page)).includes(username));
        assert.deepEqual(await tryToLogIn(page, username, password), { status: 200, wait: null });
      }, options),
    );
  }
});

test('the log-in of the admin is locked as well, and says for how long', () =>
  site.visit(
    async (page) => {
      const account = await someone();
      for (let count = 0; count < MOST; count += 1) {
        await logInToAdmin(page, { ...account, password: 'wrong' });
        assert.match(await textOf(page), /Please enter the correct username and password/);
      }
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      await logInToAdmin(page, account);
      const response = await answer;
      assert.equal(response.status(), 429);
      assert.ok(Number(await response.headerValue('retry-after')) > 500);
      assert.match(
        await page.locator('body').innerText(),
        /Request was throttled\. Expected available in \d+ seconds\./,
      );
      assert.equal(await loginStatus(site.server, account), 429, 'so is the API');
    },
    { javaScriptEnabled: false },
  ));

test('a name that nobody has is locked like any other, and named nowhere', () =>
  site.visit(async (page) => {
    const { username } = await someone();
    for (const name of [username, 'a-secret-typed-as-a-name']) {
      for (let count = 0; count < MOST; count += 1) await tryToLogIn(page, name, 'wrong');
      assert.equal((await tryToLogIn(page, name, 'wrong')).status, 429);
    }
    await enterAdmin(page);
    await assertGoodPage(page, () => page.goto(LOCKS), await weighAssets(page, '/admin/'));
    assert.ok((await lockedOn(page)).includes('A name that nobody has'));
    assert.ok(!(await page.content()).includes('a-secret-typed-as-a-name'));

    // Somebody else is quicker.
    const other = await page.context().newPage();
    await other.goto(`${site.server.url}${LOCKS}`);
    const lift = `Lift the lock of ${username}`;
    await loading(other, () => other.getByRole('button', { name: lift }).click());
    await loading(page, () => page.getByRole('button', { name: lift }).click());
    assert.equal(await messageOf(page), 'That lock is over already.');
    await other.close();
  }, {}));
