import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Page } from 'playwright';
import { overwriteUser } from './accounts.ts';
import { readAnswer, shownText } from './answer.ts';
import { SHARED_SITE } from './shared-site.ts';
import { ADA, type Site } from './site.ts';
import { logIn, nextStep, obtain, postForm, postRaw } from './steps.ts';

const run = promisify(execFile);

/** Everything that a shell, JSON or a Python or JavaScript string could stumble over. */
const AWKWARD = {
  ...ADA,
  username: `o'neil "$HOME" \`id\` \\n 100% & a=b; é <b>`,
  password: `it's "a" $PASS\\word!1`,
};

const MASK = '********';

let site: Site;
before(async () => {
  site = await SHARED_SITE.borrow();
  await site.server.createUser({ ...AWKWARD, username: 'awkward' });
  overwriteUser(site.server, 'awkward', { username: AWKWARD.username, email: '' });
});
after(() => SHARED_SITE.giveBack());

/** Requests that succeed, each made in the browser. */
const REQUESTS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'a login by the form': (page) => logIn(page),
  'a login as JSON': (page) => postRaw(page, '/api/token/', JSON.stringify(credentials(ADA))),
  'a login as a raw form': (page) =>
    postRaw(
      page,
      '/api/token/',
      `${new URLSearchParams(credentials(ADA))}`,
      'application/x-www-form-urlencoded',
    ),
  'a refresh': async (page) => {
    const { refresh } = await obtain(page);
    await postForm(page, '/api/token/refresh/', { Refresh: refresh });
  },
  'a GET with a token': async (page) => {
    await logIn(page);
    await nextStep(page, 'Inside the access token', 'Use it at /api/me/');
  },
  'a GET of the root': (page) => page.goto('/api/'),
  'a verification': async (page) => {
    const { access } = await obtain(page);
    await postForm(page, '/api/token/verify/', { Token: access });
  },
};

for (const [name, make] of Object.entries(REQUESTS)) {
  test(`${name}: its curl and its fetch do the same again`, () =>
    site.visit(async (page) => {
      await make(page);
      const { status } = await readAnswer(page);
      assert.equal(status, 200);
      const { curl, fetch } = await samplesOf(page);
      assert.equal(await runCurl(curl), 200);
      assert.match(await runFetch(fetch), /^200 /);
    }));
}

test('the samples are right whatever stands in them', () =>
  site.visit(async (page) => {
    await postForm(page, '/api/token/', { Username: AWKWARD.username, Password: AWKWARD.password });
    await assertAwkward(page);
    await postRaw(page, '/api/token/', JSON.stringify(credentials(AWKWARD)));
    await assertAwkward(page);
  }));

test('the password is masked in every sample and stands nowhere in the page', () =>
  site.visit(async (page) => {
    for (const make of [
      () => logIn(page),
      () => postRaw(page, '/api/token/', JSON.stringify(credentials(ADA))),
      () =>
        postRaw(
          page,
          '/api/token/',
          `${new URLSearchParams(credentials(ADA))}`,
          'application/x-www-form-urlencoded',
        ),
    ]) {
      await make();
      const samples = Object.values(await samplesOf(page));
      for (const sample of samples) assert.ok(sample.includes(MASK), sample);
      assert.ok(!(await page.content()).includes(ADA.password));
    }
  }));

test('before a request is made, the samples show how to make one', () =>
  site.visit(async (page) => {
    await page.goto('/api/token/');
    const { curl, httpie, fetch, requests } = await samplesOf(page);
    for (const sample of [curl, httpie, fetch, requests]) {
      assert.ok(sample.includes(`${site.server.url}/api/token/`) && sample.includes('POST'), sample);
      assert.ok(sample.includes('username') && sample.includes(MASK), sample);
    }
    assert.equal(await runCurl(curl.replace('<username>', ADA.username)), 200);
    assert.match(await runFetch(fetch.replace('<username>', ADA.username)), /^200 /);
  }));

