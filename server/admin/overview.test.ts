import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type NewEvent, recordEvents } from '../audit/record.ts';
import { recordOutstanding } from '../tokens/store.ts';
import { startAdmin, type TestAdmin } from './admin.fixture.ts';

const RECOMMENDED = {
  ROTATE_REFRESH_TOKENS: 'true',
  BLACKLIST_AFTER_ROTATION: 'true',
  CHECK_REVOKE_TOKEN: 'true',
};
let admin: TestAdmin;

before(async () => {
  admin = await startAdmin(RECOMMENDED);
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  await admin.addUser({ username: 'nobody', is_staff: true });
  const viewer = await admin.addUser({ username: 'viewer', is_staff: true });
  await admin.grant(viewer, 'auth.view_user', 'auth.add_group', 'auth.change_group');
  const auditor = await admin.addUser({ username: 'auditor', is_staff: true });
  await admin.grant(auditor, 'admin.view_logentry');
});
after(() => admin.close());

async function overviewOf(username: string): Promise<string> {
  const answer = await (await admin.visitor(username)).get('/admin/');
  assert.equal(answer.statusCode, 200);
  return answer.body;
}

function record(daysAgo: number, ...events: NewEvent[]): Promise<void> {
  return recordEvents(admin.db, events, new Date((admin.clock.now - daysAgo * 86_400) * 1000));
}

const api = { via: 'api', actor: null } as const;

describe('the index is for each what he may do:', () => {
  test('a superuser sees every list, with add and change', async () => {
    const page = await overviewOf('root');
    for (const href of ['auth/user/', 'auth/user/add/', 'auth/group/', 'auth/group/add/', 'history/']) {
      assert.ok(page.includes(`<a href="/admin/${href}"`), href);
    }
    assert.match(page, /aria-label="Change: Users">Change</);
    assert.match(page, /aria-label="View: Outstanding tokens">View</);
    assert.match(page, /href="\/admin\/createsuperuser\/"/);
  });

  test('others what their permissions allow', async () => {
    const page = await overviewOf('viewer');
    assert.match(page, /aria-label="View: Users">View</);
    assert.match(page, /aria-label="Change: Groups">Change</);
    assert.ok(page.includes('/admin/auth/group/add/'));
    for (const href of ['auth/user/add/', 'history/', 'token_blacklist', 'createsuperuser']) {
      assert.ok(!page.includes(`/admin/${href}`), href);
    }
    assert.ok(!page.includes('<svg'));
    assert.ok(!page.includes('attention'));
    assert.match(page, /<li><a href="\/admin\/auth\/user\/">4 users<\/a><\/li>/);
  });

  test('who may do nothing is told so', async () => {
    const page = await overviewOf('nobody');
    assert.match(page, /You don’t have permission to view or edit anything\./);
    assert.ok(!page.includes('users<'));
  });
});

test('live tokens are those neither expired nor revoked', async () => {
  for (const [jti, seconds] of [
    ['alive', 60],
    ['revoked', 60],
    ['expired', 0],
  ] as const) {
    const { now } = admin.clock;
    await recordOutstanding(admin.db, {
      jti,
      token: 'x',
      userId: null,
      createdAt: now,
      expiresAt: now + seconds,
    });
  }
  await admin.db
    .insertInto('token_blacklist_blacklistedtoken')
    .columns(['blacklisted_at', 'token_id'])
    .expression((eb) =>
      eb
        .selectFrom('token_blacklist_outstandingtoken')
        .select([eb.val('2026-03-04 00:00:00').as('blacklisted_at'), 'id'])
        .where('jti', '=', 'revoked'),
    )
    .execute();
  assert.match(await overviewOf('root'), />1 live token</);
});

describe('what needs attention', () => {
  test('is nothing on a quiet day with good settings, but for cheap hashes', async () => {
    const page = await overviewOf('root');
    assert.match(page, /Password hashes are cheap/);
    assert.match(await overviewOf('auditor'), /Nothing needs attention/);
  });

  test('is log-ins that are refused more than usual, for those who may see the history', async () => {
    await record(3, { kind: 'login_refused', origin: api, count: 13 });
    await record(0, { kind: 'login_refused', origin: api, count: 8 });
    await record(0, { kind: 'admin_login_refused', origin: { ...api, via: 'admin' }, count: 4 });
    await record(0, { kind: 'verify_refused', origin: api, count: 1_000 });
    for (const username of ['root', 'auditor']) {
      const page = await overviewOf(username);
      assert.match(
        page,
        /<a href="\/admin\/history\/\?group=refusal&amp;when=today">Refused log-ins are rising: 12 today<\/a>/,
      );
      assert.match(page, /there were 1 a day/);
    }
    assert.ok(!(await overviewOf('viewer')).includes('rising'));
  });

  test('of the settings is for superusers alone', async () => {
    assert.ok(!(await overviewOf('auditor')).includes('Password hashes'));
  });
});

test('the chart is an image with a name, and a table says the same', async () => {
  await record(13, { kind: 'login', origin: api, count: 7 });
  await record(14, { kind: 'login', origin: api, count: 999 });
  const page = await overviewOf('auditor');
  const svg = page.slice(page.indexOf('<svg'), page.indexOf('</svg>'));
  assert.match(svg, /^<svg role="img" aria-labelledby="chart-name chart-desc"/);
  assert.match(svg, /<title id="chart-name">.+<\/title>\s*<desc id="chart-desc">.+<\/desc>/);
  assert.ok(!/style|script|\son\w+=/.test(svg));
  assert.match(svg, /<title>2026-02-19: 7 log-ins<\/title>/);
  const table = page.slice(page.indexOf('<details>'), page.indexOf('</details>'));
  assert.equal(table.split('<tr>').length - 2, 14);
  assert.match(table, /<th scope="row">2026-02-19<\/th><td>7<\/td><td>0<\/td>/);
  assert.match(table, /<th scope="row">2026-03-04<\/th><td>\d+<\/td><td>1,012<\/td>/);
  assert.ok(!page.includes('999'));
});

test('my recent actions are mine, the last ten', async () => {
  const [root, other] = await admin.db
    .selectFrom('auth_user')
    .select(['id', 'username'])
    .orderBy('id')
    .execute();
  const by = (user: typeof root): NewEvent['origin'] => ({
    via: 'admin',
    actor: { id: user?.id ?? 0, name: user?.username ?? '' },
  });
  for (let number = 1; number <= 12; number += 1) {
    const object = { type: 'group', id: String(number), name: `group ${number}` } as const;
    await record(0, { kind: 'group_added', origin: by(root), object });
  }
  const object = { type: 'group', id: '99', name: 'not mine' } as const;
  await record(0, { kind: 'group_added', origin: by(other), object });
  const page = await overviewOf('root');
  const recent = page.slice(page.indexOf('Recent actions'));
  assert.equal(recent.split('<li>').length - 1, 10);
  assert.ok(recent.includes('group 12') && recent.includes('group 3<'));
  assert.ok(!recent.includes('not mine'));
});

test('before anybody has logged in, it says what to do', async () => {
  await admin.db.deleteFrom('jotgate_event_day').execute();
  const visitor = await admin.visitor('auditor');
  await admin.db.deleteFrom('jotgate_event_day').execute();
  const { body } = await visitor.get('/admin/');
  assert.match(body, /Nobody has logged in yet\. <a href="\/api\/token\/">/);
  assert.ok(!body.includes('<svg'));
});
