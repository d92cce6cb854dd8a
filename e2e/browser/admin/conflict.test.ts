import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { enterAdmin, fill, follow, messageOf, pathOf, pressButton } from './steps.ts';

const EVE = { username: 'eve', password: 'Evening-in-the-garden-4', is_staff: true, is_superuser: true };

let site: Site;
before(async () => {
  site = await openSite();
  for (const account of [ADA, EVE]) await site.server.createUser(account);
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);
const write = (page: Page, values: Readonly<Record<string, string>>) => fill(page, mouse(page), values);

/** Lends the pages of two admins, each in a browser profile of her own, both logged in. */
function meet(task: (adas: Page, eves: Page) => Promise<void>): Promise<void> {
  return site.visit(
    (adas) =>
      site.visit(async (eves) => {
        await enterAdmin(adas, ADA);
        await enterAdmin(eves, EVE);
        await task(adas, eves);
      }, {}),
    {},
  );
}

/** What the page says of changes that somebody else made meanwhile. */
async function told(page: Page): Promise<string> {
  const text = await page.getByRole('alert', { name: 'Somebody else changed this meanwhile' }).innerText();
  return text.replace(/\s+/g, ' ');
}

test('of two who change a user at the same time the second is told, loses nothing, and saves again', async () => {
  const bob = await site.server.createUser({ username: 'bob', password: ADA.password });
  const path = `/admin/auth/user/${bob.id}/change/`;
  await meet(async (adas, eves) => {
    await adas.goto(path);
    await eves.goto(path);
    await write(adas, { 'First name': 'Robert', 'Email address': 'bob@example.com' });
    await adas.getByLabel('Staff status').check();
    await press(adas, 'Save');

    await write(eves, { 'First name': 'Bobby', 'Last name': 'Brown' });
    await press(eves, 'Save');
    assert.equal(pathOf(eves), path, 'she is not led on: nothing was saved');
    const text = await told(eves);
    assert.match(text, /Nothing was saved yet, and nothing that you entered is lost/);
    assert.match(
      text,
      /First name: Robert by ada, .* You entered Bobby: to save again puts that in its place\./,
    );
    assert.match(text, /Email address: bob@example\.com by ada/);
    assert.match(text, /Staff status: no yes by ada/);
    assert.equal(await eves.getByLabel('First name').inputValue(), 'Bobby', 'what she entered');
    assert.equal(await eves.getByLabel('Last name').inputValue(), 'Brown', 'what she entered');
    assert.equal(await eves.getByLabel('Email address').inputValue(), 'bob@example.com', 'what ada entered');
    assert.ok(await eves.getByLabel('Staff status').isChecked(), 'what ada ticked');

    await press(eves, 'Save');
    assert.equal(await messageOf(eves), 'The user “bob” was changed successfully.');
    await adas.goto(path);
    const values = ['First name', 'Last name', 'Email address'].map((label) =>
      adas.getByLabel(label).inputValue(),
    );
    assert.deepEqual(await Promise.all(values), ['Bobby', 'Brown', 'bob@example.com']);
    assert.ok(await adas.getByLabel('Staff status').isChecked());
  });
});

test('of two who change a group at the same time the second is told, and loses nothing', () =>
  meet(async (adas, eves) => {
    await adas.goto('/admin/auth/group/add/');
    await write(adas, { Name: 'Editors' });
    await press(adas, 'Save');
    for (const page of [adas, eves]) {
      await page.goto('/admin/auth/group/');
      await follow(page, mouse(page), 'Editors');
    }
    await adas.getByLabel('Can view user', { exact: true }).check();
    await press(adas, 'Save and continue editing');
    await write(eves, { Name: 'Writers' });
    await eves.getByLabel('Can view group', { exact: true }).check();
    await press(eves, 'Save and continue editing');
    assert.match(await told(eves), /Permissions: .*Can view user/);
    assert.equal(await eves.getByLabel('Name').inputValue(), 'Writers');
    await press(eves, 'Save and continue editing');
    assert.match(await messageOf(eves), /^The group “Writers” was changed successfully\./);
    for (const name of ['Can view user', 'Can view group']) {
      assert.ok(await eves.getByLabel(name, { exact: true }).isChecked(), name);
    }
  }));

test('who saves a user that somebody else deleted meanwhile is told so', async () => {
  const carl = await site.server.createUser({ username: 'carl', password: ADA.password });
  await meet(async (adas, eves) => {
    await eves.goto(`/admin/auth/user/${carl.id}/change/`);
    await adas.goto(`/admin/auth/user/${carl.id}/delete/`);
    await press(adas, 'Yes, I’m sure');
    await write(eves, { 'First name': 'Carl' });
    await press(eves, 'Save');
    assert.match(
      await eves.getByRole('main').innerText(),
      /There is no user with this id\. Perhaps the user was deleted\?/,
    );
  });
});
