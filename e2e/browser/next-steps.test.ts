import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { readAnswer, tokenIn } from './answer.ts';
import { keyboard } from './hands.ts';
import { SHARED_SITE } from './shared-site.ts';
import { ADA, loading, type Site } from './site.ts';
import { logIn, nextStep, post } from './steps.ts';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
});
after(() => SHARED_SITE.giveBack());

const REFRESH = 'Inside the refresh token';
const ACCESS = 'Inside the access token';
const SLIDING = 'Inside the token';

// That no token ever stands in a URL is seen by the watch over every visit.
const STEPS = [
  {
    section: REFRESH,
    name: 'Refresh with this token',
    path: '/api/token/refresh/',
    field: 'Refresh',
    keys: ['access'],
  },
  { section: REFRESH, name: 'Verify', path: '/api/token/verify/', field: 'Token', keys: [] },
  { section: REFRESH, name: 'Blacklist', path: '/api/token/blacklist/', field: 'Refresh', keys: [] },
  { section: ACCESS, name: 'Verify', path: '/api/token/verify/', field: 'Token', keys: [] },
] as const;

for (const { section, name, path, field, keys } of STEPS) {
  test(`"${name}" ${section.toLowerCase()} opens ${path} with it filled in`, () =>
    site.visit(async (page) => {
      const answer = await logIn(page);
      const token = tokenIn(answer, section === REFRESH ? 'refresh' : 'access');
      await nextStep(page, section, name);
      assert.equal(page.url(), site.server.url + path);
      assert.equal(await page.getByLabel(field, { exact: true }).inputValue(), token);
      assert.equal((await readAnswer(page)).request, `GET ${path}`);
      const { status, json } = await post(page);
      assert.deepEqual([status, Object.keys(json)], [200, keys]);
    }));
}

test('"Use it at /api/me/" opens it with the token filled in', () =>
  site.visit(async (page) => {
    const access = tokenIn(await logIn(page), 'access');
    await nextStep(page, ACCESS, 'Use it at /api/me/');
    assert.equal(page.url(), `${site.server.url}/api/me/`);
    assert.equal(await page.getByLabel('Access token').inputValue(), access);
    const { status, json } = await sendAccessToken(page);
    assert.deepEqual([status, json.username], [200, ADA.username]);
  }));

test('a refreshed access token leads on as well', () =>
  site.visit(async (page) => {
    await logIn(page);
    await nextStep(page, REFRESH, 'Refresh with this token');
    const access = tokenIn(await post(page), 'access');
    await nextStep(page, ACCESS, 'Use it at /api/me/');
    assert.equal(await page.getByLabel('Access token').inputValue(), access);
    assert.equal((await sendAccessToken(page)).status, 200);
  }));

test('a sliding token leads to its own refresh, to verify and to the blacklist', () =>
  site.visit(async (page) => {
    for (const [name, path, field] of [
      ['Refresh with this token', '/api/token/sliding/refresh/', 'Token'],
      ['Verify', '/api/token/verify/', 'Token'],
    ] as const) {
      const token = tokenIn(await logIn(page, '/api/token/sliding/'), 'token');
      await nextStep(page, SLIDING, name);
      assert.equal(page.url(), site.server.url + path);
      assert.equal(await page.getByLabel(field, { exact: true }).inputValue(), token);
      assert.equal((await post(page)).status, 200);
    }
  }));

test('the next steps work by keyboard', () =>
  site.visit(async (page) => {
    const access = tokenIn(await logIn(page), 'access');
    const button = page.getByRole('button', { name: 'Use it at /api/me/' });
    await loading(page, () => keyboard(page).press(button));
    assert.equal(await page.getByLabel('Access token').inputValue(), access);
  }));

test('the top keeps the token for GET and OPTIONS of the same page', () =>
  site.visit(async (page) => {
    await logIn(page);
    await nextStep(page, ACCESS, 'Use it at /api/me/');
    await loading(page, () => page.getByRole('button', { name: 'GET', exact: true }).first().click());
    assert.equal((await readAnswer(page)).status, 200);
    await loading(page, () => page.getByRole('button', { name: 'OPTIONS' }).click());
    const { request, status, json } = await readAnswer(page);
    assert.deepEqual([request, status, json.name], ['OPTIONS /api/me/', 200, 'Me']);
  }));

test('the bar of addresses and the history hold no token', () =>
  site.visit(async (page) => {
    await logIn(page);
    await nextStep(page, REFRESH, 'Refresh with this token');
    await post(page);
    await nextStep(page, ACCESS, 'Use it at /api/me/');
    await sendAccessToken(page);
    const session = await page.context().newCDPSession(page);
    const { entries } = await session.send('Page.getNavigationHistory');
    assert.ok(entries.length > 3);
    assert.deepEqual(
      entries.filter(({ url, title }) => /eyJ|[?#]/.test(url + title)),
      [],
    );
    await session.detach();
  }));

function sendAccessToken(page: Page) {
  const form = page.getByRole('region', { name: 'Make the request with a token' });
  return loading(page, () => form.getByRole('button', { name: 'GET', exact: true }).click()).then(() =>
    readAnswer(page),
  );
}
