import type { Page } from 'playwright';

/** What of the page the README shows at most, in CSS pixels from its top. */
export const PICTURE_SIZE = { width: 1100, height: 900 };

/** Where the README has its picture. */
export const PICTURE_FILE = new URL('token-post.png', import.meta.url);

/**
 * Takes the README's picture of the page that is open, as a PNG: light, with no cursor, nothing in motion, and no row
 * of a table cut in two.
 */
export async function takePicture(page: Page): Promise<Buffer> {
  await page.setViewportSize(PICTURE_SIZE);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const rows = await page
    .locator('tr')
    .evaluateAll((all) => all.map((row) => row.getBoundingClientRect().bottom));
  const height = Math.ceil(Math.max(...rows.filter((bottom) => bottom <= PICTURE_SIZE.height)));
  return await page.screenshot({
    type: 'png',
    scale: 'css',
    animations: 'disabled',
    caret: 'hide',
    fullPage: true,
    clip: { x: 0, y: 0, width: PICTURE_SIZE.width, height },
  });
}
