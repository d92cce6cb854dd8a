import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Page, Response } from 'playwright';
import { findViolations } from './axe.ts';
import { PICTURE_FILE, PICTURE_SIZE, takePicture } from './screenshot.ts';
import { ADA, openSite, type Site } from './site.ts';
import { STATES } from './states.ts';
import { logIn } from './steps.ts';

/** In bytes, as they come out of the server: a page with its style and scripts. */
const WEIGHT_LIMIT = 60 * 1024;

/** In bytes: what a README may ask of its readers. */
const PICTURE_LIMIT = 200 * 1024;

/** In CSS pixels: a small phone, and a desktop. */
const WIDTHS = [360, 1280];

let site: Site;
/** What style and scripts weigh, in bytes: they are the same on every page. */
let assetsWeight: number;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
  // In a profile of its own, so that nothing comes out of a cache.
  assetsWeight = await site.visit(weighAssets, {});
});
after(() => site.close());

for (const [name, reach] of Object.entries(STATES)) {
  test(`${name}: fits every width, is accessible in light and dark, weighs little and has nothing inline`, () =>
    site.visit(async (page) => {
      let document: Response | undefined;
      const record = (response: Response) => {
        if (response.request().resourceType() === 'document') document = response;
      };
      page.on('response', record);
      await reach(page);
      page.off('response', record);
      assert.ok(document);
      await assertFits(page);
      await assertAccessible(page);
      assertHeaders(await document.allHeaders());
      assertSource(await document.text());
      const weight = (await document.body()).length + assetsWeight;
      assert.ok(weight < WEIGHT_LIMIT, `${weight} bytes`);
    }));
}

test('light and dark are two looks', async () => {
  const looks: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await site.visit(
      async (page) => {
        await page.goto('/');
        looks.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      },
      { colorScheme },
    );
  }
  const [light = 0, dark = 0] = looks.map((colour) => Number(/\d+/.exec(colour)?.[0]));
  assert.ok(light > 200 && dark < 60, `${looks}`);
});

// With SCREENSHOT=1 the picture is kept, to be committed.
test("the README's picture of a login can be taken, and is small", () =>
  site.visit(async (page) => {
    await logIn(page);
    const picture = await takePicture(page);
    assert.equal(picture.readUInt32BE(16), PICTURE_SIZE.width);
    assert.ok(picture.readUInt32BE(20) <= PICTURE_SIZE.height);
    assert.ok(picture.length < PICTURE_LIMIT, `${picture.length} bytes`);
    if (process.env.SCREENSHOT === '1') writeFileSync(PICTURE_FILE, picture);
  }, {}));

async function assertFits(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    assert.deepEqual(await page.evaluate(whatSticksOut), [], `at ${width} px`);
  }
}

/** What reaches beyond the page's edge, other than inside something that scrolls by itself. */
function whatSticksOut(): string[] {
  const { clientWidth, scrollWidth } = document.documentElement;
  const outside = [...document.body.querySelectorAll('*')].filter((element) => {
    const { left, right, width, height } = element.getBoundingClientRect();
    // What lies wholly to the left is out of sight until it has the focus.
    if (width <= 1 || height <= 1 || right <= 0 || (right <= clientWidth + 1 && left >= -1)) return false;
    let around = element.parentElement;
    while (around !== null && !['auto', 'scroll'].includes(getComputedStyle(around).overflowX)) {
      around = around.parentElement;
    }
    return around === null;
  });
  const page = scrollWidth > clientWidth ? [`the page is ${scrollWidth} px wide`] : [];
  return [...page, ...outside.map((element) => element.outerHTML.slice(0, 200))];
}

async function assertAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await findViolations(page), [], colorScheme);
  }
}

function assertHeaders(headers: Readonly<Record<string, string>>): void {
  const policy = headers['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
  assert.match(headers['content-type'] ?? '', /^text\/html; charset=utf-8$/i);
}

function assertSource(source: string): void {
  const tags = source.match(/<[a-z][^>]*>/gi) ?? [];
  const inline = /^<style|^<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:/i;
  assert.deepEqual(
    tags.filter((tag) => inline.test(tag)),
    [],
  );
  const elsewhere = /\s(?:src|action)=["']?(?:https?:)?\/\//i;
  assert.deepEqual(
    tags.filter((tag) => elsewhere.test(tag)),
    [],
  );
}

async function weighAssets(page: Page): Promise<number> {
  const assets = new Map<string, Response>();
  page.on('response', (response) => {
    if (['stylesheet', 'script'].includes(response.request().resourceType()))
      assets.set(response.url(), response);
  });
  await page.goto('/api/');
  assert.ok(assets.size >= 2, `${[...assets.keys()]}`);
  const bodies = await Promise.all([...assets.values()].map((response) => response.body()));
  return bodies.reduce((sum, body) => sum + body.length, 0);
}
