import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { overwriteUser } from './accounts.ts';
import { decodePart, readAnswer, tokenIn } from './answer.ts';
import { mintToken } from './mint.ts';
import { ADA, loading, openSite, type Site } from './site.ts';
import { logIn, nextStep, postForm, postRaw } from './steps.ts';

const KEY = 'a key that the test knows, and long enough for HS256';

/** Breaks out of text, attributes, textareas, titles and scripts, whichever it is put into. */
const MARKUP =
  `"'></textarea></title></script></pre><jotgate-probe></jotgate-probe><img src=/probe onerror=document.title=1>` +
  `<script>document.title=1</script><a href="javascript:document.title=1">x</a>`;

let site: Site;
before(async () => {
  site = await openSite({
    SIGNING_KEY: KEY,
    TOKEN_CLAIMS: 'email=$email,greeting=<jotgate-probe></jotgate-probe>',
  });
  await site.server.createUser(ADA);
  await site.server.createUser({ ...ADA, username: 'marked' });
  overwriteUser(site.server, 'marked', { username: MARKUP, email: MARKUP });
});
after(() => site.close());

/** Every place where somebody's text may come to stand in a page. */
const PLACES: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'the username': (page) => postForm(page, '/api/token/', { Username: MARKUP, Password: 'wrong' }),
  'the password': (page) => postForm(page, '/api/token/', { Password: MARKUP }),
  'the field of a token': (page) => postForm(page, '/api/token/verify/', { Token: MARKUP }),
  'the field of a token with dots': (page) =>
    postForm(page, '/api/token/refresh/', { Refresh: `${MARKUP}.a.b` }),
  'the access token': async (page) => {
    await page.goto('/api/me/');
    await page.getByLabel('Access token').fill(`x${MARKUP}`);
    await loading(page, () => page.getByRole('button', { name: 'GET', exact: true }).last().click());
  },
  'raw JSON': (page) => postRaw(page, '/api/token/', JSON.stringify({ username: MARKUP, [MARKUP]: MARKUP })),
  'broken JSON': (page) => postRaw(page, '/api/token/', MARKUP),
  'a raw form': (page) =>
    postRaw(page, '/api/token/', `username=${MARKUP}`, 'application/x-www-form-urlencoded'),
  'raw multipart': (page) => postRaw(page, '/api/token/', MARKUP, 'multipart/form-data'),
  'the query': (page) =>
    page.goto(`/api/?format=api&${encodeURIComponent(MARKUP)}=${encodeURIComponent(MARKUP)}`),
  'the query as it is': (page) => page.goto(`/api/token/?x=${MARKUP}`),
  'the path': (page) => page.goto(`/api/${encodeURIComponent(MARKUP)}/`),
  'the claims of a signed token that is sent': (page) => openVerify(page, mint({})),
  'the claims of a refreshed token': (page) => postForm(page, '/api/token/refresh/', { Refresh: mint({}) }),
  'the header of a token': (page) => openVerify(page, mint({}, { kid: MARKUP, [MARKUP]: 1 })),
  'times that are none': (page) => openVerify(page, mint({ exp: MARKUP, iat: [MARKUP], nbf: 1e300 })),
  'the name of an account': async (page) => {
    const answer = await postForm(page, '/api/token/', { Username: MARKUP, Password: ADA.password });
    assert.equal(answer.status, 200);
    await nextStep(page, 'Inside the access token', 'Use it at /api/me/');
    assert.equal((await readAnswer(page)).json.username, MARKUP);
  },
  'claims of settings and of fields': async (page) => {
    const answer = await postForm(page, '/api/token/', { Username: MARKUP, Password: ADA.password });
    assert.equal(decodePart(tokenIn(answer, 'access'), 1).email, MARKUP);
  },
};

for (const [place, put] of Object.entries(PLACES)) {
  test(`markup in ${place} is text`, () =>
    site.visit(async (page) => {
      await put(page);
      const found = await page.evaluate(() =>
        [
          ...document.querySelectorAll(
            'jotgate-probe, img[src*=probe], script:not([src]), [href^=javascript]',
          ),
        ].map((element) => element.outerHTML),
      );
      assert.deepEqual(found, []);
      assert.notEqual(await page.title(), '1');
      assert.equal(await page.locator('main').count(), 1);
    }));
}

test('a format with markup is answered by JSON, which no browser takes for a page', () =>
  site.visit(async (page) => {
    const response = await page.request.get(`/api/?format=${encodeURIComponent(MARKUP)}`);
    assert.equal(response.headers()['content-type'], 'application/json');
    assert.equal(response.headers()['x-content-type-options'], 'nosniff');
  }));

test('a claim with markup is shown to the letter', () =>
  site.visit(async (page) => {
    await openVerify(page, mint({}));
    const shown = (await page.getByRole('region', { name: /^Inside/ }).textContent()) ?? '';
    assert.ok(shown.includes(JSON.stringify(MARKUP).slice(1, -1)), shown);
  }));

/** A next step with another token put into its form, as whoever sends somebody a page would do it. */
async function openVerify(page: Page, token: string): Promise<void> {
  await logIn(page);
  const hidden = page.locator('form[action="/api/token/verify/"] input[name="token"]').last();
  await hidden.evaluate((input, value) => {
    (input as HTMLInputElement).value = value;
  }, token);
  await nextStep(page, 'Inside the access token', 'Verify');
}

function mint(
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  return mintToken(
    KEY,
    {
      ...{ token_type: 'refresh', exp: now + 300, iat: now, jti: '0'.repeat(32), user_id: '1' },
      ...{ evil: MARKUP, [MARKUP]: MARKUP, nested: { [MARKUP]: [MARKUP] }, sub: MARKUP, iss: MARKUP },
      ...claims,
    },
    header,
  );
}
