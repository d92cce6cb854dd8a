import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Locator, Page } from 'playwright';
import { readAnswer } from './answer.ts';
import { keyboard, mouse } from './hands.ts';
import { SHARED_SITE } from './shared-site.ts';
import { ADA, loading, type Site } from './site.ts';
import { obtain, post, postForm, postRaw } from './steps.ts';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
});
after(() => SHARED_SITE.giveBack());

const BLANK = 'This field may not be blank.';

/** How far below its field a message may begin, in CSS pixels. */
const NEAR = 30;

test('an error stands beside its field, which keeps its value', () =>
  site.visit(async (page) => {
    const { status, json } = await postForm(page, '/api/token/', { Username: 'Grace' });
    assert.equal(status, 400);
    assert.deepEqual(json, { password: [BLANK] });
    await assertError(page, page.getByLabel('Password'), BLANK);
    assert.equal(await page.getByLabel('Username').inputValue(), 'Grace');
    assert.equal(await page.getByLabel('Username').getAttribute('aria-invalid'), 'false');
    assert.equal(await page.getByText(BLANK, { exact: true }).count(), 1);
  }));

test('each field has its own error', () =>
  site.visit(async (page) => {
    await postForm(page, '/api/token/', {});
    await assertError(page, page.getByLabel('Username'), BLANK);
    await assertError(page, page.getByLabel('Password'), BLANK);
  }));

test('the field of a token says when it is empty, and keeps what is refused', () =>
  site.visit(async (page) => {
    const fields = {
      '/api/token/refresh/': 'Refresh',
      '/api/token/verify/': 'Token',
      '/api/token/blacklist/': 'Refresh',
      '/api/token/sliding/refresh/': 'Token',
    };
    for (const [path, label] of Object.entries(fields)) {
      assert.equal((await postForm(page, path, {})).status, 400, path);
      await assertError(page, page.getByLabel(label, { exact: true }), BLANK);
      assert.equal((await postForm(page, path, { [label]: 'not.a.token' })).status, 401, path);
      assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), 'not.a.token');
    }
  }));

test('an error of no field stands in the form', () =>
  site.visit(async (page) => {
    const { refresh } = await obtain(page);
    await page.request.post('/api/token/blacklist/', { data: { refresh } });
    const { status, json } = await postForm(page, '/api/token/verify/', { Token: refresh });
    assert.equal(status, 400);
    assert.deepEqual(json, { non_field_errors: ['Token is blacklisted'] });
    const form = page.getByRole('region', { name: 'POST form' });
    assert.equal(await form.getByText('Token is blacklisted').isVisible(), true);
  }));

test('a password never comes back, by whichever form it was sent', () =>
  site.visit(async (page) => {
    const secret = 'Open-Sesame-99';
    const sources = [
      () => postForm(page, '/api/token/', { Username: 'nobody', Password: secret }),
      () => postForm(page, '/api/token/', { Password: secret }),
      () => postRaw(page, '/api/token/', JSON.stringify({ username: 'nobody', password: secret })),
      () => postRaw(page, '/api/token/', JSON.stringify({ password: secret })),
      () => postRaw(page, '/api/token/', `{"username": "nobody", "password": "${secret}`),
      () => postRaw(page, '/api/token/', `password=${secret}`, 'application/x-www-form-urlencoded'),
    ];
    for (const [index, send] of sources.entries()) {
      assert.ok((await send()).status >= 400);
      const source = await await page.content();
      assert.ok(!source.includes(secret), `way ${index}: the password stands in the page`);
      const values = await page
        .locator('input, textarea')
        .evaluateAll((inputs) => inputs.map((input) => (input as HTMLInputElement).value));
      assert.deepEqual(
        values.filter((value) => value.includes(secret)),
        [],
        `way ${index}`,
      );
    }
  }));

