import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { loginStatus, obtainRefresh } from './api.ts';
import { namesIn } from './list-steps.ts';
import { enterAdmin, fill, follow, headingOf, messageOf, pathOf, pressButton, textOf } from './steps.ts';

const USERS = '/admin/auth/user/';
const PASSWORD = 'Brown-bread-and-butter-3';
const NEXT_PASSWORD = 'Black-coffee-no-sugar-5';

let site: Site;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
  await site.visit(enterAdmin);
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);
const write = (page: Page, values: Readonly<Record<string, string>>) => fill(page, mouse(page), values);
const go = (page: Page, name: string) => follow(page, mouse(page), name);

/** Adds a user by the form, and is on the change form then. */
async function add(page: Page, username: string, password = PASSWORD): Promise<void> {
  await page.goto(USERS);
  await go(page, 'Add user');
  await write(page, { Username: username, Password: password, 'Password confirmation': password });
  await press(page, 'Save');
}

async function open(page: Page, username: string): Promise<void> {
  await page.goto(USERS);
  await go(page, username);
}

describe('a user', () => {
  test('is added in two steps, and can log in after the first', () =>
    site.visit(async (page) => {
      await page.goto(USERS);
      await go(page, 'Add user');
      await write(page, { Username: 'ADA', Password: 'bobby', 'Password confirmation': 'boby' });
      await press(page, 'Save');
      assert.match(await textOf(page), /Please correct the errors below\./);
      assert.match(await textOf(page), /A user with that username already exists\./);
      assert.match(await textOf(page), /The two password fields didn’t match\./);
      await write(page, { Username: 'bob', Password: '12345', 'Password confirmation': '12345' });
      await press(page, 'Save');
      for (const complaint of [
        'This password is too short. It must contain at least 8 characters.',
        'This password is too common.',
        'This password is entirely numeric.',
      ]) {
        assert.ok((await textOf(page)).includes(complaint), complaint);
      }
      assert.equal(await page.getByLabel('Username').inputValue(), 'bob', 'what was entered is kept');
      await write(page, { Password: PASSWORD, 'Password confirmation': PASSWORD });
      await press(page, 'Save');
      assert.equal(
        await messageOf(page),
        'The user “bob” was added successfully. You may edit it again below.',
      );
      assert.equal(await headingOf(page), 'Change user');
      assert.equal(await loginStatus(site.server, { username: 'bob', password: PASSWORD }), 200);
      await write(page, {
        'First name': 'Robert',
        'Last name': 'Böhm',
        'Email address': 'bob@example.com',
      });
      await page.getByLabel('Staff status').check();
      await press(page, 'Save');
      assert.equal(pathOf(page), USERS);
      assert.equal(await messageOf(page), 'The user “bob” was changed successfully.');
      await go(page, 'bob');
      assert.equal(await page.getByLabel('Last name').inputValue(), 'Böhm');
      assert.ok(await page.getByLabel('Staff status').isChecked());
      assert.ok(!(await page.getByLabel('Superuser status').isChecked()));
    }));

  test('is saved and gone on with, or another one after it, as one likes', () =>
    site.visit(async (page) => {
      await page.goto(`${USERS}add/`);
      await write(page, { Username: 'carl', Password: PASSWORD, 'Password confirmation': PASSWORD });
      await press(page, 'Save and add another');
      assert.equal(pathOf(page), `${USERS}add/`);
      assert.match(await messageOf(page), /“carl” was added successfully\. You may add another user below\./);
      await write(page, { Username: 'dora', Password: PASSWORD, 'Password confirmation': PASSWORD });
      await press(page, 'Save and continue editing');
      await write(page, { 'First name': 'Dora' });
      await press(page, 'Save and continue editing');
      assert.equal(
        await messageOf(page),
        'The user “dora” was changed successfully. You may edit it again below.',
      );
      assert.equal(await page.getByLabel('First name').inputValue(), 'Dora');
      await press(page, 'Save and add another');
      assert.equal(pathOf(page), `${USERS}add/`);
      await page.goto(USERS);
      const names = await namesIn(page);
      assert.ok(names.includes('carl') && names.includes('dora'));
    }));

  test('is not saved with what is wrong, and nothing that was entered is lost', () =>
    site.visit(async (page) => {
      await add(page, 'gina');
      await write(page, { Username: 'ada', 'Email address': 'nowhere', 'First name': 'Gina' });
      await press(page, 'Save');
      const text = await textOf(page);
      assert.match(text, /Please correct the errors below\./);
      assert.match(text, /A user with that username already exists\./);
      assert.match(text, /Enter a valid email address\./);
      const field = page.getByLabel('Email address');
      assert.equal(await field.inputValue(), 'nowhere');
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
      assert.equal(await page.getByLabel('First name').inputValue(), 'Gina');
      assert.equal(await loginStatus(site.server, { username: 'gina', password: PASSWORD }), 200);
    }));

  test('gets another password, with which he logs in over the API', () =>
    site.visit(async (page) => {
      await add(page, 'hans');
      assert.match(await textOf(page), /algorithm: \S+/);
      assert.doesNotMatch(await page.content(), /\$2b\$\d\d\$[\w./]{50}/, 'a whole hash is never shown');
      await go(page, 'this form');
      assert.equal(await headingOf(page), 'Change password: hans');
      await write(page, { Password: NEXT_PASSWORD, 'Password (again)': NEXT_PASSWORD });
      await press(page, 'Change password');
      assert.equal(await messageOf(page), 'Password changed successfully.');
      assert.equal(await loginStatus(site.server, { username: 'hans', password: PASSWORD }), 401);
      assert.equal(await loginStatus(site.server, { username: 'hans', password: NEXT_PASSWORD }), 200);
    }));

  test('is left without a password after a question, and given one again', () =>
    site.visit(async (page) => {
      await add(page, 'ivan');
      await go(page, 'this form');
      await page.getByLabel('Disabled').check();
      await press(page, 'Change password');
      assert.match(
        await textOf(page),
        /Are you sure you want to take the password of the user “ivan” away\?/,
      );
      assert.equal(await loginStatus(site.server, { username: 'ivan', password: PASSWORD }), 200);
      await press(page, 'Disable password-based authentication');
      assert.equal(await messageOf(page), 'Password-based authentication was disabled.');
      assert.match(await textOf(page), /No password set\./);
      assert.equal(await loginStatus(site.server, { username: 'ivan', password: PASSWORD }), 401);
      await go(page, 'this form');
      await write(page, { Password: NEXT_PASSWORD, 'Password (again)': NEXT_PASSWORD });
      await press(page, 'Enable password-based authentication');
      assert.equal(await loginStatus(site.server, { username: 'ivan', password: NEXT_PASSWORD }), 200);
    }));

  test('is added without a password', () =>
    site.visit(async (page) => {
      await page.goto(`${USERS}add/`);
      await write(page, { Username: 'jane' });
      await page.getByLabel('Disabled').check();
      await press(page, 'Save');
      assert.match(await textOf(page), /No password set\./);
    }));

  test('is deleted after a page that lists what goes with him', () =>
    site.visit(async (page) => {
      await add(page, 'kurt');
      await obtainRefresh(site.server, { username: 'kurt', password: PASSWORD });
      await page.getByLabel('Can view group', { exact: true }).check();
      await press(page, 'Save and continue editing');
      await go(page, 'Delete');
      const text = await textOf(page);
      assert.match(text, /Are you sure you want to delete the user “kurt”\?.*This cannot be undone\./);
      assert.match(text, /One outstanding token stays on record without an owner\./);
      assert.match(text, /Users: 1 User-user permission relationships: 1/);
      await go(page, 'No, take me back');
      assert.equal(await page.getByLabel('Username').inputValue(), 'kurt');
      await go(page, 'Delete');
      await press(page, 'Yes, I’m sure');
      assert.equal(await messageOf(page), 'The user “kurt” was deleted successfully.');
      assert.ok(!(await namesIn(page)).includes('kurt'));
      assert.equal(await loginStatus(site.server, { username: 'kurt', password: PASSWORD }), 401);
    }));

  test('has a history that says field by field what was changed, and no secret', () =>
    site.visit(async (page) => {
      await add(page, 'lena');
      await write(page, { 'First name': 'Lena', 'Email address': 'lena@example.com' });
      await press(page, 'Save and continue editing');
      await write(page, { 'First name': 'Helena' });
      await page.getByLabel('Staff status').check();
      await page.getByLabel('Can view user', { exact: true }).check();
      await press(page, 'Save and continue editing');
      await go(page, 'this form');
      await write(page, { Password: NEXT_PASSWORD, 'Password (again)': NEXT_PASSWORD });
      await press(page, 'Change password');
      await go(page, 'History');
      assert.equal(await headingOf(page), 'Change history: lena');
      const rows = await page.getByRole('row').allInnerTexts();
      const [password = '', second = '', first = '', added = ''] = rows
        .slice(1)
        .map((row) => row.replace(/\s+/g, ' '));
      assert.match(password, /ada Password changed Admin, 127\.0\.0\.1, Chrome/);
      assert.match(second, /User changed .*First name: “Lena” → “Helena”/);
      assert.match(second, /Staff status: “no” → “yes”/);
      assert.match(second, /User permissions: .*Can view user/);
      assert.match(first, /First name: empty → “Lena”; Email address: empty → “lena@example.com”/);
      assert.match(added, /ada User added Admin, 127\.0\.0\.1/);
      for (const secret of [PASSWORD, NEXT_PASSWORD, 'bcrypt']) {
        assert.ok(!(await page.content()).includes(secret));
      }
    }));
});

test('one’s own password is changed, and the session goes on', () =>
  site.visit(async (page) => {
    await open(page, 'bob');
    await page.goto('/admin/');
    await follow(page, mouse(page), 'Change password', page.getByRole('banner'));
    const wrong = { 'Old password': 'wrong', 'New password': NEXT_PASSWORD };
    await write(page, { ...wrong, 'New password confirmation': NEXT_PASSWORD });
    await press(page, 'Change my password');
    assert.match(await textOf(page), /Your old password was entered incorrectly\. Please enter it again\./);
    await write(page, {
      'Old password': ADA.password,
      'New password': NEXT_PASSWORD,
      'New password confirmation': NEXT_PASSWORD,
    });
    await press(page, 'Change my password');
    assert.match(await messageOf(page), /password was changed/);
    await page.goto(USERS);
    assert.equal(pathOf(page), USERS);
    assert.equal(await loginStatus(site.server, { ...ADA, password: NEXT_PASSWORD }), 200);
  }));
