import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, loading, openSite, type Site } from '../site.ts';
import { fillDatabase } from './crowd.ts';
import { namesIn } from './list-steps.ts';
import {
  enterAdmin,
  fill,
  follow,
  headingOf,
  logInToAdmin,
  messageOf,
  pathOf,
  pressButton,
  textOf,
} from './steps.ts';

const VERA = { username: 'vera', password: 'View-from-the-hill-6' };
const USERS = '/admin/auth/user/';
const GROUPS = '/admin/auth/group/';

const VIEW_PERMISSIONS = [
  'Can view user',
  'Can view group',
  'Can view Outstanding Token',
  'Can view Blacklisted Token',
  'Can view log entry',
];

let site: Site;
let veraId: number;
before(async () => {
  site = await openSite();
  await site.server.createUser(ADA);
  veraId = (await site.server.createUser(VERA)).id;
  fillDatabase(site.server.database);
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);

/** Ticks, of a form that is open, what is not ticked. */
async function tick(page: Page, ...labels: readonly string[]): Promise<void> {
  for (const label of labels) await page.getByLabel(label, { exact: true }).check();
}

test('a superuser makes a group that may only look, and puts somebody into it', () =>
  site.visit(async (page) => {
    await enterAdmin(page);
    await page.goto(GROUPS);
    await follow(page, mouse(page), 'Add group');
    await press(page, 'Save');
    assert.match(await textOf(page), /This field is required\./);
    await fill(page, mouse(page), { Name: 'Auditors' });
    await press(page, 'Save');
    assert.match(await textOf(page), /Group with this Name already exists\./);
    await fill(page, mouse(page), { Name: 'Viewers' });
    await tick(page, ...VIEW_PERMISSIONS);
    await press(page, 'Save and continue editing');
    assert.match(await messageOf(page), /^The group “Viewers” was added successfully\./);
    assert.match(await textOf(page), /“Viewers”: no user is in it yet/);
    for (const label of VIEW_PERMISSIONS)
      assert.ok(await page.getByLabel(label, { exact: true }).isChecked());

    await page.goto(`${USERS}${veraId}/change/`);
    await tick(page, 'Staff status', 'Viewers');
    await press(page, 'Save');
    await page.goto(GROUPS);
    await follow(page, mouse(page), 'Viewers');
    await follow(page, mouse(page), '1 user is in it');
    assert.deepEqual(await namesIn(page), ['vera']);
  }, {}));

describe('who may only look', () => {
  const visit = (task: (page: Page) => Promise<void>) =>
    site.visit(async (page) => {
      await enterAdmin(page, VERA);
      await page.goto('/admin/');
      await task(page);
    }, {});

  test('sees every list and what is in it, and is offered nothing to do', () =>
    visit(async (page) => {
      const menu = page.getByRole('navigation', { name: 'Administration' });
      for (const name of ['Users', 'Groups', 'Outstanding tokens', 'Blacklisted tokens', 'History']) {
        await follow(page, mouse(page), name, menu);
        assert.ok((await namesIn(page)).length > 0, name);
        assert.equal(await page.getByLabel('Action', { exact: true }).count(), 0, name);
        assert.equal(await page.getByRole('checkbox').count(), 0, name);
        assert.deepEqual(await page.getByRole('link', { name: /^(Add|Create) /i }).allInnerTexts(), [], name);
        const row = page.getByRole('region', { name: 'The list' }).locator('tbody tr').first();
        await loading(page, () => row.getByRole('link').first().click());
        await assertNoDeeds(page, name);
      }
    }));

  async function assertNoDeeds(page: Page, what: string): Promise<void> {
    const main = page.getByRole('main');
    assert.equal(await main.getByRole('button').filter({ hasNotText: 'Copy' }).count(), 0, what);
    assert.equal(await main.getByRole('textbox').count(), 0, what);
    assert.equal(await main.locator('input:enabled:not([type=hidden])').count(), 0, what);
    const deeds = main.getByRole('link', { name: /Delete|Revoke|Remove|Save|Add/ });
    assert.deepEqual(await deeds.allInnerTexts(), [], what);
  }

  test('reads a user without being able to change anything of it', () =>
    visit(async (page) => {
      await page.goto(`${USERS}?q=maria.garcia`);
      await follow(page, mouse(page), 'maria.garcia');
      assert.equal(await headingOf(page), 'View user');
      assert.match(await textOf(page), /Email address maria\.garcia@example\.com/);
      await follow(page, mouse(page), 'Close');
      assert.equal(pathOf(page), USERS);
    }));

  test('is refused when he sends a form all the same, and nothing is changed', () =>
    visit(async (page) => {
      await page.goto(`${USERS}?q=maria.garcia`);
      await follow(page, mouse(page), 'maria.garcia');
      const href = pathOf(page);
      const token = await page.locator('input[name="csrfmiddlewaretoken"]').first().inputValue();
      const send = (path: string, form: Readonly<Record<string, string>>) =>
        page.request.post(path, { form: { csrfmiddlewaretoken: token, ...form }, maxRedirects: 0 });
      const id = /\d+/.exec(href)?.[0] as string;
      for (const [path, form] of [
        [href, { username: 'mallory', is_superuser: 'on' }],
        [`${USERS}${id}/delete/`, {}],
        [`${USERS}${id}/password/`, { usable_password: 'false', confirmed: '1' }],
        [`${USERS}${id}/revoke/`, {}],
        [`${USERS}add/`, { username: 'mallory', usable_password: 'false' }],
        ['/admin/createsuperuser/', { username: 'mallory' }],
        [`${GROUPS}1/change/`, { name: 'Mallory' }],
        [`${GROUPS}1/delete/`, {}],
      ] as const) {
        assert.equal((await send(path, form)).status(), 403, path);
      }
      await send(USERS, { action: 'delete_selected', _selected_action: id, confirmed: '1' });
      await page.goto(`${USERS}?q=maria.garcia`);
      assert.deepEqual(await namesIn(page), ['maria.garcia']);
    }));

  test('is told that a page is not for him', () =>
    visit(async (page) => {
      const response = await page.goto('/admin/createsuperuser/');
      assert.equal(response?.status(), 403);
      assert.equal(await headingOf(page), 'Permission denied');
      await follow(page, mouse(page), 'Back to the overview');
      assert.equal(pathOf(page), '/admin/');
    }));
});

test('who is demoted in another browser is led to the log-in by the next click, and back after it', () =>
  site.visit(async (veras) => {
    await enterAdmin(veras, VERA);
    await veras.goto('/admin/');
    await site.visit(async (adas) => {
      await enterAdmin(adas);
      await adas.goto(`${USERS}${veraId}/change/`);
      await adas.getByLabel('Staff status').uncheck();
      await press(adas, 'Save');
      await follow(veras, mouse(veras), 'Users', veras.getByRole('navigation', { name: 'Administration' }));
      assert.equal(pathOf(veras), '/admin/login/');
      await logInAgain(veras);
      assert.match(await textOf(veras), /Please enter the correct username and password for a staff account/);
      await adas.goto(`${USERS}${veraId}/change/`);
      await adas.getByLabel('Staff status').check();
      await press(adas, 'Save');
    }, {});
    await logInAgain(veras);
    assert.equal(pathOf(veras), USERS, 'to where the click led');
  }, {}));

async function logInAgain(page: Page): Promise<void> {
  await fill(page, mouse(page), { Username: VERA.username, Password: VERA.password });
  await press(page, 'Log in');
}

test('who is not staff is refused in the words for a wrong password, and who is nobody as well', () =>
  site.visit(async (page) => {
    const refusal =
      'Please enter the correct username and password for a staff account. Note that both fields may be case-sensitive.';
    const plain = await site.server.createUser({ username: 'plain', password: ADA.password });
    for (const account of [
      { username: plain.username, password: ADA.password },
      { username: ADA.username, password: 'wrong' },
      { username: 'nobody', password: 'nothing' },
    ]) {
      await logInToAdmin(page, account);
      assert.equal(pathOf(page), '/admin/login/');
      assert.equal(((await page.getByRole('alert').textContent()) ?? '').trim(), refusal);
      assert.equal(await page.getByLabel('Password').inputValue(), '');
    }
  }, {}));
