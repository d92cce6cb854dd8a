import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { createSuperuser } from './accounts.ts';
import { readAnswer, tokenIn } from './answer.ts';
import { type Hands, keyboard, mouse } from './hands.ts';
import { ADA, loading, openSite, type Site } from './site.ts';

let site: Site;
before(async () => {
  site = await openSite();
});
after(() => site.close());

test('the tutorial by mouse', () => site.visit((page) => goThrough(page, mouse(page), 'mouse')));

test('the tutorial by keyboard alone', () =>
  site.visit((page) => goThrough(page, keyboard(page), 'keyboard')));

test('the tutorial with JavaScript off', () =>
  site.visit((page) => goThrough(page, mouse(page), 'plain'), { javaScriptEnabled: false }));

async function goThrough(page: Page, hands: Hands, username: string): Promise<void> {
  const account = { ...ADA, username };
  await page.goto('/');
  await loading(page, () => hands.press(page.getByRole('link', { name: /^Log in/ }).first()));
  await beRefused(page, hands, account);
  assert.match(await createSuperuser(site.server, account), /Superuser created successfully/);
  const { access, refresh } = await logIn(page, hands, account);
  await useAccess(page, hands, access, username);
  await goTo(page, hands, '/api/token/refresh/');
  await refreshAndVerify(page, hands, refresh);
  await goTo(page, hands, '/api/token/blacklist/');
  await blacklist(page, hands, refresh);
}

async function beRefused(page: Page, hands: Hands, account: typeof ADA): Promise<void> {
  assert.equal((await readAnswer(page)).status, 405);
  await hands.write(page.getByLabel('Username'), account.username);
  await hands.write(page.getByLabel('Password'), account.password);
  await send(page, hands);
  const { status, json, headers, advice } = await readAnswer(page);
  assert.equal(status, 401);
  assert.deepEqual(json, { detail: 'No active account found with the given credentials' });
  assert.equal(headers['WWW-Authenticate'], 'Bearer realm="api"');
  assert.match(advice, /createsuperuser/);
}

/** The name still stands in its field, from the refusal. */
async function logIn(page: Page, hands: Hands, account: typeof ADA) {
  assert.equal(await page.getByLabel('Username').inputValue(), account.username);
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await hands.write(page.getByLabel('Password'), account.password);
  await send(page, hands);
  const answer = await readAnswer(page);
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.json), ['refresh', 'access']);
  return { access: tokenIn(answer, 'access'), refresh: tokenIn(answer, 'refresh') };
}

async function useAccess(page: Page, hands: Hands, access: string, username: string): Promise<void> {
  await loading(page, () => hands.press(page.getByRole('button', { name: 'Use it at /api/me/' })));
  assert.equal(new URL(page.url()).pathname, '/api/me/');
  assert.equal(await page.getByLabel('Access token').inputValue(), access);
  await loading(page, () => hands.press(page.getByRole('button', { name: 'GET', exact: true }).last()));
  const { status, json } = await readAnswer(page);
  assert.equal(status, 200);
  assert.equal(json.username, username);
  assert.match((await page.getByRole('banner').textContent()) ?? '', new RegExp(`Logged in as ${username}`));
}

/** By the breadcrumbs and the list of all endpoints. */
async function goTo(page: Page, hands: Hands, path: string): Promise<void> {
  const breadcrumbs = page.getByRole('navigation', { name: 'Breadcrumbs' });
  await loading(page, () => hands.press(breadcrumbs.getByRole('link').first()));
  assert.equal(new URL(page.url()).pathname, '/api/');
  await loading(page, () =>
    hands.press(page.getByRole('link', { name: site.server.url + path, exact: true })),
  );
  assert.equal(new URL(page.url()).pathname, path);
}

async function refreshAndVerify(page: Page, hands: Hands, refresh: string): Promise<void> {
  await hands.write(page.getByLabel('Refresh', { exact: true }), refresh);
  await send(page, hands);
  const answer = await readAnswer(page);
  assert.equal(answer.status, 200);
  const fresh = tokenIn(answer, 'access');
  await loading(page, () => hands.press(page.getByRole('button', { name: 'Verify', exact: true })));
  assert.equal(await page.getByLabel('Token', { exact: true }).inputValue(), fresh);
  await send(page, hands);
  const verified = await readAnswer(page);
  assert.deepEqual([verified.status, verified.json], [200, {}]);
}

/** And tries to refresh with it all the same. */
async function blacklist(page: Page, hands: Hands, refresh: string): Promise<void> {
  await hands.write(page.getByLabel('Refresh', { exact: true }), refresh);
  await send(page, hands);
  const answer = await readAnswer(page);
  assert.deepEqual([answer.status, answer.json], [200, {}]);
  await goTo(page, hands, '/api/token/refresh/');
  await hands.write(page.getByLabel('Refresh', { exact: true }), refresh);
  await send(page, hands);
  const refused = await readAnswer(page);
  assert.equal(refused.status, 401);
  assert.deepEqual(refused.json, { detail: 'Token is blacklisted', code: 'token_not_valid' });
  assert.match(refused.advice, /log in|\/api\/token\//i);
}

async function send(page: Page, hands: Hands): Promise<void> {
  await loading(page, () => hands.press(page.getByRole('button', { name: 'POST', exact: true })));
}
