import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { enterAdmin, fill, follow, messageOf, pathOf, pressButton } from './steps.ts';

let site: Site;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
});
after(() => site.close());

const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;

for (const [zone, hours] of [
  ['Asia/Tokyo', 9],
  ['America/Bogota', -5],
] as const) {
  test(`times are those of the viewer's zone, with the exact UTC on hover: ${zone}`, () =>
    site.visit(
      async (page) => {
        await enterAdmin(page);
        await page.goto('/admin/history/');
        const time = page.getByRole('main').locator('time').first();
        const moment = new Date((await time.getAttribute('datetime')) as string);
        assert.ok(Math.abs(Date.now() - moment.getTime()) < 60_000);
        const title = (await time.getAttribute('title')) ?? '';
        assert.match(title, UTC);
        assert.equal(Date.parse(title.replace(' UTC', 'Z').replace(' ', 'T')), moment.getTime());
        const there = new Date(moment.getTime() + hours * 3_600_000);
        const shown = there.toLocaleString('en-US', {
          dateStyle: 'medium',
          timeStyle: 'medium',
          timeZone: 'UTC',
        });
        assert.equal(await time.textContent(), shown);
      },
      { timezoneId: zone },
    ));
}

test('without JavaScript times are in UTC, and say so', () =>
  site.visit(
    async (page) => {
      await enterAdmin(page);
      await page.goto('/admin/history/');
      assert.match((await page.getByRole('main').locator('time').first().textContent()) ?? '', UTC);
    },
    { javaScriptEnabled: false, timezoneId: 'Asia/Tokyo' },
  ));

test('what was done is said once, with a link to what it was done to', () =>
  site.visit(async (page) => {
    await enterAdmin(page);
    await page.goto('/admin/auth/group/add/');
    await fill(page, mouse(page), { Name: 'Editors' });
    await pressButton(page, mouse(page), 'Save');
    assert.equal(await messageOf(page), 'The group “Editors” was added successfully.');
    assert.equal(await page.getByRole('status').count(), 1, 'it is read out');
    await page.reload();
    assert.equal(await page.locator('.message').count(), 0);
    await page.goto('/admin/auth/group/1/change/');
    await pressButton(page, mouse(page), 'Save');
    await follow(page, mouse(page), 'Editors', page.getByRole('status'));
    assert.equal(pathOf(page), '/admin/auth/group/1/change/');
    assert.equal(await page.locator('.message').count(), 0);
  }, {}));

test('who is not logged in is led to the log-in, and from there to where he wanted', () =>
  site.visit(async (page) => {
    await page.goto('/admin/auth/user/?q=ada');
    assert.equal(pathOf(page), '/admin/login/');
    await fill(page, mouse(page), { Username: ADA.username, Password: ADA.password });
    await pressButton(page, mouse(page), 'Log in');
    assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/admin/auth/user/?q=ada');
  }, {}));
