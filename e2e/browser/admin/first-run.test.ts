import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { readAnswer, tokenIn } from '../answer.ts';
import type { Hands } from '../hands.ts';
import { loading, openSite, type Site } from '../site.ts';
import { fill, logInToAdmin, logOut, messageOf, pathOf, pressButton } from './steps.ts';
import { WAYS } from './ways.ts';

const ROOT = { username: 'root', password: 'Correct-horse-7-battery' };
const GRACE = { username: 'grace', password: 'Another-good-8-one' };

let site: Site;
beforeEach(async () => {
  site = await openSite();
});
afterEach(() => site.close());

describe('from the first start to a second superuser and his tokens', () => {
  for (const [way, { handsOf, options }] of Object.entries(WAYS)) {
    test(way, () =>
      site.visit(async (page) => {
        const hands = handsOf(page);
        await setUp(page, hands);
        await logOut(page, hands);
        await beRefused(page, hands);
        await logInToAdmin(page, ROOT, hands);
        assert.equal(pathOf(page), '/admin/');
        await createSuperuser(page, hands);
        await obtainTokens(page, hands);
      }, options),
    );
  }
});

function setupAddress(): string {
  const address = /http:\S+\/admin\/setup\/\?key=\S+/.exec(site.server.stdout())?.[0];
  assert.ok(address, site.server.stdout());
  return address;
}

async function setUp(page: Page, hands: Hands): Promise<void> {
  await page.goto('/admin/');
  assert.match(
    (await page.getByRole('main').textContent()) ?? '',
    /The server wrote an address to the terminal/,
  );
  await page.goto(setupAddress());
  await fill(page, hands, { Username: ROOT.username, Password: 'root', 'Password (again)': 'root' });
  await pressButton(page, hands, 'Create superuser and log in');
  const main = (await page.getByRole('main').textContent()) ?? '';
  assert.match(main, /The password is too similar to the username\./);
  assert.match(main, /This password is too short\./);
  assert.equal(await page.getByLabel('Username').inputValue(), ROOT.username, 'what was entered is kept');
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
  await fill(page, hands, {
    'Email address': 'root@example.com',
    Password: ROOT.password,
    'Password (again)': ROOT.password,
  });
  await pressButton(page, hands, 'Create superuser and log in');
  assert.equal(pathOf(page), '/admin/');
  assert.match(await messageOf(page), /^Welcome, root\./);
  assert.equal((await page.goto(setupAddress()))?.status(), 404, 'the address is good once');
  await page.goto('/admin/');
}

async function beRefused(page: Page, hands: Hands): Promise<void> {
  await logInToAdmin(page, { ...ROOT, password: 'wrong' }, hands);
  assert.equal(pathOf(page), '/admin/login/');
  assert.match(
    (await page.getByRole('alert').textContent()) ?? '',
    /Please enter the correct username and password for a staff account/,
  );
}

async function createSuperuser(page: Page, hands: Hands): Promise<void> {
  await page.goto('/admin/createsuperuser/');
  await fill(page, hands, {
    Username: GRACE.username,
    'Email address': 'grace@example.com',
    Password: GRACE.password,
    'Password (again)': GRACE.password,
  });
  await pressButton(page, hands, 'Create superuser');
  assert.match((await page.getByRole('main').textContent()) ?? '', /grace/);
}

/** By the link of the page that says what the new account can do. */
async function obtainTokens(page: Page, hands: Hands): Promise<void> {
  await loading(page, () => hands.press(page.getByRole('main').locator('a[href="/api/token/"]').first()));
  await fill(page, hands, { Username: GRACE.username, Password: GRACE.password });
  await pressButton(page, hands, 'POST');
  const answer = await readAnswer(page);
  assert.equal(answer.status, 200);
  await loading(page, () => hands.press(page.getByRole('button', { name: 'Use it at /api/me/' })));
  await loading(page, () => hands.press(page.getByRole('button', { name: 'GET', exact: true }).last()));
  const me = await readAnswer(page);
  assert.deepEqual([me.status, me.json], [200, { id: 2, username: 'grace' }]);
  assert.ok(tokenIn(answer, 'access') !== tokenIn(answer, 'refresh'));
}
