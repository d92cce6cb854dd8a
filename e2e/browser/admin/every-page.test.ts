import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { adminRoutes } from '../../attack/admin-site.ts';
import { mouse } from '../hands.ts';
import { assertGoodPage, weighAssets } from '../page-checks.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { addressOf } from './addresses.ts';
import { loginStatus, obtainRefresh } from './api.ts';
import { fillDatabase } from './crowd.ts';
import { EMPTY, FILLED, FIRST_RUN, OUTSIDE, type States, VIEWING } from './states.ts';
import { enterAdmin, fill, pressButton } from './steps.ts';

const EVE = { username: 'eve', password: 'Evening-in-the-garden-4', email: 'eve@example.com' };
const VERA = { username: 'vera', password: 'View-from-the-hill-6', is_staff: true };

const pages = (await adminRoutes()).filter(({ get }) => get !== undefined);

let site: Site;
/** What style and scripts of the page that has most of them weigh, in bytes. */
let assetsWeight: number;

// One after the other, as a site grows.
before(async () => {
  site = await openSite({ KEY_RING: 'true', LOGIN_FAILURES_PER_ACCOUNT: '3', FLUSH_INTERVAL: '0' });
});
after(() => site.close());

/** @param visitor what is done first by whoever looks, who then has a browser profile of his own */
function testEach(states: States, visitor?: (page: Page) => Promise<unknown>): void {
  for (const [name, reach] of Object.entries(states)) {
    test(name, () =>
      site.visit(
        async (page) => {
          await visitor?.(page);
          await assertGoodPage(page, () => reach(page, site), assetsWeight);
        },
        visitor === undefined ? undefined : {},
      ),
    );
  }
}

describe('before there is a superuser', () => {
  before(async () => {
    assetsWeight = await site.visit((page) => weighAssets(page, '/admin/'), {});
  });
  testEach(FIRST_RUN);
});

describe('empty', () => {
  before(async () => {
    await site.server.createUser(ADA);
    await site.visit(enterAdmin);
    // The overview has a style of its own.
    assetsWeight = await site.visit(async (page) => {
      await enterAdmin(page);
      return weighAssets(page, '/admin/?');
    }, {});
  });
  testEach(EMPTY);
});

describe('with a crowd', () => {
  before(async () => {
    const { server } = site;
    for (const account of [EVE, VERA]) await server.createUser(account);
    fillDatabase(server.database);
    await obtainRefresh(server, EVE);
    for (let failures = 0; failures < 4; failures += 1)
      await loginStatus(server, { ...EVE, password: 'wrong' });
    await site.visit(changeEve);
    await site.visit(allowVera);
  });

  for (const { path } of pages) {
    test(path, () =>
      site.visit(async (page) => {
        const address = addressOf(path, site.server.database);
        const answer = await page.request.get(address);
        assert.equal(answer.status(), path === '/admin/setup/' ? 404 : 200);
        const { 'content-type': type, 'content-disposition': disposition = '' } = answer.headers();
        if (!disposition.startsWith('attachment')) {
          await assertGoodPage(page, () => page.goto(address), assetsWeight);
        } else assert.doesNotMatch(type ?? '', /html/);
      }),
    );
  }

  testEach(FILLED);
  testEach(VIEWING, async (page) => {
    await enterAdmin(page, VERA);
  });
  testEach(OUTSIDE, async () => undefined);
});

/** So that there is something in her history. */
async function changeEve(page: Page): Promise<void> {
  await page.goto(addressOf('/admin/auth/user/:id/change/', site.server.database));
  await fill(page, mouse(page), { 'First name': 'Evelyn', 'Last name': 'Ørsted' });
  await page.getByLabel('Editors').check();
  await pressButton(page, mouse(page), 'Save');
}

/** To look at users, and at nothing else. */
async function allowVera(page: Page): Promise<void> {
  await page.goto('/admin/auth/user/?q=vera');
  await page.getByRole('link', { name: 'vera', exact: true }).click();
  await page.getByLabel('Can view user', { exact: true }).check();
  await pressButton(page, mouse(page), 'Save');
}
