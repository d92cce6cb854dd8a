import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { fillDatabase } from './crowd.ts';
import { namesIn } from './list-steps.ts';
import { enterAdmin, fill, follow, headingOf, messageOf, pressButton, textOf } from './steps.ts';

const MONA = { username: 'mona', password: 'Moonlight-over-the-bay-7' };
const USERS = '/admin/auth/user/';
const GROUPS = '/admin/auth/group/';

let site: Site;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
  await site.server.createUser({ ...MONA, is_staff: true });
  fillDatabase(site.server.database);
  await site.visit(enterAdmin);
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);
const go = (page: Page, name: string) => follow(page, mouse(page), name);
const box = (page: Page, name: string) => page.getByLabel(name, { exact: true });

async function openGroup(page: Page, name: string): Promise<void> {
  await page.goto(GROUPS);
  await go(page, name);
}

async function openUser(page: Page, name: string): Promise<void> {
  await page.goto(`${USERS}?q=${name}`);
  await go(page, name);
}

test('a group is changed, and its history says field by field what', () =>
  site.visit(async (page) => {
    await openGroup(page, 'Support');
    await fill(page, mouse(page), { Name: 'First aid' });
    await box(page, 'Can add Blacklisted Token').uncheck();
    await box(page, 'Can view group').check();
    await press(page, 'Save and continue editing');
    await go(page, 'History');
    assert.equal(await headingOf(page), 'Change history: First aid');
    const text = await textOf(page);
    assert.match(text, /ada Group changed Name: “Support” → “First aid”/);
    assert.match(text, /Permissions: .*Can view group/);
    assert.match(text, /Permissions: .*Can add Blacklisted Token/);
  }));

test('a group is deleted after a page that lists who is in it and what it grants', () =>
  site.visit(async (page) => {
    await openGroup(page, 'Auditors');
    await go(page, 'Delete');
    const text = await textOf(page);
    assert.match(text, /Are you sure you want to delete the group “Auditors”\? This cannot be undone\./);
    assert.match(text, /Groups: 1 Places of users in them: 10 Permissions granted by them: 2/);
    assert.match(text, /Users in it .*maria\.garcia/);
    assert.match(text, /Permissions granted by it .*Can view log entry/);
    await go(page, 'No, take me back');
    assert.equal(await box(page, 'Name').inputValue(), 'Auditors');
    await go(page, 'Delete');
    await press(page, 'Yes, I’m sure');
    assert.equal(await messageOf(page), 'The group “Auditors” was deleted successfully.');
    assert.ok(!(await namesIn(page)).includes('Auditors'));
    await openUser(page, 'maria.garcia');
    assert.equal(await box(page, 'Auditors').count(), 0);
  }));

test('who may change users gives away nothing that he lacks, and cannot make a superuser', () =>
  site.visit(async (page) => {
    await openUser(page, 'mona');
    for (const name of ['Can view user', 'Can change user']) await box(page, name).check();
    await press(page, 'Save');
    await site.visit(async (monas) => {
      await enterAdmin(monas, MONA);
      await openUser(monas, 'jose.garcia');
      for (const name of ['Superuser status', 'Can delete user', 'Can view group', 'Editors']) {
        assert.ok(await box(monas, name).isDisabled(), name);
      }
      assert.match(await textOf(monas), /Only a superuser may give superuser status or take it away\./);
      assert.equal(await monas.getByRole('link', { name: 'Delete' }).count(), 0);
      // What the page does not let her do, she tries by changing the page.
      for (const name of ['Superuser status', 'Can delete user']) {
        await box(monas, name).evaluate((input) => input.removeAttribute('disabled'));
        await box(monas, name).check();
      }
      await box(monas, 'Can view user').check();
      await press(monas, 'Save');
      await openUser(page, 'jose.garcia');
      for (const name of ['Superuser status', 'Can delete user']) {
        assert.ok(!(await box(page, name).isChecked()), name);
      }
      await openUser(monas, 'ada');
      assert.equal(await headingOf(monas), 'View user');
      assert.match(await textOf(monas), /superuser/);
      assert.equal(await monas.getByRole('button', { name: /^Save/ }).count(), 0);
    }, {});
  }));
