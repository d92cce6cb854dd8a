import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright';
import { tokenIn } from '../answer.ts';
import { type Hands, mouse } from '../hands.ts';
import { assertGoodPage, weighAssets } from '../page-checks.ts';
import { ADA, openSite, type Site } from '../site.ts';
import { postForm } from '../steps.ts';
import { jtiOf, obtainRefresh, refreshStatus } from './api.ts';
import { act, filterBy, namesIn, rowsOf, search } from './list-steps.ts';
import {
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

const PASSWORD = 'Brown-bread-and-butter-3';

const SESSIONS = '/admin/sessions/';

let site: Site;
before(async () => {
  site = await openSite({
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
    REFRESH_TOKEN_GRACE_PERIOD: '1h',
    REVOKE_SESSION_ON_REUSE: 'true',
  });
  await site.server.createUser(ADA);
});
after(() => site.close());

/** An account that nobody else uses, and the refresh tokens of so many log-ins. */
let accounts = 0;
async function someone(logins: number): Promise<{ username: string; tokens: string[] }> {
  accounts += 1;
  const account = { username: `walker${accounts}`, password: PASSWORD };
  await site.server.createUser(account);
  const tokens: string[] = [];
  for (let count = 0; count < logins; count += 1) tokens.push(await obtainRefresh(site.server, account));
  return { username: account.username, tokens };
}

const statusesOf = (tokens: readonly string[]) =>
  Promise.all(tokens.map((token) => refreshStatus(site.server, token)));

/** Opens the list by the menu, and looks for the sessions of a user there. */
async function openSessionsOf(page: Page, hands: Hands, username: string): Promise<void> {
  await follow(page, hands, 'Sessions', page.getByRole('navigation', { name: 'Administration' }));
  assert.equal(await headingOf(page), 'Sessions');
  await search(page, username, hands);
}

/** The points of the life that a session's page draws. */
async function lifeOn(page: Page): Promise<string[]> {
  const points = await page.locator('.life li').allInnerTexts();
  return points.map((text) => text.replace(/\s+/g, ' '));
}

test('a session’s page draws its life: issued, rotated, grace used, reused and ended, each from where', () =>
  site.visit(async (page) => {
    const { username } = await someone(0);
    const hands = mouse(page);
    const login = await postForm(page, '/api/token/', { Username: username, Password: PASSWORD });
    const first = tokenIn(login, 'refresh');
    const refresh = (token: string) => postForm(page, '/api/token/refresh/', { Refresh: token });
    const second = tokenIn(await refresh(first), 'refresh');
    assert.equal(tokenIn(await refresh(first), 'refresh'), second, 'the same within the grace period');
    const third = tokenIn(await refresh(second), 'refresh');

    await enterAdmin(page);
    await page.goto('/admin/');
    await openSessionsOf(page, hands, username);
    assert.match((await rowsOf(page))[0]?.join(' ') ?? '', /walker.*Chrom.* on Linux 127\.0\.0\.1 .*Alive$/);
    const [sid = ''] = await namesIn(page);
    assert.equal((await refresh(first)).status, 401);
    assert.equal(await refreshStatus(site.server, third), 401, 'its newest token is dead as well');

    await page.goto(SESSIONS);
    await search(page, username);
    assert.match((await rowsOf(page))[0]?.at(-1) ?? '', /^Ended: a token came twice$/);
    await follow(page, hands, sid);
    assert.match(await textOf(page), /State Ended: a token came twice/);
    assert.equal(await page.getByRole('link', { name: 'End this session' }).count(), 0);
    const life = await lifeOn(page);
    const labels = [
      ['Logged in', first],
      ['Refresh token rotated', second],
      ['The same successor given again, within the grace period', first],
      ['Refresh token rotated', third],
      ['A token that was rotated before came again', first],
    ] as const;
    assert.equal(life.length, labels.length + 1);
    for (const [index, [label, token]] of labels.entries()) {
      const point = life[index] ?? '';
      assert.ok(point.startsWith(label), point);
      assert.match(point, /, 127\.0\.0\.1, Chrom\S*( Headless)? on Linux, token /);
      assert.ok(point.endsWith(jtiOf(token).slice(0, 8)), point);
    }
    assert.match(life.at(-1) ?? '', /^Ended because a token came twice: somebody may have stolen it/);
    for (const token of [first, second, third]) assert.ok(!(await page.content()).includes(token));
    await assertGoodPage(page, () => page.reload(), await weighAssets(page, '/admin/'));
  }, {}));

describe('one session is ended, after a question', () => {
  for (const [way, { handsOf, options }] of Object.entries(WAYS)) {
    if (!['by keyboard alone', 'on a phone'].includes(way)) continue;
    test(way, () =>
      site.visit(async (page) => {
        const { username, tokens } = await someone(2);
        const hands = handsOf(page);
        await logInToAdmin(page, ADA, hands);
        await openSessionsOf(page, hands, username);
        // The one that was used last stands first.
        await follow(page, hands, (await namesIn(page))[0] ?? '');
        await follow(page, hands, 'End this session');
        assert.match(await textOf(page), new RegExp(`end the session of “${username}”.*must log in again`));
        await follow(page, hands, 'No, take me back');
        assert.match(await textOf(page), /State Alive/);
        await follow(page, hands, 'End this session');
        await pressButton(page, hands, 'Yes, end it');
        assert.equal(await messageOf(page), 'The session was ended.');
        assert.match((await lifeOn(page)).at(-1) ?? '', /^Ended by hand/);
        assert.deepEqual(await statusesOf(tokens), [200, 401]);
      }, options),
    );
  }
});

test('with JavaScript off, all sessions of a user but one are ended', () =>
  site.visit(
    async (page) => {
      const { username, tokens } = await someone(3);
      const hands = mouse(page);
      await logInToAdmin(page, ADA, hands);
      await openSessionsOf(page, hands, username);
      const names = await namesIn(page);
      assert.equal(names.length, 3);
      await act(page, 'End selected sessions', names.slice(1), hands);
      assert.match(await textOf(page), /end these sessions\? Whoever goes on with them must log in again\./);
      assert.equal(await page.locator('.affected li', { hasText: username }).count(), 2);
      await pressButton(page, hands, 'Yes, end them');
      assert.equal(await messageOf(page), 'Successfully ended 2 sessions.');
      assert.deepEqual(await statusesOf(tokens), [401, 401, 200]);
      await openSessionsOf(page, hands, username);
      await filterBy(page, 'By state', 'Alive', hands);
      assert.deepEqual(await namesIn(page), names.slice(0, 1));
    },
    { javaScriptEnabled: false },
  ));

test('all sessions of a user are ended from the list of that user’s, and nobody else’s', () =>
  site.visit(async (page) => {
    const { username, tokens } = await someone(3);
    const bystander = await someone(1);
    const hands = mouse(page);
    await enterAdmin(page);
    await page.goto('/admin/');
    await openSessionsOf(page, hands, username);
    await follow(page, hands, (await namesIn(page))[0] ?? '');
    await follow(page, hands, 'All sessions of this user');
    assert.equal(pathOf(page), SESSIONS);
    const names = await namesIn(page);
    assert.equal(names.length, 3);
    await act(page, 'End selected sessions', names, hands);
    await follow(page, hands, 'No, take me back');
    await search(page, username);
    await act(page, 'End selected sessions', names, hands);
    await pressButton(page, hands, 'Yes, end them');
    assert.equal(await messageOf(page), 'Successfully ended 3 sessions.');
    assert.deepEqual(await statusesOf(tokens), [401, 401, 401]);
    assert.deepEqual(await statusesOf(bystander.tokens), [200]);
  }, {}));
