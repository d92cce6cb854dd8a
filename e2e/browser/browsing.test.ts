import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { decodePart, readAnswer, tokenIn } from './answer.ts';
import { keyboard, mouse } from './hands.ts';
import { SHARED_SITE } from './shared-site.ts';
import { loading, type Site } from './site.ts';
import { logIn, nextStep, postForm } from './steps.ts';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
});
after(() => SHARED_SITE.giveBack());

const POST_ENDPOINTS = {
  '/api/token/': 'Token Obtain Pair',
  '/api/token/refresh/': 'Token Refresh',
  '/api/token/verify/': 'Token Verify',
  '/api/token/blacklist/': 'Token Blacklist',
  '/api/token/sliding/': 'Token Obtain Sliding',
  '/api/token/sliding/refresh/': 'Token Refresh Sliding',
};

test('the home page says what this is and leads to the API, the guide and the admin', () =>
  site.visit(async (page) => {
    await page.goto('/');
    assert.match((await page.getByRole('main').textContent()) ?? '', /JWT/);
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    assert.ok(height <= 1000, `one screen is not ${height} px`);
    for (const path of ['/api/', '/guide/', '/admin/', '/api/token/']) {
      await page.goto('/');
      await loading(page, () => page.getByRole('main').locator(`a[href="${path}"]`).first().click());
      assert.equal(new URL(page.url()).pathname, path === '/admin/' ? '/admin/login/' : path);
    }
  }));

test('the guide takes a real token apart and tells of obtain, use, expire and refresh', () =>
  site.visit(async (page) => {
    await page.goto('/guide/');
    const main = page.getByRole('main');
    const [token = ''] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec((await main.textContent()) ?? '') ?? [];
    const [header = '', payload = ''] = token.split('.');
    assert.ok(JSON.parse(Buffer.from(header, 'base64url').toString()).alg);
    assert.ok(JSON.parse(Buffer.from(payload, 'base64url').toString()).exp > Date.now() / 1000);
    for (const name of ['Header', 'Payload', 'Signature', 'Obtain', 'Use', 'Expire', 'Refresh']) {
      assert.equal(await main.getByRole('heading', { name, exact: true }).isVisible(), true, name);
    }
    await page.reload();
    assert.ok(!((await main.textContent()) ?? '').includes(token), 'the token was not made for the page');
  }));

test('the API root links every endpoint, each with its name and a 405 on GET', () =>
  site.visit(async (page) => {
    for (const [path, name] of Object.entries(POST_ENDPOINTS)) {
      await page.goto('/api/');
      await loading(page, () =>
        page.getByRole('link', { name: site.server.url + path, exact: true }).click(),
      );
      const { request, status, headers, json } = await readAnswer(page);
      assert.deepEqual([request, status], [`GET ${path}`, 405]);
      assert.equal(headers.Allow, 'POST, OPTIONS');
      assert.deepEqual(json, { detail: 'Method "GET" not allowed.' });
      assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), name);
      assert.equal(await page.getByRole('button', { name: 'POST', exact: true }).isVisible(), true);
    }
  }));

test('an endpoint says what it does, and its answer is the JSON that programs get', () =>
  site.visit(async (page) => {
    await page.goto('/api/token/');
    const main = (await page.getByRole('main').textContent()) ?? '';
    assert.match(
      main,
      /Takes a set of user credentials and returns an access and refresh JSON web\s+token pair/,
    );
    await page.goto('/api/');
    const answer = await readAnswer(page);
    const plain = await page.request.get('/api/');
    assert.deepEqual(answer.json, await plain.json());
    assert.equal(answer.text, JSON.stringify(answer.json, null, 4));
  }));

test('OPTIONS shows what an endpoint takes, by mouse and by keyboard', () =>
  site.visit(async (page) => {
    for (const hands of [mouse(page), keyboard(page)]) {
      for (const path of ['/api/token/', '/api/', '/api/me/']) {
        await page.goto(path);
        await loading(page, () => hands.press(page.getByRole('button', { name: 'OPTIONS' })));
        const answer = await readAnswer(page);
        assert.equal(answer.request, `OPTIONS ${path}`);
        const plain = await page.request.fetch(path, { method: 'OPTIONS' });
        assert.deepEqual([answer.status, answer.json], [plain.status(), await plain.json()]);
      }
    }
  }));

