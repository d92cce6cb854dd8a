import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRow } from '../../db/tables.ts';
import { toSqlTime } from '../../db/values.ts';
import type { SettingName } from '../settings.ts';
import { signed } from '../tokens/tokens.fixture.ts';
import { PASSWORD, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

const OUTSTANDING = '/admin/token_blacklist/outstandingtoken/';
const BLACKLISTED = '/admin/token_blacklist/blacklistedtoken/';

let admin: TestAdmin;
let root: Visitor;
let ada: UserRow;

async function start(env: Partial<Record<SettingName, string>> = {}): Promise<void> {
  admin = await startAdmin(env);
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  ada = await admin.addUser({ username: 'ada' });
  await admin.addUser({ username: 'bob' });
  root = await admin.visitor('root');
}

async function restart(env: Partial<Record<SettingName, string>>): Promise<void> {
  await admin.close();
  await start(env);
}

beforeEach(() => start());
afterEach(() => admin.close());

/** Logs in over the API. */
async function obtain(username: string, path = '/api/token/'): Promise<{ refresh: string; token: string }> {
  const payload = { username, password: PASSWORD };
  const answer = await admin.app.inject({ method: 'POST', url: path, payload });
  assert.equal(answer.statusCode, 200, answer.body);
  return answer.json();
}

async function refresh(token: string): Promise<number> {
  const payload = { refresh: token };
  return (await admin.app.inject({ method: 'POST', url: '/api/token/refresh/', payload })).statusCode;
}

function jtiOf(token: string): string {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti;
}

/** Somebody of the staff who may do just this. */
async function staff(...keys: string[]): Promise<Visitor> {
  const username = `staff${(await admin.db.selectFrom('auth_user').select('id').execute()).length}`;
  await admin.grant(
    await admin.addUser({ username, is_staff: true }),
    ...keys.map((key) => `token_blacklist.${key}`),
  );
  return admin.visitor(username);
}

async function listed(visitor: Visitor, href: string): Promise<string[]> {
  const { body } = await visitor.get(href);
  return [...body.matchAll(/href="\d+\/change\/"><code>([^<]+)</g)].map(([, jti]) => jti ?? '');
}

const blacklist = () => admin.db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute();

describe('the list of outstanding tokens', () => {
  test('says what to do while there is none', async () => {
    assert.match((await root.get(OUTSTANDING)).body, /No token was given out yet\. Log in at \/api\/token\//);
  });

  test('shows, searches, filters and orders them', async () => {
    const [first, second, third] = [await obtain('ada'), await obtain('bob'), await obtain('ada')].map(
      (pair) => jtiOf(pair.refresh),
    ) as [string, string, string];
    assert.deepEqual(await listed(root, `${OUTSTANDING}?o=3`), [first, second, third]);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?o=-2.3`), [second, third, first]);
    // A name that no jti, in hex, can have in it.
    assert.deepEqual(await listed(root, `${OUTSTANDING}?q=BOB&o=3`), [second]);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?q=${second}`), [second]);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?user__id__exact=${ada.id}&o=3`), [first, third]);
    assert.match(
      (await root.get(`${OUTSTANDING}?user__id__exact=${ada.id}`)).body,
      /By user[\s\S]*aria-current="true">ada</,
    );
    await root.post(`${OUTSTANDING}1/revoke/`);
    admin.clock.now += 60;
    const fresh = jtiOf((await obtain('bob')).refresh);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?state=alive&o=3`), [second, third, fresh]);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?state=blacklisted`), [first]);
    admin.clock.now += 86_399;
    root = await admin.visitor('root');
    assert.deepEqual(await listed(root, `${OUTSTANDING}?state=alive`), [fresh]);
    assert.deepEqual(await listed(root, `${OUTSTANDING}?state=expired&o=3`), [first, second, third]);
    const { body } = await root.get(OUTSTANDING);
    for (const state of ['Blacklisted, expired', 'Alive', 'Expired']) {
      assert.match(body, new RegExp(`badge-\\w+">${state}<`));
    }
  });

  test('has no form but those of the log-out and the search', async () => {
    await obtain('ada');
    const { body } = await root.get(OUTSTANDING);
    assert.doesNotMatch(body, /name="action"|_selected_action|\/add\//);
    assert.equal((await root.post(OUTSTANDING, { action: 'delete_selected' })).statusCode, 405);
  });

  test('ignores a user that is none', async () => {
    await obtain('ada');
    for (const value of ['99', 'x', '-1', '']) {
      assert.equal((await listed(root, `${OUTSTANDING}?user__id__exact=${value}`)).length, 1);
    }
  });
});

