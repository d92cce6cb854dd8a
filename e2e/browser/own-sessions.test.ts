import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { BrowserContextOptions, Page } from 'playwright';
import { obtainRefresh, refreshStatus } from './admin/api.ts';
import { type Answer, decodePart, readAnswer, tokenIn } from './answer.ts';
import { type Hands, keyboard, mouse } from './hands.ts';
import { assertGoodPage, weighAssets } from './page-checks.ts';
import { ADA, loading, openSite, type Site } from './site.ts';
import { logIn, obtain } from './steps.ts';

const SESSIONS = '/api/sessions/';

let site: Site;
before(async () => {
  site = await openSite({ CHECK_SESSION: 'true' });
  await site.server.createUser(ADA);
});
after(() => site.close());

interface Session {
  sid: string;
  device: string;
  address: string;
  current: boolean;
}

const sidOf = (access: string) => String(decodePart(access, 1).sid);

const listed = ({ json }: Answer) => json as unknown as Session[];

/** Presses a button of a part of the page, and reads the answer. */
async function press(page: Page, hands: Hands, part: string, name: string): Promise<Answer> {
  const button = page.getByRole('region', { name: part }).getByRole('button', { name, exact: true });
  await loading(page, () => hands.press(button));
  return await readAnswer(page);
}

/** Opens an address as one who has only its page, and brings the access token there. */
async function open(page: Page, hands: Hands, path: string, access: string): Promise<Answer> {
  await page.goto(path);
  assert.equal((await readAnswer(page)).status, 401);
  await hands.write(page.getByLabel('Access token'), access);
  return await press(page, hands, 'Make the request with a token', 'GET');
}

/** Logs in by the page and elsewhere, then ends one of the others, and all others. */
async function tidyUp(page: Page, hands: Hands): Promise<void> {
  const answer = await logIn(page);
  const access = tokenIn(answer, 'access');
  const others = [await obtainRefresh(site.server, ADA), await obtainRefresh(site.server, ADA)];
  const list = await open(page, hands, SESSIONS, access);
  assert.deepEqual([list.request, list.status], [`GET ${SESSIONS}`, 200]);
  const sessions = listed(list);
  assert.deepEqual(
    sessions.map(({ current }) => current),
    [false, false, true],
  );
  const mine = sessions.find(({ current }) => current);
  assert.equal(mine?.sid, sidOf(access));
  assert.match(mine?.device ?? '', /^Chrom.* on /);
  assert.equal(mine?.address, '127.0.0.1');

  // The one that was used last stands first.
  const path = `${SESSIONS}${sessions[0]?.sid}/`;
  const one = await open(page, hands, path, access);
  assert.deepEqual([one.status, one.json.sid], [200, sessions[0]?.sid]);
  const ended = await press(page, hands, 'DELETE form', 'DELETE');
  assert.deepEqual([ended.request, ended.status, ended.json], [`DELETE ${path}`, 200, { ended: 1 }]);
  assert.equal(await refreshStatus(site.server, others[1] ?? ''), 401);
  assert.equal(await refreshStatus(site.server, others[0] ?? ''), 200);

  assert.equal(listed(await open(page, hands, SESSIONS, access)).length, 2);
  const rest = await press(page, hands, 'DELETE form', 'DELETE');
  assert.deepEqual([rest.request, rest.status, rest.json], [`DELETE ${SESSIONS}`, 200, { ended: 1 }]);
  assert.equal(await refreshStatus(site.server, others[0] ?? ''), 401);
  assert.equal(await refreshStatus(site.server, tokenIn(answer, 'refresh')), 200, 'this one goes on');
  const left = await press(page, hands, 'Make the request with a token', 'GET');
  assert.deepEqual(
    listed(left).map(({ sid }) => sid),
    [sidOf(access)],
  );
  await press(page, hands, 'DELETE form', 'DELETE');
  await open(page, hands, `${SESSIONS}${sidOf(access)}/`, access);
  await press(page, hands, 'DELETE form', 'DELETE');
  assert.equal(await refreshStatus(site.server, tokenIn(answer, 'refresh')), 401);
  assert.equal((await open(page, hands, SESSIONS, access)).status, 401, 'with the session dies its token');
}

const WAYS: Readonly<Record<string, [(page: Page) => Hands, BrowserContextOptions]>> = {
  'by keyboard alone': [keyboard, {}],
  'with JavaScript off': [mouse, { javaScriptEnabled: false }],
};

for (const [way, [handsOf, options]] of Object.entries(WAYS)) {
  test(`who is logged in lists the own sessions, ends one, all others, and this one: ${way}`, () =>
    site.visit((page) => tidyUp(page, handsOf(page)), options));
}

test('both pages are good ones, and neither has another’s session', () =>
  site.visit(async (page) => {
    const eve = { username: 'eve', password: 'Brown-bread-and-butter-3' };
    await site.server.createUser(eve);
    const { access } = await obtain(page);
    const weight = await weighAssets(page, SESSIONS);
    await assertGoodPage(page, () => open(page, mouse(page), SESSIONS, access), weight);
    const path = `${SESSIONS}${sidOf(access)}/`;
    await assertGoodPage(page, () => open(page, mouse(page), path, access), weight);

    const response = await page.request.post('/api/token/', { data: eve });
    const { access: hers } = (await response.json()) as { access: string };
    assert.deepEqual(
      listed(await open(page, mouse(page), SESSIONS, hers)).map(({ sid }) => sid),
      [sidOf(hers)],
    );
    assert.equal((await open(page, mouse(page), path, hers)).status, 404);
    assert.equal((await press(page, mouse(page), 'DELETE form', 'DELETE')).status, 404);
    assert.equal((await open(page, mouse(page), path, access)).status, 200);
  }));