test('GET has a choice of format where it exists, and nowhere else', () =>
  site.visit(async (page) => {
    for (const [path, status] of [
      ['/api/', 200],
      ['/api/me/', 401],
    ] as const) {
      await page.goto(path);
      await loading(page, () => formatButton(page, 'GET').click());
      assert.equal((await readAnswer(page)).status, status);
      await chooseFormat(page, 'api');
      assert.equal((await readAnswer(page)).status, status);
    }
    await page.goto('/api/token/');
    assert.equal(await formatButton(page, 'GET').count(), 0);
  }));

test('the format choice shows the JSON that programs get', () =>
  site.visit(async (page) => {
    for (const path of ['/api/', '/api/me/']) {
      await page.goto(path);
      await chooseFormat(page, 'json');
      const shown = JSON.parse((await page.locator('body').textContent()) ?? '');
      assert.deepEqual(shown, await (await page.request.get(path)).json());
    }
  }));

test('the format choice opens by keyboard', () =>
  site.visit(async (page) => {
    await page.goto('/api/');
    const hands = keyboard(page);
    await hands.press(page.locator('summary'));
    await loading(page, () => hands.press(page.getByRole('link', { name: 'api', exact: true })));
    assert.equal(new URL(page.url()).search, '?format=api');
    assert.equal((await readAnswer(page)).status, 200);
  }));

test('breadcrumbs lead back up to the root', () =>
  site.visit(async (page) => {
    await page.goto('/api/token/sliding/refresh/');
    const trail = page.getByRole('navigation', { name: 'Breadcrumbs' }).getByRole('link');
    const names = (await trail.allTextContents()).map((name) => name.trim());
    assert.deepEqual(names, [
      'Api Root',
      'Token Obtain Pair',
      'Token Obtain Sliding',
      'Token Refresh Sliding',
    ]);
    assert.equal(await trail.last().getAttribute('aria-current'), 'page');
    const paths = ['/api/token/sliding/', '/api/token/', '/api/'];
    for (const path of paths) {
      await loading(page, () => trail.nth(-2).click());
      assert.equal(new URL(page.url()).pathname, path);
    }
  }));

test('the top says who is logged in', () =>
  site.visit(async (page) => {
    const top = page.getByRole('banner');
    await page.goto('/api/me/');
    await loading(page, () => top.getByRole('link', { name: 'Log in' }).click());
    assert.equal(new URL(page.url()).pathname, '/api/token/');
    await logIn(page);
    await nextStep(page, 'Inside the access token', 'Use it at /api/me/');
    assert.match((await top.textContent()) ?? '', /Logged in as\s+ada/);
    assert.equal(await top.getByRole('link', { name: 'Log in' }).count(), 0);
  }));

test('an address that does not exist is answered by a page that leads on', () =>
  site.visit(async (page) => {
    for (const path of ['/nothing/', '/api/nothing/', '/api/token/nothing/']) {
      const response = await page.goto(path);
      assert.equal(response?.status(), 404);
      const { status, json } = await readAnswer(page);
      assert.deepEqual([status, json], [404, { detail: 'Not found.' }]);
      await loading(page, () => page.getByRole('note').getByRole('link', { name: '/api/' }).click());
      assert.equal((await readAnswer(page)).status, 200);
    }
  }));

test('an address without its last slash leads to the one with it', () =>
  site.visit(async (page) => {
    await page.goto('/api/token');
    assert.equal(new URL(page.url()).pathname, '/api/token/');
  }));

test('JSON that is selected by hand is JSON', () =>
  site.visit(async (page) => {
    const { text } = await logIn(page);
    const selected = await page.evaluate(() => {
      const selection = getSelection();
      selection?.selectAllChildren(document.querySelector('pre code') as Element);
      return String(selection);
    });
    assert.equal(selected, text);
  }));

test('sliding tokens are obtained and refreshed by their forms', () =>
  site.visit(async (page) => {
    const token = tokenIn(await logIn(page, '/api/token/sliding/'), 'token');
    const refreshed = await postForm(page, '/api/token/sliding/refresh/', { Token: token });
    assert.equal(refreshed.status, 200);
    const [before, after] = [token, tokenIn(refreshed, 'token')].map((one) => decodePart(one, 1));
    assert.equal(after?.jti, before?.jti);
    assert.ok(Number(after?.exp) >= Number(before?.exp));
  }));

function formatButton(page: Page, name: string) {
  const named = { name, exact: true };
  return page.getByRole('link', named).or(page.getByRole('button', named)).first();
}

async function chooseFormat(page: Page, format: 'api' | 'json'): Promise<void> {
  await page.locator('summary').click();
  await loading(page, () => page.getByRole('link', { name: format, exact: true }).click());
}
