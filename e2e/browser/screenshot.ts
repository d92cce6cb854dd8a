import type { Page } from 'playwright';

/** What of the page the README shows at most, in CSS pixels from its top. */
export const PICTURE_SIZE = { width: 1100, height: 900 };

/** Where the README has its picture. */
export const PICTURE_FILE = new URL('token-post.png', import.meta.url);

/** In bytes: what a README may ask of its readers. */
export const PICTURE_LIMIT = 200 * 1024;

/**
 * Takes a picture for the README of the page that is open, as a PNG: light, with no cursor, nothing in motion, and no
 * row of a table cut in two.
 *
 * @param rows a selector of what else is not to be cut
 * @param limit how high it may be, in CSS pixels
 */
export async function takePicture(page: Page, rows = 'tr', limit = PICTURE_SIZE.height): Promise<Buffer> {
  await page.setViewportSize({ ...PICTURE_SIZE, height: limit });
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const bottoms = await page
    .locator(rows)
    .evaluateAll((all) => all.map((row) => row.getBoundingClientRect().bottom));
  const height = Math.ceil(Math.max(...bottoms.filter((bottom) => bottom <= limit)));
  return await page.screenshot({
    type: 'png',
    scale: 'css',
    animations: 'disabled',
    caret: 'hide',
    fullPage: true,
    clip: { x: 0, y: 0, width: PICTURE_SIZE.width, height },
  });
}
