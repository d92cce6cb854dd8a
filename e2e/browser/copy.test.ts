import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Locator, Page } from 'playwright';
import { exchangeOf, shownText, tokenIn } from './answer.ts';
import { keyboard } from './hands.ts';
import { SHARED_SITE } from './shared-site.ts';
import type { Site } from './site.ts';
import { logIn, nextStep } from './steps.ts';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
});
after(() => SHARED_SITE.giveBack());

/** A button that was pressed says "Copied" for a while. */
const COPY = /^Cop(y|ied) /;

const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] };

test('each token of an answer is copied with one press', () =>
  site.visit(async (page) => {
    const answer = await logIn(page);
    const buttons = exchangeOf(page).getByRole('button', { name: COPY });
    assert.equal(await buttons.count(), 2);
    assert.equal(await copied(page, buttons.first()), tokenIn(answer, 'refresh'));
    assert.equal(await copied(page, buttons.last()), tokenIn(answer, 'access'));
  }, CLIPBOARD));

test('a token that was sent is copied with one press', () =>
  site.visit(async (page) => {
    const access = tokenIn(await logIn(page), 'access');
    await nextStep(page, 'Inside the access token', 'Verify');
    assert.equal(await copied(page, page.getByRole('button', { name: COPY }).first()), access);
  }, CLIPBOARD));

test('a copy by keyboard says that it is done, and then offers itself again', () =>
  site.visit(async (page) => {
    const answer = await logIn(page);
    const button = exchangeOf(page).getByRole('button', { name: COPY }).first();
    await keyboard(page).press(button);
    await exchangeOf(page).getByText('Copied').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), tokenIn(answer, 'refresh'));
    await exchangeOf(page).getByText('Copied').waitFor({ state: 'detached' });
  }, CLIPBOARD));

test('where a browser gives no clipboard, the token is selected instead', () =>
  site.visit(async (page) => {
    const token = tokenIn(await logIn(page), 'refresh');
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await exchangeOf(page).getByRole('button', { name: COPY }).first().click();
    await page.getByText('Press Ctrl+C to copy').waitFor();
    assert.equal(await page.evaluate(() => String(getSelection())), token);
  }, {}));

test('the code of each language is copied as it stands', () =>
  site.visit(async (page) => {
    await logIn(page);
    for (const name of ['curl', 'HTTPie', 'JavaScript', 'Python']) {
      const radio = page.getByRole('radio', { name });
      await page.locator(`label[for="${await radio.getAttribute('id')}"]`).click();
      const code = page.getByLabel(name, { exact: true }).and(page.locator('pre'));
      const button = code.getByRole('button', { name: COPY });
      assert.equal(await copied(page, button), (await shownText(code)).trim());
    }
  }, CLIPBOARD));

test('the commands of the pages for people are copied as they stand', () =>
  site.visit(async (page) => {
    for (const path of ['/', '/guide/']) {
      await page.goto(path);
      const buttons = page.getByRole('main').getByRole('button', { name: COPY });
      assert.ok((await buttons.count()) > 0, path);
      for (const button of await buttons.all()) {
        const source = await button.evaluate((element) => element.previousElementSibling?.textContent);
        assert.equal(await copied(page, button), source);
      }
    }
  }, CLIPBOARD));

test('with JavaScript off there is no button that does nothing', () =>
  site.visit(
    async (page) => {
      await logIn(page);
      assert.equal(await page.getByRole('button', { name: COPY }).count(), 0);
    },
    { javaScriptEnabled: false },
  ));

async function copied(page: Page, button: Locator): Promise<string> {
  await page.evaluate(() => navigator.clipboard.writeText('nothing was copied'));
  await button.click();
  await button.getByText('Copied').waitFor();
  return await page.evaluate(() => navigator.clipboard.readText());
}
