import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { assertGoodPage, weighAssets } from './page-checks.ts';
import { PICTURE_FILE, PICTURE_LIMIT, PICTURE_SIZE, takePicture } from './screenshot.ts';
import { SHARED_SITE } from './shared-site.ts';
import type { Site } from './site.ts';
import { STATES } from './states.ts';
import { logIn } from './steps.ts';

let site: Site;
/** What style and scripts weigh, in bytes: they are the same on every page. */
let assetsWeight: number;
before(async () => {
  site = await SHARED_SITE.borrow();
  // In a profile of its own, so that nothing comes out of a cache.
  assetsWeight = await site.visit((page) => weighAssets(page, '/api/'), {});
});
after(() => SHARED_SITE.giveBack());

for (const [name, reach] of Object.entries(STATES)) {
  test(`${name}: fits every width, is accessible in light and dark, weighs little and has nothing inline`, () =>
    site.visit((page) => assertGoodPage(page, reach, assetsWeight)));
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