test('each language shows when it is chosen, with JavaScript off as well', () =>
  site.visit(
    async (page) => {
      await page.goto('/api/');
      for (const name of ['HTTPie', 'JavaScript', 'Python', 'curl']) {
        const radio = page.getByRole('radio', { name });
        await page.locator(`label[for="${await radio.getAttribute('id')}"]`).click();
        const shown = page.locator('pre[aria-label]').filter({ visible: true, hasText: 'api/' });
        assert.equal(await shown.last().getAttribute('aria-label'), name);
      }
    },
    { javaScriptEnabled: false },
  ));

interface Samples {
  curl: string;
  httpie: string;
  fetch: string;
  requests: string;
}

async function samplesOf(page: Page): Promise<Samples> {
  const names = ['curl', 'HTTPie', 'JavaScript', 'Python'];
  const [curl = '', httpie = '', fetch = '', requests = ''] = await Promise.all(
    names.map((name) => shownText(page.locator(`pre[aria-label="${name}"]`))),
  );
  return { curl, httpie, fetch, requests };
}

/** The status that curl gets by a sample. */
async function runCurl(sample: string, masked = ADA.password): Promise<number> {
  const command = `${sample.trim()} -s -o /dev/null -w '%{http_code}'`;
  // In place of the mask one types one's password as the shell wants it.
  const { stdout } = await run('bash', ['-c', command.replaceAll(MASK, () => masked)]);
  return Number(stdout);
}

/** What a sample for fetch prints in Node.js: the status and the JSON. */
async function runFetch(sample: string, masked = ADA.password): Promise<string> {
  const code = sample.replaceAll(MASK, () => masked);
  return (await run(process.execPath, ['--input-type=module', '-e', code])).stdout;
}

async function assertAwkward(page: Page): Promise<void> {
  assert.equal((await readAnswer(page)).status, 200);
  const { curl, httpie, fetch, requests } = await samplesOf(page);
  const isJson = curl.includes('application/json');
  const quoted = isJson ? JSON.stringify(AWKWARD.password).slice(1, -1) : AWKWARD.password;
  assert.equal(await runCurl(curl, quoted.replaceAll("'", `'\\''`)), 200);
  const forScript = JSON.stringify(AWKWARD.password).slice(1, -1);
  assert.match(await runFetch(fetch, forScript), /^200 /);
  const { stdout } = await run('bash', ['-c', `http() { printf '%s\\n' "$@"; }\n${httpie}`]);
  assert.ok(
    stdout.includes(isJson ? JSON.stringify(AWKWARD.username) : `username=${AWKWARD.username}`),
    stdout,
  );
  if (hasPython()) assert.ok((await pythonSends(requests)).includes(AWKWARD.username));
}

function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'pass']).status === 0;
}

/** What a sample hands to requests, which is put in place of here: every text in it, a line each. */
async function pythonSends(sample: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-python-'));
  try {
    writeFileSync(join(folder, 'requests.py'), RECORDER);
    const { stdout } = await run('python3', ['-c', sample], { env: { ...process.env, PYTHONPATH: folder } });
    return JSON.parse(stdout.split('\n')[0] ?? '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const RECORDER = `
import json
class Answer:
    status_code = 200
    def json(self): return {}
def texts(value):
    if isinstance(value, dict): return [text for one in value.values() for text in texts(one)]
    if isinstance(value, (list, tuple)): return [text for one in value for text in texts(one)]
    if isinstance(value, bytes): return texts(value.decode())
    if isinstance(value, str) and value[:1] == '{': return texts(json.loads(value))
    return [value]
def request(*args, **kwargs):
    print(json.dumps(texts(list(args)) + texts(kwargs)))
    return Answer()
def method(name): return lambda *args, **kwargs: request(name, *args, **kwargs)
get, post, put, patch, delete, options = map(method, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
`;

function credentials({ username, password }: { username: string; password: string }): Record<string, string> {
  return { username, password };
}