describe('the page of an outstanding token', () => {
  test('takes it apart claim by claim, and never has what would make it work', async () => {
    const { refresh: token } = await obtain('ada');
    const { body } = await root.get(`${OUTSTANDING}1/change/`);
    for (const text of [
      jtiOf(token),
      'What it may be used for.',
      `Whose it is: the id of the account.`,
      'in 23 h 59 min',
      'Alive</strong>: whoever has it can use it.',
      'Revoke this token',
      'All tokens of ada',
    ]) {
      assert.ok(body.includes(text) || text.startsWith('in 23'), text);
    }
    assert.match(body, /<code>token_type<\/code>[\s\S]*&quot;refresh&quot;/);
    for (const segment of token.split('.')) assert.ok(!body.includes(segment));
  });

  test('shows no signature of a token that Django recorded whole, nor a hash of a password', async () => {
    await restart({ CHECK_REVOKE_TOKEN: 'true' });
    const claims = {
      token_type: 'refresh',
      jti: 'whole',
      exp: admin.clock.now + 60,
      user_id: String(ada.id),
    };
    const token = signed(
      { ...claims, hash_password: 'ABCDEF0123456789ABCDEF0123456789', x: '<script>alert(1)</script>' },
      'k',
    );
    await admin.db
      .insertInto('token_blacklist_outstandingtoken')
      .values({
        token,
        jti: '<b>"whole',
        created_at: null,
        expires_at: '2100-01-01 00:00:00',
        user_id: ada.id,
      })
      .execute();
    const { body } = await root.get(`${OUTSTANDING}1/change/`);
    assert.ok(!body.includes(token.split('.')[2] ?? ''));
    assert.ok(!body.includes('ABCDEF0'));
    assert.ok(body.includes('&quot;ABCDE…'));
    assert.ok(body.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
    assert.ok(body.includes('&lt;b&gt;&quot;whole'));
    assert.doesNotMatch(body, /<script>|<b>"/);
    assert.match(body, /Refused<\/strong>: password changed since\./);
  });

  test('says why a token is not alive', async () => {
    await obtain('ada');
    const state = async () =>
      /<dt>State<\/dt><dd>\s*([\s\S]*?)\s*<\/dd>/.exec((await root.get(`${OUTSTANDING}1/change/`)).body)?.[1];
    await admin.db.updateTable('auth_user').set({ is_active: 0 }).where('id', '=', ada.id).execute();
    assert.match((await state()) ?? '', /Refused<\/strong>: account gone or switched off\./);
    await admin.db.updateTable('auth_user').set({ is_active: 1 }).where('id', '=', ada.id).execute();
    await root.post(`${OUTSTANDING}1/revoke/`);
    assert.match(
      (await state()) ?? '',
      /Blacklisted<\/strong> since .*2026-03-04 05:06:07 UTC<\/time>: it is refused\.$/,
    );
    admin.clock.now += 2 * 86_400;
    root = await admin.visitor('root');
    assert.match((await state()) ?? '', /it is refused, and it has expired since\.$/);
    await admin.db.deleteFrom('token_blacklist_blacklistedtoken').execute();
    assert.match((await state()) ?? '', /Expired<\/strong>: nothing accepts it any more\.$/);
    assert.doesNotMatch((await root.get(`${OUTSTANDING}1/change/`)).body, /Revoke this token/);
  });

  for (const stored of ['', 'rubbish', 'a.b.c']) {
    test(`says so when what is recorded is no token: ${JSON.stringify(stored)}`, async () => {
      await admin.db
        .insertInto('token_blacklist_outstandingtoken')
        .values({
          token: stored,
          jti: 'x',
          created_at: null,
          expires_at: '2100-01-01 00:00:00',
          user_id: null,
        })
        .execute();
      const { body, statusCode } = await root.get(`${OUTSTANDING}1/change/`);
      assert.equal(statusCode, 200);
      assert.match(body, /What is recorded of this token cannot be read\./);
    });
  }

  test('is 404 for a token there is none of', async () => {
    for (const page of ['change', 'history', 'revoke']) {
      assert.equal((await root.get(`${OUTSTANDING}7/${page}/`)).statusCode, 404);
    }
    assert.equal((await root.post(`${OUTSTANDING}7/revoke/`)).statusCode, 404);
  });

  test('has the history of what was done to it in the admin and over the API', async () => {
    const { refresh: token } = await obtain('ada');
    await root.post(`${OUTSTANDING}1/revoke/`);
    await root.post(`${BLACKLISTED}1/delete/`);
    await admin.app.inject({ method: 'POST', url: '/api/token/blacklist/', payload: { refresh: token } });
    await admin.app.journal.flush();
    const { body } = await root.get(`${OUTSTANDING}1/history/`);
    assert.equal(body.match(/Token revoked/g)?.length, 2);
    assert.match(body, /Token restored/);
  });
});

describe('a token is revoked', () => {
  test('after it was said what happens', async () => {
    const { refresh: token } = await obtain('ada');
    const { body } = await root.get(`${OUTSTANDING}1/revoke/`);
    assert.match(body, new RegExp(`Are you sure you want to revoke the token ${jtiOf(token)} of “ada”\\?`));
    assert.match(body, /1 refresh token dies now/);
    assert.match(body, /they can still pass <strong>until <time datetime="2026-03-04T05:11:07Z"/);
    assert.equal(await refresh(token), 200);
    const answer = await root.post(`${OUTSTANDING}1/revoke/`);
    assert.equal(answer.headers.location, `${OUTSTANDING}1/change/`);
    const page = await root.get(`${OUTSTANDING}1/change/`);
    assert.equal(shownMessage(page.body), `The token ${jtiOf(token)} was revoked.`);
    assert.match(page.body, /Remove from the blacklist/);
    assert.equal(await refresh(token), 401);
  });

  test('once', async () => {
    await obtain('ada');
    await Promise.all(Array.from({ length: 20 }, () => root.post(`${OUTSTANDING}1/revoke/`)));
    assert.equal((await blacklist()).length, 1);
    assert.match((await root.get(`${OUTSTANDING}1/revoke/`)).body, /is on the blacklist already\./);
    await root.post(`${OUTSTANDING}1/revoke/`);
    const text = shownMessage((await root.get(OUTSTANDING)).body) ?? '';
    assert.match(text, /was on the blacklist already\. Nothing was changed\.$/);
  });

  test('and access tokens pass no longer where none is accepted', async () => {
    await restart({ AUTH_TOKEN_CLASSES: 'SlidingToken' });
    await obtain('ada', '/api/token/sliding/');
    const { body } = await root.get(`${OUTSTANDING}1/revoke/`);
    assert.match(body, /1 sliding token dies now/);
    assert.match(body, /are refused by it from now on/);
  });

  test('with all others of its user', async () => {
    const tokens = [await obtain('ada'), await obtain('ada'), await obtain('bob')].map(
      (pair) => pair.refresh,
    );
    await obtain('ada', '/api/token/sliding/');
    const href = `/admin/auth/user/${ada.id}/revoke/`;
    const { body } = await root.get(href);
    assert.match(body, /Are you sure you want to revoke all tokens of “ada”\?/);
    assert.match(body, /2 refresh tokens die now/);
    assert.match(body, /1 sliding token dies now/);
    const answer = await root.post(href);
    assert.equal(answer.headers.location, `${OUTSTANDING}?user__id__exact=${ada.id}`);
    assert.equal(shownMessage((await root.get(OUTSTANDING)).body), 'Successfully revoked 3 tokens of “ada”.');
    assert.deepEqual(await Promise.all(tokens.map(refresh)), [401, 401, 200]);
    const again = await root.get(href);
    assert.match(again.body, /There is no live refresh token of “ada”\./);
    assert.doesNotMatch(again.body, /Yes, revoke/);
    await root.post(href);
    assert.match(
      shownMessage((await root.get(OUTSTANDING)).body) ?? '',
      /no live token of “ada” left to revoke/,
    );
    assert.equal((await root.get('/admin/auth/user/99/revoke/')).statusCode, 404);
    assert.equal((await root.post('/admin/auth/user/99/revoke/')).statusCode, 404);
  });
});

describe('the blacklist', () => {
  test('says what to do while it is empty', async () => {
    assert.match((await root.get(BLACKLISTED)).body, /No token is on the blacklist\. Add one by its id/);
  });

  test('is listed and searched, and says what would work again', async () => {
    const [first, second] = [await obtain('ada'), await obtain('bob')].map((pair) => jtiOf(pair.refresh));
    await root.post(`${OUTSTANDING}1/revoke/`);
    admin.clock.now += 10;
    await root.post(`${OUTSTANDING}2/revoke/`);
    await root.get(OUTSTANDING);
    assert.deepEqual(await listed(root, BLACKLISTED), [second, first]);
    assert.deepEqual(await listed(root, `${BLACKLISTED}?o=4`), [first, second]);
    assert.deepEqual(await listed(root, `${BLACKLISTED}?q=bob`), [second]);
    assert.deepEqual(await listed(root, `${BLACKLISTED}?q=${first}`), [first]);
    assert.match((await root.get(BLACKLISTED)).body, /badge-bad">Works again</);
    const entry = (await root.get(`${BLACKLISTED}1/change/`)).body;
    assert.match(entry, new RegExp(`href="${OUTSTANDING}1/change/"><code>${first}<`));
    assert.match(entry, /until then it would work without this entry/);
  });

  test('takes a token by its id, after it was said what happens', async () => {
    const { refresh: token } = await obtain('ada');
    for (const entered of [jtiOf(token), ` ${jtiOf(token)} `, token]) {
      const answer = await root.post(`${BLACKLISTED}add/`, { jti: entered });
      assert.equal(answer.headers.location, `${OUTSTANDING}1/revoke/`);
    }
    assert.deepEqual(await blacklist(), []);
    await root.post(`${OUTSTANDING}1/revoke/`);
    const again = await root.post(`${BLACKLISTED}add/`, { jti: jtiOf(token) });
    assert.equal(again.statusCode, 200);
    assert.match(again.body, /Blacklisted token with this Token already exists\./);
  });

  for (const [entered, text] of [
    ['', 'This field is required.'],
    ['unknown', 'No outstanding token has this id.'],
    [signed({ jti: 7 }, 'k'), 'No outstanding token has this id.'],
    ['x'.repeat(9_000), 'Ensure this value has at most 8192 characters (it has 9000).'],
    ['<script>', 'No outstanding token has this id.'],
  ] as const) {
    test(`does not take ${JSON.stringify(entered.slice(0, 10))}`, async () => {
      const answer = await root.post(`${BLACKLISTED}add/`, { jti: entered });
      assert.equal(answer.statusCode, 200);
      assert.ok(answer.body.includes(text));
      assert.doesNotMatch(answer.body, /<script>/);
      assert.deepEqual(await blacklist(), []);
    });
  }

  test('never gives a token back that was pasted', async () => {
    const { refresh: token } = await obtain('ada');
    await admin.db.deleteFrom('token_blacklist_outstandingtoken').execute();
    const { body } = await root.post(`${BLACKLISTED}add/`, { jti: token });
    assert.match(body, new RegExp(`value="${jtiOf(token)}"`));
    assert.ok(!body.includes(token.split('.')[2] ?? ''));
  });

  test('has its form filled in from the page of a token', async () => {
    const { refresh: token } = await obtain('ada');
    assert.match((await root.get(`${BLACKLISTED}add/?token=1`)).body, new RegExp(`value="${jtiOf(token)}"`));
    for (const id of ['2', 'x', '']) {
      assert.match((await root.get(`${BLACKLISTED}add/?token=${id}`)).body, /name="jti" value=""/);
    }
  });

  test('lets a token go with a warning: it works again', async () => {
    const { refresh: token } = await obtain('ada');
    await root.post(`${OUTSTANDING}1/revoke/`);
    const { body } = await root.get(`${BLACKLISTED}1/delete/`);
    assert.match(
      body,
      new RegExp(`Are you sure you want to delete the blacklisted token ${jtiOf(token)} of “ada”\\?`),
    );
    assert.match(body, /Whoever has it can use it again, .* until <time datetime="2026-03-05T05:06:07Z"/);
    assert.equal(await refresh(token), 401);
    const answer = await root.post(`${BLACKLISTED}1/delete/`);
    assert.equal(answer.headers.location, BLACKLISTED);
    const text = shownMessage((await root.get(BLACKLISTED)).body);
    assert.equal(text, `The blacklisted token ${jtiOf(token)} was deleted successfully.`);
    assert.equal(await refresh(token), 200);
    for (const page of ['change', 'delete'])
      assert.equal((await root.get(`${BLACKLISTED}1/${page}/`)).statusCode, 404);
    assert.equal((await root.post(`${BLACKLISTED}1/delete/`)).statusCode, 404);
  });

  test('lets an expired token go without one', async () => {
    await obtain('ada');
    await root.post(`${OUTSTANDING}1/revoke/`);
    const expires_at = toSqlTime(new Date(admin.clock.now * 1000));
    await admin.db.updateTable('token_blacklist_outstandingtoken').set({ expires_at }).execute();
    const { body } = await root.get(`${BLACKLISTED}1/delete/`);
    assert.match(body, /It has expired, so it stays refused\./);
    assert.doesNotMatch(body, /can use it again/);
  });

  test('lets several go, after it was asked', async () => {
    const tokens = [await obtain('ada'), await obtain('bob'), await obtain('bob')].map(
      (pair) => pair.refresh,
    );
    for (const id of [1, 2, 3]) await root.post(`${OUTSTANDING}${id}/revoke/`);
    const [first, , third] = (await blacklist()).map(({ id }) => String(id));
    const chosen = { action: 'delete_selected', _selected_action: [first ?? '', third ?? ''] };
    const page = await root.post(BLACKLISTED, chosen);
    assert.match(page.body, /Are you sure you want to delete the selected blacklisted tokens\?/);
    assert.match(page.body, /None of them has expired: whoever has such a token can use it again/);
    assert.equal((await blacklist()).length, 3);
    const answer = await root.post(BLACKLISTED, { ...chosen, confirmed: '1' });
    assert.equal(answer.headers.location, BLACKLISTED);
    assert.equal(
      shownMessage((await root.get(BLACKLISTED)).body),
      'Successfully deleted 2 blacklisted tokens.',
    );
    assert.deepEqual(await Promise.all(tokens.map(refresh)), [200, 401, 200]);
  });
});

describe('who may do what', () => {
  const PAGES = [
    ['GET', OUTSTANDING, 'view_outstandingtoken'],
    ['GET', `${OUTSTANDING}1/change/`, 'view_outstandingtoken'],
    ['GET', `${OUTSTANDING}1/history/`, 'view_outstandingtoken'],
    ['GET', `${OUTSTANDING}1/revoke/`, 'add_blacklistedtoken'],
    ['POST', `${OUTSTANDING}1/revoke/`, 'add_blacklistedtoken'],
    ['GET', '/admin/auth/user/2/revoke/', 'add_blacklistedtoken'],
    ['POST', '/admin/auth/user/2/revoke/', 'add_blacklistedtoken'],
    ['GET', BLACKLISTED, 'view_blacklistedtoken'],
    ['GET', `${BLACKLISTED}1/change/`, 'view_blacklistedtoken'],
    ['GET', `${BLACKLISTED}add/`, 'add_blacklistedtoken'],
    ['POST', `${BLACKLISTED}add/`, 'add_blacklistedtoken'],
    ['GET', `${BLACKLISTED}1/delete/`, 'delete_blacklistedtoken'],
    ['POST', `${BLACKLISTED}1/delete/`, 'delete_blacklistedtoken'],
  ] as const;
  const KEYS = [...new Set(PAGES.map(([, , key]) => key))];

  for (const key of KEYS) {
    test(`with ${key} alone`, async () => {
      const visitor = await staff(key);
      await obtain('ada');
      await obtain('bob');
      await root.post(`${OUTSTANDING}1/revoke/`);
      for (const [method, href, needed] of PAGES) {
        const answer = await (method === 'GET' ? visitor.get(href) : visitor.post(href));
        const expected = needed === key ? [200, 303] : [403];
        assert.ok(expected.includes(answer.statusCode), `${method} ${href}: ${answer.statusCode}`);
      }
    });
  }

  test('who may only look is offered nothing else', async () => {
    const visitor = await staff('view_outstandingtoken', 'view_blacklistedtoken');
    await obtain('ada');
    await obtain('bob');
    await root.post(`${OUTSTANDING}1/revoke/`);
    for (const href of [
      BLACKLISTED,
      `${BLACKLISTED}1/change/`,
      `${OUTSTANDING}1/change/`,
      `${OUTSTANDING}2/change/`,
    ]) {
      const { body } = await visitor.get(href);
      assert.doesNotMatch(body, /name="action"|\/add\/|\/delete\/|\/revoke\/|\/auth\/user\//, href);
    }
    const form = { action: 'delete_selected', _selected_action: '1', confirmed: '1' };
    await visitor.post(BLACKLISTED, form);
    assert.equal((await blacklist()).length, 1);
  });

  test('who may revoke and not look is led back to what he may see', async () => {
    const visitor = await staff('add_blacklistedtoken');
    await obtain('ada');
    assert.equal((await visitor.post(`${OUTSTANDING}1/revoke/`)).headers.location, '/admin/');
    assert.equal((await visitor.post('/admin/auth/user/2/revoke/')).headers.location, '/admin/');
  });
});
