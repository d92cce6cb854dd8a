import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { type Hands, mouse } from '../hands.ts';
import { assertGoodPage, weighAssets } from '../page-checks.ts';
import { ADA, openSite, type Site } from '../site.ts';
import {
  assertNothingBeside,
  enterAdmin,
  follow,
  headingOf,
  logInToAdmin,
  messageOf,
  pathOf,
  pressButton,
  textOf,
} from './steps.ts';
import { WAYS } from './ways.ts';

const KEYS = '/admin/keys/';

/** The states of the keys on the page, in their order. */
async function statesOn(page: Page): Promise<string> {
  return (await page.locator('.key-list .badge').allTextContents()).join(' ');
}

describe('with a ring of keys', () => {
  let site: Site;
  let assetsWeight: number;

  before(async () => {
    site = await openSite({ KEY_RING: 'true', ALGORITHM: 'ES256' });
    await site.server.createUser(ADA);
    assetsWeight = await site.visit((page) => weighAssets(page, '/admin/'), {});
  });
  after(() => site.close());

  async function logIn(): Promise<{ access: string; refresh: string }> {
    const { username, password } = ADA;
    const body = new URLSearchParams({ username, password });
    const answer = await fetch(`${site.server.url}/api/token/`, { method: 'POST', body });
    assert.equal(answer.status, 200);
    return (await answer.json()) as { access: string; refresh: string };
  }

  async function statusOf(token: string): Promise<number> {
    const body = new URLSearchParams({ token });
    return (await fetch(`${site.server.url}/api/token/verify/`, { method: 'POST', body })).status;
  }

  for (const [way, { handsOf, options }] of Object.entries(WAYS)) {
    test(`a key is rotated, brought back, retired, restored and withdrawn: ${way}`, () =>
      site.visit(async (page) => {
        const hands = handsOf(page);
        await logInToAdmin(page, ADA, hands);
        await follow(page, hands, 'Signing keys', page.getByRole('navigation', { name: 'Administration' }));
        assert.equal(await headingOf(page), 'Signing keys');
        await assertNothingBeside(page);
        const tokens = await rotateAndUndo(page, hands);
        await retireAndRestore(page, hands, tokens);
        await withdraw(page, hands, tokens);
      }, options));
  }

  async function rotateAndUndo(page: Page, hands: Hands): Promise<string[]> {
    const before = await logIn();
    await pressButton(page, hands, 'Rotate now');
    assert.match(await messageOf(page), /^The next key signs now\./);
    assert.match(await statesOn(page), /^active standby retiring/);
    const between = await logIn();
    await pressButton(page, hands, 'Undo the last rotation');
    assert.match(await messageOf(page), /^The last key signs again\./);
    assert.match(await statesOn(page), /^active standby standby/);
    await pressButton(page, hands, 'Rotate now');
    for (const { access } of [before, between]) assert.equal(await statusOf(access), 200);
    return [before.access, before.refresh];
  }

  async function retireAndRestore(page: Page, hands: Hands, tokens: readonly string[]): Promise<void> {
    const row = page.locator('.key-list tr', { hasText: 'retiring' });
    await follow(page, hands, `Retire… ${await nameOf(page, 'retiring')}`, row);
    assert.match(await textOf(page), /\d live refresh (or|and) sliding tokens? hangs? on the key/);
    await follow(page, hands, 'No, take me back');
    for (const token of tokens) assert.equal(await statusOf(token), 200);
    await follow(page, hands, `Retire… ${await nameOf(page, 'retiring')}`, row);
    await pressButton(page, hands, 'Yes, retire it');
    for (const token of tokens) assert.equal(await statusOf(token), 401);
    await pressButton(page, hands, `Restore ${await nameOf(page, 'retired')}`);
    assert.match(await messageOf(page), /verifies again/);
    for (const token of tokens) assert.equal(await statusOf(token), 200);
  }

  async function withdraw(page: Page, hands: Hands, tokens: readonly string[]): Promise<void> {
    const row = page.locator('.key-list tr', { hasText: 'retiring' });
    await follow(page, hands, `Withdraw… ${await nameOf(page, 'retiring')}`, row);
    assert.match(await textOf(page), /hangs? on the key .* at once and on every instance.*cannot be undone/);
    await pressButton(page, hands, 'Yes, withdraw it');
    assert.equal(pathOf(page), KEYS);
    assert.match(await messageOf(page), /^The key was withdrawn\./);
    for (const token of tokens) assert.equal(await statusOf(token), 401);
    const { access } = await logIn();
    assert.equal(await statusOf(access), 200);
  }

  /** What the page calls the first key of a state. */
  async function nameOf(page: Page, state: string): Promise<string> {
    const kid = await page.locator('.key-list tr', { hasText: state }).locator('code').first().textContent();
    return `the key ${kid}`;
  }

  test('the list with keys in every state, and the questions, are good pages', () =>
    site.visit(async (page) => {
      await enterAdmin(page);
      await page.goto('/admin/');
      await follow(page, mouse(page), 'Signing keys');
      await pressButton(page, mouse(page), 'Rotate now');
      await follow(page, mouse(page), `Retire… ${await nameOf(page, 'retiring')}`);
      await assertGoodPage(page, () => page.reload(), assetsWeight);
      await pressButton(page, mouse(page), 'Yes, retire it');
      await pressButton(page, mouse(page), 'Rotate now');
      assert.deepEqual(
        [...new Set((await statesOn(page)).split(' '))],
        ['active', 'standby', 'retiring', 'retired', 'withdrawn'],
      );
      await assertGoodPage(page, () => page.goto(KEYS), assetsWeight);
      await follow(page, mouse(page), `Withdraw… ${await nameOf(page, 'active')}`);
      await assertGoodPage(page, () => page.reload(), assetsWeight);
    }));

  test('a token’s page says what a kid is', () =>
    site.visit(async (page) => {
      await page.goto('/guide/');
      assert.match(await textOf(page), /kid .*The name of the key that signed it/);
    }));
});

describe('without a ring', () => {
  let site: Site;
  before(async () => {
    site = await openSite();
    await site.server.createUser(ADA);
  });
  after(() => site.close());

  test('the page says how to switch one on', () =>
    site.visit(async (page) => {
      await enterAdmin(page);
      const assetsWeight = await weighAssets(page, '/admin/');
      await assertGoodPage(page, () => page.goto(KEYS), assetsWeight);
      assert.match(await textOf(page), /Tokens are signed with SECRET_KEY \(HS256\).*KEY_RING=true/);
    }));
});
