import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { type Answer, readAnswer } from './answer.ts';
import { mintToken } from './mint.ts';
import { KEY, SHARED_SITE } from './shared-site.ts';
import { loading, type Site } from './site.ts';
import { logIn, obtain, postForm, postRaw } from './steps.ts';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
});
after(() => SHARED_SITE.giveBack());

/** What goes wrong, and the plain line that tells what to do about it. */
const REFUSALS: readonly {
  readonly name: string;
  readonly status: number;
  readonly advice: RegExp;
  make(page: Page): Promise<Answer>;
}[] = [
  {
    name: 'no such account',
    status: 401,
    advice: /npm run createsuperuser/,
    make: (page) => postForm(page, '/api/token/', { Username: 'nobody', Password: 'nothing' }),
  },
  {
    name: 'an expired access token',
    status: 401,
    advice: /(expired|over).*refresh.*\/api\/token\/refresh\/.*log in again/i,
    make: (page) => getMe(page, expired('access')),
  },
  {
    name: 'an expired refresh token',
    status: 401,
    advice: /(expired|over).*log in again/i,
    make: (page) => postForm(page, '/api/token/refresh/', { Refresh: expired('refresh') }),
  },
  {
    name: 'a refresh token where an access token is wanted',
    status: 401,
    advice: /access token/i,
    make: async (page) => getMe(page, (await obtain(page)).refresh),
  },
  {
    name: 'an access token where a refresh token is wanted',
    status: 401,
    advice: /refresh token|\/api\/me\//i,
    make: async (page) => postForm(page, '/api/token/refresh/', { Refresh: (await obtain(page)).access }),
  },
  {
    name: 'a token whose signature does not fit',
    status: 401,
    advice: /sign|altered|changed/i,
    make: async (page) => getMe(page, `${(await obtain(page)).access}x`),
  },
  {
    name: 'no token at all',
    status: 401,
    advice: /access token.*\/api\/token\//,
    make: async (page) => {
      await page.goto('/api/me/');
      return await readAnswer(page);
    },
  },
  {
    name: 'a blacklisted token',
    status: 401,
    advice: /log in|\/api\/token\//i,
    make: async (page) => {
      const { refresh } = await obtain(page);
      await postForm(page, '/api/token/blacklist/', { Refresh: refresh });
      return await postForm(page, '/api/token/refresh/', { Refresh: refresh });
    },
  },
  {
    name: 'an account that is gone',
    status: 401,
    advice: /account|user/i,
    make: (page) => getMe(page, minted('access', { user_id: '4711' })),
  },
  {
    name: 'a missing field',
    status: 400,
    advice: /field|form/i,
    make: (page) => postRaw(page, '/api/token/', '{}'),
  },
  {
    name: 'a body that is no object',
    status: 400,
    advice: /\w/,
    make: (page) => postRaw(page, '/api/token/', '[1]'),
  },
];

for (const { name, status, advice, make } of REFUSALS) {
  test(`${name}: one plain line under the JSON says what to do`, () =>
    site.visit(async (page) => {
      const answer = await make(page);
      assert.equal(answer.status, status);
      assert.match(answer.advice, advice);
      const line = await page.getByRole('note').boundingBox();
      const json = await page.locator('pre').nth(1).boundingBox();
      assert.ok(line && json && line.y >= json.y + json.height, 'it does not stand under the JSON');
    }));
}

test('what goes well needs no explanation', () =>
  site.visit(async (page) => {
    assert.equal((await logIn(page)).advice, '');
    await page.goto('/api/');
    assert.equal((await readAnswer(page)).advice, '');
  }));

test('the advice leads on by links', () =>
  site.visit(async (page) => {
    await getMe(page, expired('access'));
    await loading(page, () =>
      page.getByRole('note').getByRole('link', { name: '/api/token/refresh/' }).click(),
    );
    assert.equal(page.url(), `${site.server.url}/api/token/refresh/`);
  }));

async function getMe(page: Page, token: string): Promise<Answer> {
  await page.goto('/api/me/');
  await page.getByLabel('Access token').fill(token);
  await loading(page, () => page.getByRole('button', { name: 'GET', exact: true }).last().click());
  return await readAnswer(page);
}

function expired(type: string): string {
  return minted(type, { exp: Math.floor(Date.now() / 1000) - 10 });
}

function minted(type: string, claims: Readonly<Record<string, unknown>>): string {
  const now = Math.floor(Date.now() / 1000);
  const usual = { token_type: type, exp: now + 300, iat: now - 60, jti: '0'.repeat(32), user_id: '1' };
  return mintToken(KEY, { ...usual, ...claims });
}