test('raw data is sent as each of its media types', () =>
  site.visit(async (page) => {
    const part = (name: string, value: string) =>
      `--cut\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`;
    const { username, password } = ADA;
    const bodies = {
      'application/json': JSON.stringify({ username, password }),
      'application/x-www-form-urlencoded': new URLSearchParams({ username, password }).toString(),
      'multipart/form-data': `${part('username', username)}${part('password', password)}--cut--\n`,
    };
    await page.goto('/api/token/');
    const offered = await page.getByLabel('Media type').locator('option').allTextContents();
    assert.deepEqual(
      offered.map((text) => text.trim()),
      Object.keys(bodies),
    );
    for (const [mediaType, body] of Object.entries(bodies)) {
      const { request, status, json } = await postRaw(page, '/api/token/', body, mediaType);
      assert.deepEqual(
        [request, status, Object.keys(json)],
        ['POST /api/token/', 200, ['refresh', 'access']],
        mediaType,
      );
    }
  }));

test('the raw data tab begins with the fields of the endpoint, and shows by mouse and by the arrow keys', () =>
  site.visit(async (page) => {
    for (const hands of [mouse(page), keyboard(page)]) {
      await page.goto('/api/token/');
      assert.equal(await page.getByLabel('Content').isVisible(), false);
      await hands.choose(page.getByRole('radio', { name: 'Raw data' }));
      assert.equal(await page.getByLabel('Username').isVisible(), false);
      const content = await page.getByLabel('Content').inputValue();
      assert.equal(content, '{\n    "username": "",\n    "password": ""\n}');
    }
  }));

test('raw data can be sent with JavaScript off', () =>
  site.visit(
    async (page) => {
      const answer = await postRaw(
        page,
        '/api/token/',
        JSON.stringify({ username: 'ada', password: ADA.password }),
      );
      assert.equal(answer.status, 200);
    },
    { javaScriptEnabled: false },
  ));

test('broken JSON is answered in words, and the raw data tab stays open', () =>
  site.visit(async (page) => {
    const { status, json, advice } = await postRaw(page, '/api/token/', '{"username": ');
    assert.equal(status, 400);
    assert.match(String(json.detail), /^JSON parse error - /);
    assert.match(advice, /body/);
    assert.equal(await page.getByLabel('Content').isVisible(), true);
    assert.equal(await page.getByLabel('Media type').inputValue(), 'application/json');
  }));

test('what was sent as raw data stands in the form again when it is refused', () =>
  site.visit(async (page) => {
    await postRaw(page, '/api/token/', '{"username": "Grace", "password": ""}');
    assert.match(await page.getByLabel('Content').inputValue(), /"username": "Grace"/);
    await mouse(page).choose(page.getByRole('radio', { name: 'HTML form' }));
    await assertError(page, page.getByLabel('Password'), BLANK);
    assert.equal(await page.getByLabel('Username').inputValue(), 'Grace');
  }));

test('a refusal can be put right at once', () =>
  site.visit(async (page) => {
    await postForm(page, '/api/token/', { Username: ADA.username });
    await page.getByLabel('Password').fill(ADA.password);
    assert.equal((await post(page)).status, 200);
    assert.deepEqual(await readAnswer(page).then(({ advice }) => advice), '');
    await loading(page, () => page.getByRole('link', { name: 'Api Root' }).click());
  }));

/** The message is said of the field to who cannot see it, and stands below it to who can. */
async function assertError(page: Page, field: Locator, message: string): Promise<void> {
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  const ids = ((await field.getAttribute('aria-describedby')) ?? '').split(' ').filter((id) => id !== '');
  const described = await Promise.all(ids.map((id) => page.locator(`[id="${id}"]`).textContent()));
  assert.match(described.join(' '), new RegExp(message.replaceAll('.', '\\.')));
  const shown = await page.locator(`[id="${ids.at(-1)}"]`).boundingBox();
  const box = await field.boundingBox();
  assert.ok(shown && box, 'the field or its message is not visible');
  const gap = shown.y - (box.y + box.height);
  assert.ok(gap >= 0 && gap < NEAR, `the message begins ${gap} px below its field`);
}
