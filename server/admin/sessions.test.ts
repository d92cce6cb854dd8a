import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { PASSWORD, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

let admin: TestAdmin;
let root: Visitor;
beforeEach(async () => {
  admin = await startAdmin({
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
    REVOKE_SESSION_ON_REUSE: 'true',
    LOGIN_FAILURES_PER_ACCOUNT: '2',
  });
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  await admin.addUser({ username: 'ada' });
  root = await admin.visitor('root');
});
afterEach(() => admin.close());

const post = (url: string, payload: object, agent = 'curl/8.5.0') =>
  admin.app.inject({ method: 'POST', url, payload, headers: { 'user-agent': agent } });

async function logIn(username = 'ada', agent?: string): Promise<string> {
  return (await post('/api/token/', { username, password: PASSWORD }, agent)).json().refresh;
}

const refresh = (token: string) => post('/api/token/refresh/', { refresh: token });

describe('the list of sessions', () => {
  test('says who is logged in, with what and from where, and finds by name, address and state', async () => {
    await logIn();
    await logIn('root', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0');
    const { body } = await root.get('/admin/sessions/');
    assert.match(body, /2 sessions/);
    assert.match(body, /Firefox on Linux/);
    for (const [query, count] of [
      ['q=ad', '1 session'],
      ['q=127.0', '2 sessions'],
      ['q=nobody', '0 sessions'],
      ['user=2', '1 session'],
      ['state=alive', '2 sessions'],
      ['state=ended', '0 sessions'],
      ['state=expired', '0 sessions'],
      ['o=-2', '2 sessions'],
    ]) {
      assert.match((await root.get(`/admin/sessions/?${query}`)).body, new RegExp(`>${count}\\b`), query);
    }
  });

  test('ends several at once, after a question', async () => {
    const tokens = [await logIn(), await logIn(), await logIn('root')];
    const form = { action: 'end_selected', _selected_action: ['1', '2'] };
    const question = await root.post('/admin/sessions/', form);
    assert.match(question.body, /Are you sure you want to end these sessions\?/);
    assert.equal((await refresh(tokens[2] ?? '')).statusCode, 200);
    const done = await root.post('/admin/sessions/', { ...form, confirmed: '1' });
    assert.equal(done.statusCode, 303);
    assert.equal(shownMessage((await root.get('/admin/sessions/')).body), 'Successfully ended 2 sessions.');
    assert.deepEqual(
      await Promise.all(tokens.slice(0, 2).map(async (token) => (await refresh(token)).statusCode)),
      [401, 401],
    );
  });
});

describe('a session', () => {
  test('draws its line of life, to the token that came twice', async () => {
    const first = await logIn();
    await refresh(first);
    await refresh(first);
    const { body } = await root.get('/admin/sessions/1/change/');
    const points = [...body.matchAll(/<li class="life-\w+">\s*<p><strong>([^<]*)/g)].map(
      ([, label]) => label,
    );
    assert.deepEqual(points, [
      'Logged in',
      'Refresh token rotated',
      'A token that was rotated before came again',
      'Ended',
    ]);
    assert.match(body, /because a token came twice/);
    assert.doesNotMatch(body, /End this session/);
    assert.doesNotMatch(body, /eyJ/);
  });

  test('is ended after a question that says what dies and what does not', async () => {
    const token = await logIn();
    const { body } = await root.get('/admin/sessions/1/end/');
    assert.match(body, /Are you sure you want to end the session of “ada”, curl\/8\.5\.0, 127\.0\.0\.1\?/);
    assert.match(body, /[Aa]ccess tokens/);
    assert.equal((await root.post('/admin/sessions/1/end/')).headers.location, '/admin/sessions/1/change/');
    assert.equal((await refresh(token)).statusCode, 401);
    assert.equal(shownMessage((await root.get('/admin/sessions/1/change/')).body), 'The session was ended.');
    await root.post('/admin/sessions/1/end/');
    assert.match(shownMessage((await root.get('/admin/')).body) ?? '', /was over already/);
    const events = await admin.db
      .selectFrom('jotgate_event')
      .selectAll()
      .where('kind', '=', 'session_ended')
      .execute();
    assert.deepEqual(
      events.map(({ actor_name, object_name }) => [actor_name, object_name]),
      [['root', 'ada']],
    );
  });

  test('that is not there is 404', async () => {
    assert.equal((await root.get('/admin/sessions/99/change/')).statusCode, 404);
    assert.equal((await root.get('/admin/sessions/99/end/')).statusCode, 404);
  });

  test('may be looked at and ended by who has the permissions', async () => {
    await logIn();
    const clerk = await admin.addUser({ username: 'clerk', is_staff: true });
    const visitor = await admin.visitor('clerk');
    assert.equal((await visitor.get('/admin/sessions/')).statusCode, 403);
    await admin.grant(clerk, 'token_blacklist.view_outstandingtoken');
    assert.equal((await visitor.get('/admin/sessions/')).statusCode, 200);
    assert.doesNotMatch((await visitor.get('/admin/sessions/1/change/')).body, /End this session/);
    assert.equal((await visitor.post('/admin/sessions/1/end/')).statusCode, 403);
    assert.equal(
      (
        await visitor.post('/admin/sessions/', {
          action: 'end_selected',
          _selected_action: '1',
          confirmed: '1',
        })
      ).statusCode,
      303,
    );
    assert.equal(
      (await admin.db.selectFrom('jotgate_session').select('ended_at').executeTakeFirst())?.ended_at,
      null,
    );
  });
});

describe('locks', () => {
  const guess = (username: string) => post('/api/token/', { username, password: 'wrong' });

  test('are seen and lifted', async () => {
    for (let time = 0; time < 2; time += 1) assert.equal((await guess('ada')).statusCode, 401);
    const refused = await post('/api/token/', { username: 'ada', password: PASSWORD });
    assert.equal(refused.statusCode, 429);
    assert.deepEqual(refused.json(), { detail: 'Request was throttled. Expected available in 900 seconds.' });
    assert.equal(refused.headers['retry-after'], '900');
    const { body } = await root.get('/admin/locks/');
    const id = /name="lock" value="(\d+)"/.exec(body)?.[1] ?? '';
    assert.match(body, /<td data-label="Locked">ada<\/td>/);
    await root.post('/admin/locks/', { lock: id });
    assert.equal(shownMessage((await root.get('/admin/locks/')).body), 'The lock of ada was lifted.');
    assert.equal((await post('/api/token/', { username: 'ada', password: PASSWORD })).statusCode, 200);
    await root.post('/admin/locks/', { lock: id });
    assert.match(shownMessage((await root.get('/admin/')).body) ?? '', /over already/);
  });

  test('hold for the admin too, and look the same for a name that nobody has', async () => {
    for (const username of ['ada', 'nobody']) {
      for (let time = 0; time < 2; time += 1) await guess(username);
      const visitor = await admin.visitor();
      await visitor.get('/admin/login/');
      const answer = await visitor.post('/admin/login/', { username, password: PASSWORD });
      assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [429, '900']);
      assert.match(answer.body, /Request was throttled/);
    }
    assert.match((await root.get('/admin/locks/')).body, /A name that nobody has/);
  });
});
