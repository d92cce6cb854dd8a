import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { PICTURE_LIMIT, PICTURE_SIZE, takePicture } from '../screenshot.ts';
import { openSite, type Site } from '../site.ts';
import { fillDatabase } from './crowd.ts';
import { enterAdmin, fill, follow, pressButton } from './steps.ts';

const INES = { username: 'ines', password: 'Orange-tree-in-the-yard-2' };
const NORA = {
  username: 'nora.lindqvist',
  password: 'Seven-lakes-of-the-north-9',
  email: 'nora.lindqvist@example.com',
  first_name: 'Nora',
  last_name: 'Lindqvist',
};

let site: Site;
before(async () => {
  // As a site is that follows the recommendations, but for what costs time here.
  site = await openSite({
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
    CHECK_REVOKE_TOKEN: 'true',
    REFRESH_TOKEN_GRACE_PERIOD: '10s',
    REVOKE_SESSION_ON_REUSE: 'true',
    CHECK_SESSION: 'true',
    SESSION_MAX_LIFETIME: '90d',
    FLUSH_INTERVAL: '0',
    NODE_ENV: 'test',
    BCRYPT_ROUNDS: '12',
  });
  await site.server.createUser({ ...INES, is_staff: true, is_superuser: true });
  await site.server.createUser(NORA);
  fillDatabase(site.server.database);
  await site.visit(async (page) => {
    await enterAdmin(page, INES);
    await workABit(page);
  });
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);

/** So that there is something among the recent actions. */
async function workABit(page: Page): Promise<void> {
  await page.goto('/admin/auth/user/?q=kwame.tanaka');
  await follow(page, mouse(page), 'kwame.tanaka');
  await page.getByLabel('Support').check();
  await press(page, 'Save');
  await page.goto('/admin/token_blacklist/outstandingtoken/?q=olga.garcia&state=alive');
  await page.getByRole('region', { name: 'The list' }).locator('tbody a').first().click();
  await follow(page, mouse(page), 'Revoke this token');
  await press(page, 'Yes, revoke it');
  await openNora(page);
  await page.getByLabel('Staff status').check();
  await page.getByLabel('Editors').check();
  await press(page, 'Save');
  await page.goto('/admin/auth/group/add/');
  await fill(page, mouse(page), { Name: 'Night shift' });
  await page.getByLabel('Can view Outstanding Token', { exact: true }).check();
  await press(page, 'Save');
}

async function openNora(page: Page): Promise<void> {
  await page.goto('/admin/auth/user/?q=nora');
  await follow(page, mouse(page), NORA.username);
}

// With SCREENSHOT=1 the pictures are kept, to be committed.
for (const [name, open, rows, limit] of [
  ['admin-overview', (page: Page) => page.goto('/admin/'), '.recent li', 950],
  ['admin-user', openNora, '.field', 1_250],
] as const) {
  test(`the README's picture ${name} can be taken, and is small`, () =>
    site.visit(async (page) => {
      await open(page);
      const picture = await takePicture(page, rows, limit);
      assert.equal(picture.readUInt32BE(16), PICTURE_SIZE.width);
      assert.ok(picture.readUInt32BE(20) > 500 && picture.readUInt32BE(20) <= limit);
      assert.ok(picture.length < PICTURE_LIMIT, `${picture.length} bytes`);
      const file = new URL(`../${name}.png`, import.meta.url);
      if (process.env.SCREENSHOT === '1') writeFileSync(file, picture);
    }));
}
