import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Locator } from 'playwright';
import { decodePart, exchangeOf, tokenIn } from './answer.ts';
import { findViolations } from './axe.ts';
import { mintToken } from './mint.ts';
import { ADA, openSite, type Site } from './site.ts';
import { logIn, postForm } from './steps.ts';

const KEY = 'a key that the test knows, and long enough for HS256';

let site: Site;
before(async () => {
  site = await openSite({
    SIGNING_KEY: KEY,
    ISSUER: 'https://issuer.example',
    AUDIENCE: 'shop,stock',
    TOKEN_CLAIMS: 'email=$email,tenant=acme',
  });
  await site.server.createUser(ADA);
});
after(() => site.close());

const PARTS = ['Header', 'Payload', 'Signature'] as const;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`a token has three colours, and so have its parts beside it: ${colorScheme}`, () =>
    site.visit(
      async (page) => {
        const answer = await logIn(page);
        for (const key of ['refresh', 'access'] as const) {
          const inside = page.getByRole('region', { name: `Inside the ${key} token` });
          const parts = tokenIn(answer, key).split('.');
          const inAnswer = parts.map((part) => exchangeOf(page).getByText(part, { exact: true }).last());
          const colours = await Promise.all(inAnswer.map(colourOf));
          assert.equal(new Set(colours).size, 3, `${colours}`);
          const headings = PARTS.map((name) => inside.getByRole('heading', { name, exact: true }));
          assert.deepEqual(await Promise.all(headings.map(colourOf)), colours);
        }
      },
      { colorScheme },
    ));
}

test('every claim of header and payload stands there with its value', () =>
  site.visit(async (page) => {
    const answer = await logIn(page);
    for (const key of ['refresh', 'access'] as const) {
      const token = tokenIn(answer, key);
      const inside = page.getByRole('region', { name: `Inside the ${key} token` });
      const claims = { ...decodePart(token, 0), ...decodePart(token, 1) };
      assert.ok(Object.keys(claims).length >= 11, Object.keys(claims).join());
      for (const [name, value] of Object.entries(claims)) {
        const cells = await rowOf(inside, name).getByRole('cell').allTextContents();
        assert.ok(squeezed(cells[0]).startsWith(squeezed(JSON.stringify(value))), `${name}: ${cells[0]}`);
      }
    }
  }));

test('every registered claim is explained in words', () =>
  site.visit(async (page) => {
    const now = Math.floor(Date.now() / 1000);
    const refresh = mintToken(KEY, {
      token_type: 'refresh',
      exp: now + 3600,
      nbf: now - 60,
      iat: now - 120,
      jti: '0123456789abcdef0123456789abcdef',
      user_id: '1',
      sub: 'subject-7',
      aud: ['shop', 'stock'],
      iss: 'https://issuer.example',
    });
    assert.equal((await postForm(page, '/api/token/refresh/', { Refresh: refresh })).status, 200);
    const inside = page.getByRole('region', { name: 'Inside the access token' });
    const meanings = await Promise.all(
      ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'token_type', 'user_id', 'alg', 'typ'].map((name) =>
        rowOf(inside, name).getByRole('cell').nth(1).textContent(),
      ),
    );
    for (const meaning of meanings) assert.match(meaning ?? '', /\w{2,} \w+/);
    assert.equal(new Set(meanings).size, meanings.length, 'two claims have the same meaning');
    for (const name of ['exp', 'nbf', 'iat'])
      assert.equal(await rowOf(inside, name).locator('time').count(), 1);
  }));

test('times are those of the place where one is', async () => {
  const shown: string[] = [];
  for (const timezoneId of ['America/New_York', 'Asia/Kolkata']) {
    await site.visit(
      async (page) => {
        const exp = Number(decodePart(tokenIn(await logIn(page), 'access'), 1).exp);
        const time = rowOf(page.getByRole('region', { name: 'Inside the access token' }), 'exp').locator(
          'time',
        );
        const text = (await time.textContent())?.replaceAll('\u202f', ' ') ?? '';
        assert.ok(text.includes(clockTime(exp, timezoneId)), `${text} is not ${clockTime(exp, timezoneId)}`);
        assert.match((await time.getAttribute('title')) ?? '', /UTC/);
        shown.push(text.replace(/:.*/, ''));
      },
      { timezoneId },
    );
  }
  assert.notEqual(shown[0], shown[1]);
});

test('with JavaScript off times are in UTC and say so', () =>
  site.visit(
    async (page) => {
      const exp = Number(decodePart(tokenIn(await logIn(page), 'access'), 1).exp);
      const cell = rowOf(page.getByRole('region', { name: 'Inside the access token' }), 'exp').getByRole(
        'cell',
      );
      const iso = new Date(exp * 1000).toISOString();
      assert.match(squeezed(await cell.first().textContent()), new RegExp(`${iso.slice(11, 19)}UTC`));
      const valid = await page.getByText('Valid now').first().textContent();
      assert.match(valid ?? '', /Valid now/);
    },
    { javaScriptEnabled: false, timezoneId: 'America/New_York' },
  ));

test('the time that is left counts down', () =>
  site.visit(async (page) => {
    await logIn(page);
    const inside = page.getByRole('region', { name: 'Inside the access token' });
    const first = await secondsLeft(inside);
    assert.ok(first > 290 && first <= 300, `${first} s`);
    await page.waitForTimeout(2_500);
    const second = await secondsLeft(inside);
    assert.ok(second <= first - 2 && second >= first - 5, `${first} s, then ${second} s`);
    assert.match((await rowOf(inside, 'exp').textContent()) ?? '', /in 4 min \d+ s/);
    assert.match((await rowOf(inside, 'iat').textContent()) ?? '', /\d s ago/);
  }));

test('a token becomes expired while one looks on', async () => {
  const brief = await openSite({ ACCESS_TOKEN_LIFETIME: '2' });
  try {
    await brief.server.createUser(ADA);
    await brief.visit(async (page) => {
      await logIn(page);
      const inside = page.getByRole('region', { name: 'Inside the access token' });
      await inside.getByText(/^Valid now/).waitFor();
      const before = await colourOf(inside.getByText(/^Valid now/));
      await inside.getByText(/^Expired/).waitFor();
      assert.notEqual(await colourOf(inside.getByText(/^Expired/)), before);
      await page
        .getByRole('region', { name: 'Inside the refresh token' })
        .getByText(/^Valid now/)
        .waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await findViolations(page), [], colorScheme);
      }
    });
  } finally {
    await brief.close();
  }
});

function rowOf(inside: Locator, claim: string): Locator {
  const header = inside.page().getByRole('rowheader', { name: claim, exact: true });
  return inside.getByRole('row').filter({ has: header });
}

function colourOf(locator: Locator): Promise<string> {
  return locator.evaluate((element) => getComputedStyle(element).color);
}

async function secondsLeft(inside: Locator): Promise<number> {
  const text = (await inside.getByText(/^Valid now/).textContent()) ?? '';
  const [, minutes, seconds] = /in (?:(\d+) min)? ?(?:(\d+) s)?/.exec(text) ?? [];
  return Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

function clockTime(seconds: number, timeZone: string): string {
  const options = { timeZone, hour: 'numeric', minute: '2-digit', second: '2-digit' } as const;
  return new Date(seconds * 1000).toLocaleTimeString('en-US', options).replaceAll('\u202f', ' ');
}

function squeezed(text: string | null | undefined): string {
  return (text ?? '').replaceAll(/\s/g, '');
}
