import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { mouse } from '../hands.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { jtiOf, obtainRefresh, refreshStatus } from './api.ts';
import { namesIn, rowsOf, search } from './list-steps.ts';
import { enterAdmin, fill, follow, headingOf, messageOf, pathOf, pressButton, textOf } from './steps.ts';

const OUTSTANDING = '/admin/token_blacklist/outstandingtoken/';
const BLACKLIST = '/admin/token_blacklist/blacklistedtoken/';
const BOB = { username: 'bob', password: 'Brown-bread-and-butter-3' };
const EVE = { username: 'eve', password: 'Evening-in-the-garden-4' };

let site: Site;
before(async () => {
  site = await openSite();
  for (const account of [ADA, BOB, EVE]) await site.server.createUser(account);
  await site.visit(enterAdmin);
});
after(() => site.close());

const press = (page: Page, name: string) => pressButton(page, mouse(page), name);
const go = (page: Page, name: string) => follow(page, mouse(page), name);

test('while there is no token, the lists say what to do', () =>
  site.visit(async (page) => {
    await page.goto(OUTSTANDING);
    assert.match(await textOf(page), /No token was given out yet\. Log in at \/api\/token\//);
    await page.goto(BLACKLIST);
    assert.match(await textOf(page), /No token is on the blacklist\. Add one by its id/);
  }));

/** Finds a token in the list by its id, and opens its page. */
async function openToken(page: Page, token: string): Promise<void> {
  await page.goto(OUTSTANDING);
  await search(page, jtiOf(token));
  assert.equal((await rowsOf(page)).length, 1);
  await go(page, jtiOf(token));
}

test('a token is taken apart claim by claim, and what would make it work is nowhere', () =>
  site.visit(async (page) => {
    const token = await obtainRefresh(site.server, BOB);
    await openToken(page, token);
    assert.equal(await headingOf(page), 'View outstanding token');
    const text = await textOf(page);
    assert.match(text, /User bob State Alive: whoever has it can use it\./);
    assert.match(text, /token_type "refresh" What it may be used for\./);
    assert.match(text, /Signature It is never shown/);
    const source = await page.content();
    for (const segment of token.split('.')) assert.ok(!source.includes(segment));
    assert.equal(await page.getByRole('main').getByRole('textbox').count(), 0, 'there is nothing to change');
  }));

describe('revocation', () => {
  test('of one token says beforehand what dies and what passes how long, and then it is refused', () =>
    site.visit(async (page) => {
      const [token, other] = [await obtainRefresh(site.server, BOB), await obtainRefresh(site.server, BOB)];
      await openToken(page, token);
      await go(page, 'Revoke this token');
      const text = await textOf(page);
      assert.match(text, new RegExp(`Are you sure you want to revoke the token ${jtiOf(token)} of “bob”\\?`));
      assert.match(text, /1 refresh token dies now: refused from the next request on\./);
      assert.match(
        text,
        /Access tokens that were handed out already .* can still pass until .* at the latest\./,
      );
      await go(page, 'No, take me back');
      assert.equal(await refreshStatus(site.server, token), 200);
      await go(page, 'Revoke this token');
      await press(page, 'Yes, revoke it');
      assert.equal(await messageOf(page), `The token ${jtiOf(token)} was revoked.`);
      assert.match(await textOf(page), /State Blacklisted since .*: it is refused\./);
      assert.equal(await refreshStatus(site.server, token), 401);
      assert.equal(await refreshStatus(site.server, other), 200);
      await go(page, 'History');
      assert.match(await textOf(page), /ada Token revoked Admin, 127\.0\.0\.1/);
    }));

  test('of all tokens of a user says how many die, and leaves those of others', () =>
    site.visit(async (page) => {
      const [eves, another] = [await obtainRefresh(site.server, EVE), await obtainRefresh(site.server, EVE)];
      const bobs = await obtainRefresh(site.server, BOB);
      await page.goto('/admin/auth/user/?q=eve');
      await go(page, 'eve');
      await go(page, 'Tokens');
      assert.deepEqual((await namesIn(page)).sort(), [jtiOf(eves), jtiOf(another)].sort());
      await page.goBack();
      await go(page, 'Revoke tokens');
      assert.match(await textOf(page), /Are you sure you want to revoke all tokens of “eve”\?/);
      assert.match(await textOf(page), /2 refresh tokens die now/);
      await press(page, 'Yes, revoke them all');
      assert.equal(await messageOf(page), 'Successfully revoked 2 tokens of “eve”.');
      assert.ok((await rowsOf(page)).every((row) => row.at(-1) === 'Blacklisted'));
      for (const token of [eves, another]) assert.equal(await refreshStatus(site.server, token), 401);
      assert.equal(await refreshStatus(site.server, bobs), 200);
      await page.goto('/admin/auth/user/?q=eve');
      await go(page, 'eve');
      await go(page, 'Revoke tokens');
      assert.match(await textOf(page), /There is no live refresh token of “eve”\./);
      assert.equal(await page.getByRole('button', { name: /^Yes/ }).count(), 0);
    }));
});

describe('the blacklist', () => {
  /** Opens the form of the list and enters what is to be blacklisted. */
  async function enter(page: Page, token: string): Promise<void> {
    await page.goto(BLACKLIST);
    await go(page, 'Add blacklisted token');
    await fill(page, mouse(page), { Token: token });
    await press(page, 'Continue');
  }

  for (const [name, entry] of [
    ['by its id', jtiOf],
    ['by the whole token', (token: string) => token],
  ] as const) {
    test(`takes a token ${name}, after a question`, () =>
      site.visit(async (page) => {
        const token = await obtainRefresh(site.server, BOB);
        await enter(page, entry(token));
        assert.match(await textOf(page), /1 refresh token dies now/);
        assert.equal(await refreshStatus(site.server, token), 200);
        await press(page, 'Yes, revoke it');
        assert.equal(await refreshStatus(site.server, token), 401);
        await enter(page, entry(token));
        assert.match(await textOf(page), /Blacklisted token with this Token already exists\./);
      }));
  }

  test('takes no token that there is none of, and says so', () =>
    site.visit(async (page) => {
      await enter(page, '0'.repeat(32));
      assert.match(await textOf(page), /No outstanding token has this id\./);
      assert.equal(await page.getByLabel('Token', { exact: true }).inputValue(), '0'.repeat(32));
    }));

  test('gives a token free after a warning, and it works again', () =>
    site.visit(async (page) => {
      const token = await obtainRefresh(site.server, BOB);
      await openToken(page, token);
      await go(page, 'Revoke this token');
      await press(page, 'Yes, revoke it');
      await page.goto(BLACKLIST);
      await search(page, jtiOf(token));
      assert.deepEqual(
        (await rowsOf(page)).map((row) => row.at(-1)),
        ['Works again'],
      );
      await go(page, jtiOf(token));
      assert.match(await textOf(page), /until then it would work without this entry\./);
      await go(page, 'Delete');
      assert.match(
        await textOf(page),
        /It has not expired\. Whoever has it can use it again, from the next request on until /,
      );
      assert.equal(await refreshStatus(site.server, token), 401);
      await press(page, 'Yes, I’m sure');
      assert.equal(pathOf(page), BLACKLIST);
      assert.match(await messageOf(page), /^The blacklisted token \w+ was deleted successfully\.$/);
      assert.equal(await refreshStatus(site.server, token), 200);
      await openToken(page, token);
      assert.match(await textOf(page), /State Alive/);
    }));
});
