import assert from 'node:assert/strict';
import type { Page, Response } from 'playwright';
import { findViolations } from './axe.ts';

/** In bytes, as they come out of the server: a page with its style and scripts. */
const WEIGHT_LIMIT = 60 * 1024;

/** In CSS pixels: a small phone, and a desktop. */
const WIDTHS = [360, 1280];

/**
 * Opens a page and looks at it as a whole: that it fits every width, is accessible in light and dark, has nothing
 * inline and weighs little.
 *
 * @param reach what leads to the page
 * @param assetsWeight what its style and scripts weigh, in bytes
 */
export async function assertGoodPage(
  page: Page,
  reach: (page: Page) => Promise<unknown>,
  assetsWeight: number,
): Promise<void> {
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
}

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

/** What style and scripts of a page weigh, in bytes, in a profile where none comes out of a cache. */
export async function weighAssets(page: Page, path: string): Promise<number> {
  const assets = new Map<string, Response>();
  page.on('response', (response) => {
    if (['stylesheet', 'script'].includes(response.request().resourceType()))
      assets.set(response.url(), response);
  });
  await page.goto(path);
  assert.ok(assets.size >= 2, `${[...assets.keys()]}`);
  const bodies = await Promise.all([...assets.values()].map((response) => response.body()));
  return bodies.reduce((sum, body) => sum + body.length, 0);
}
