import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UserRow } from '../../db/tables.ts';
import { type NewEvent, recordEvents } from '../audit/record.ts';
import { startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

let admin: TestAdmin;
let root: UserRow;
let ada: UserRow;
let visitor: Visitor;
let auditor: Visitor;

before(async () => {
  admin = await startAdmin();
  root = await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  ada = await admin.addUser({ username: 'ada' });
  const clerk = await admin.addUser({ username: 'clerk', is_staff: true });
  await admin.grant(clerk, 'admin.view_logentry');
  await admin.addUser({ username: 'nobody', is_staff: true });
  await record(events());
  visitor = await admin.visitor('root');
  auditor = await admin.visitor('clerk');
});
after(() => admin.close());

const MARKUP = '<script>alert(1)</script>';
const JTI = '0123456789abcdef0123456789abcdef';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

function record(list: readonly NewEvent[], daysAgo = 0): Promise<void> {
  return recordEvents(admin.db, list, new Date((admin.clock.now - daysAgo * 86_400) * 1000));
}

function events(): NewEvent[] {
  const here = { address: '10.0.0.9', userAgent: FIREFOX };
  const object = { type: 'user', id: String(ada.id), name: 'ada' } as const;
  const byRoot = { via: 'admin', actor: { id: root.id, name: 'root' }, ...here } as const;
  const byAda = { via: 'api', actor: { id: ada.id, name: 'ada' }, address: '10.0.0.7' } as const;
  return [
    { kind: 'login', origin: byAda },
    {
      kind: 'login_refused',
      origin: { via: 'api', actor: null, address: '203.0.113.5', userAgent: 'curl/8.5.0' },
      object,
      reason: 'no_active_account',
      count: 40,
    },
    {
      kind: 'user_changed',
      origin: byRoot,
      object,
      changes: [
        { field: 'First name', before: '', after: 'Ada' },
        { field: 'Email address', before: 'a@old.example', after: 'a@new.example' },
        { field: 'Active', before: 'Yes', after: 'No' },
        { field: 'Groups', before: 'Editors', after: 'Readers' },
      ],
    },
    { kind: 'token_blacklisted', origin: byAda, object: { type: 'outstandingtoken', id: '5', name: JTI } },
    { kind: 'user_deleted', origin: byRoot, object: { type: 'user', id: '999', name: 'gone' } },
    { kind: 'group_added', origin: byRoot, object: { type: 'group', id: '1', name: MARKUP }, reason: MARKUP },
    {
      kind: 'tokens_flushed',
      origin: { via: 'command', actor: { id: null, name: 'zoe' } },
      reason: '3 expired tokens',
    },
  ];
}

/** The cells of each row as they are read, without those of the log-ins that the tests themselves make. */
async function rowsAt(query: string, by = visitor): Promise<string[][]> {
  const { body, statusCode } = await by.get(`/admin/history/${query}`);
  assert.equal(statusCode, 200);
  const table = body.slice(body.indexOf('<tbody>'), body.indexOf('</tbody>'));
  return table
    .split('<tr>')
    .slice(1)
    .map((row) => row.split('<td>').slice(1).map(textOf))
    .filter(([, , what]) => what !== 'Logged in to the admin' && what !== 'Data exported');
}

function textOf(html: string): string {
  return unescaped(
    html
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

const whats = async (query: string) => (await rowsAt(query)).map(([, , what]) => what);

describe('the history', () => {
  test('says when, who, what and from where, newest first', async () => {
    assert.deepEqual(await rowsAt(''), [
      ['2026-03-04 05:06:07 UTC', 'zoe', 'Expired tokens flushed 3 expired tokens', 'Command line'],
      [
        '2026-03-04 05:06:07 UTC',
        'root',
        `Group added ${MARKUP} ${MARKUP}`,
        'Admin, 10.0.0.9, Firefox on Linux',
      ],
      ['2026-03-04 05:06:07 UTC', 'root', 'User deleted gone', 'Admin, 10.0.0.9, Firefox on Linux'],
      ['2026-03-04 05:06:07 UTC', 'ada', `Token revoked ${JTI.slice(0, 16)}…`, 'API, 10.0.0.7'],
      [
        '2026-03-04 05:06:07 UTC',
        'root',
        'User changed ada First name: empty → “Ada”; Email address: “a@old.example” → “a@new.example”; ' +
          'Active: “Yes” → “No”; and 1 more',
        'Admin, 10.0.0.9, Firefox on Linux',
      ],
      [
        '2026-03-04 05:06:07 UTC',
        '–',
        'Login refused ×40 ada wrong name or password, or switched off',
        'API, 203.0.113.5, curl/8.5.0',
      ],
      ['2026-03-04 05:06:07 UTC', 'ada', 'Logged in', 'API, 10.0.0.7'],
    ]);
  });

  test('leads to what is still there and the viewer may see', async () => {
    const { body } = await visitor.get('/admin/history/');
    assert.ok(body.includes(`<a href="/admin/auth/user/${ada.id}/change/">ada</a>`));
    assert.ok(
      body.includes(
        `<a href="/admin/token_blacklist/outstandingtoken/?q=${JTI}"><code>${JTI.slice(0, 16)}…</code></a>`,
      ),
    );
    assert.ok(!body.includes('/admin/auth/user/999/'));
    const seen = await auditor.get('/admin/history/');
    assert.equal(seen.statusCode, 200);
    assert.ok(!/href="\/admin\/(auth|token_blacklist)\//.test(seen.body));
  });

  test('is inert, whatever stands in it', async () => {
    for (const path of ['', '?q=<script>', '6/']) {
      const { body } = await visitor.get(`/admin/history/${path}`);
      assert.ok(!body.includes(MARKUP), path);
    }
  });

  test('is for those who may view the log', async () => {
    const outsider = await admin.visitor('nobody');
    for (const path of ['', '1/', 'export/']) {
      assert.equal((await outsider.get(`/admin/history/${path}`)).statusCode, 403, path);
      assert.equal((await (await admin.visitor()).get(`/admin/history/${path}`)).statusCode, 303, path);
    }
  });

  test('cannot be changed: there is nothing to send, and nobody may', async () => {
    const before = await admin.db.selectFrom('jotgate_event').selectAll().execute();
    for (const path of ['', '1/', 'export/']) {
      assert.equal(
        (await visitor.post(`/admin/history/${path}`, { action: 'delete' })).statusCode,
        405,
        path,
      );
    }
    const { body } = await visitor.get('/admin/history/');
    assert.ok(!body.includes('name="action"'));
    assert.ok(!body.includes('type="checkbox"'));
    assert.deepEqual(await admin.db.selectFrom('jotgate_event').selectAll().execute(), before);
  });
});

describe('the history is narrowed', () => {
  before(async () => {
    const api = { via: 'api', actor: null, address: '192.0.2.1' } as const;
    for (const [daysAgo, reason] of [
      [0, 'token_invalid'],
      [6, 'token_expired'],
      [8, 'token_wrong_type'],
      [29, 'token_without_id'],
      [31, 'token_without_type'],
    ] as const) {
      await record([{ kind: 'verify_refused', origin: api, reason }], daysAgo);
    }
  });

  const found: readonly [query: string, whats: readonly string[]][] = [
    ['?when=today&kind=verify_refused', ['Verification failed not a genuine token']],
    [
      '?when=past_7_days&kind=verify_refused',
      ['Verification failed token expired', 'Verification failed not a genuine token'],
    ],
    ['?group=login', ['Logged in']],
    ['?group=change', ['Group added', 'User deleted', 'User changed']],
    ['?group=change&kind=user_deleted', ['User deleted']],
    ['?kind=user_deleted', ['User deleted']],
    ['?group=refusal&kind=login_refused', ['Login refused']],
    ['?via=command', ['Expired tokens flushed']],
    ['?via=admin', ['Group added', 'User deleted', 'User changed']],
    ['?via=api&group=token', ['Token revoked']],
    ['?q=zoe', ['Expired tokens flushed']],
    ['?q=GONE', ['User deleted']],
    ['?q=203.0.113', ['Login refused']],
    ['?q=root+gone', ['User deleted']],
    [`?q=${JTI.slice(0, 8)}`, ['Token revoked']],
    ['?q=nobody-at-all', []],
  ];
  for (const [query, expected] of found) {
    test(query, async () => {
      const seen = await whats(query);
      assert.deepEqual(
        seen.map((what) => expected.find((start) => what?.startsWith(start)) ?? what),
        expected,
      );
    });
  }

  test('by thirty days', async () => {
    assert.equal((await whats('?when=past_30_days&kind=verify_refused')).length, 4);
    assert.equal((await whats('?kind=verify_refused')).length, 5);
  });

  test('and says so when nothing is left, with a way back', async () => {
    const { body } = await visitor.get('/admin/history/?q=nobody-at-all&group=login');
    assert.match(body, /Nothing here fits the search and the filters\. <a href="\?">Show all<\/a>/);
  });

  test('with kinds to choose from once there is a subject', async () => {
    const links = async (query: string) =>
      [...(await visitor.get(`/admin/history/${query}`)).body.matchAll(/[?&;]kind=(\w+)/g)].map(
        ([, kind]) => kind,
      );
    assert.deepEqual(await links(''), []);
    assert.ok((await links('?group=token')).includes('token_restored'));
    assert.ok(!(await links('?group=token')).includes('login'));
    assert.ok((await links('?kind=login')).includes('admin_logout'));
  });

  test('and what no filter offers is no filter', async () => {
    const all = await rowsAt('');
    for (const query of ['?group=none', '?kind=constructor', '?via=%00', '?when=toString', "?q=%25'_\\"]) {
      const rows = await rowsAt(query);
      assert.ok(rows.length === all.length || query.startsWith('?q='), query);
    }
  });
});

test('a page has fifty rows, and is not heavy', async () => {
  const own = await startAdmin();
  const user = await own.addUser({ username: 'root', is_staff: true, is_superuser: true });
  const origin = { via: 'api', actor: null, address: '203.0.113.77', userAgent: FIREFOX } as const;
  const object = { type: 'user', id: String(user.id), name: 'carol.winter@example.com' } as const;
  const event: NewEvent = { kind: 'refresh_refused', origin, object, reason: 'token_expired', count: 3 };
  await recordEvents(own.db, Array<NewEvent>(250).fill(event), new Date(own.clock.now * 1000));
  const reader = await own.visitor('root');
  const pages = await Promise.all(['', '?p=6'].map((query) => reader.get(`/admin/history/${query}`)));
  assert.deepEqual(
    pages.map(({ body }) => body.split('<tr>').length - 2),
    [50, 1],
  );
  let size = 0;
  for (const url of ['css/jotgate.css', 'css/admin.css', 'js/jotgate.js', 'js/copy.js', 'js/times.js']) {
    size += (await own.app.inject(`/static/${url}`)).rawPayload.length;
  }
  const total = size + (pages[0]?.rawPayload.length ?? 0);
  assert.ok(total < 60 * 1024, `${total} bytes`);
  await own.close();
});

describe('one event', () => {
  test('is shown with all that is known of it', async () => {
    const { body } = await visitor.get('/admin/history/3/');
    const text = textOf(body.slice(body.indexOf('<dl')));
    for (const part of ['2026-03-04 05:06:07 UTC', 'root', 'ada', 'Admin', '10.0.0.9', FIREFOX]) {
      assert.ok(text.includes(part), part);
    }
    assert.ok(text.includes('Groups “Editors” → “Readers”'));
  });

  test('that is not there is no page', async () => {
    for (const id of ['999999', '0', 'x', '1e3']) {
      assert.equal((await visitor.get(`/admin/history/${id}/`)).statusCode, 404, id);
    }
  });
});

describe('the export', () => {
  test('has what the list finds, a JSON object a line, and is itself recorded', async () => {
    const answer = await visitor.get('/admin/history/export/?kind=user_changed');
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], 'application/jsonl; charset=utf-8');
    assert.match(
      String(answer.headers['content-disposition']),
      /^attachment; filename="jotgate-history-2026-03-04\.jsonl"$/,
    );
    assert.equal(answer.headers['cache-control'], 'no-store');
    const lines = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ kind, actor, object }) => [kind, actor.name, object.name]),
      [['user_changed', 'root', 'ada']],
    );
    assert.equal(lines[0].changes.length, 4);
    const [, , what] = (await (await visitor.get('/admin/history/?kind=exported')).body)
      .split('<td>')
      .slice(1);
    assert.equal(textOf(what ?? ''), 'Data exported History kind=user_changed');
  });

  test('of everything keeps the order in which it happened', async () => {
    const answer = await auditor.get('/admin/history/export/');
    const ids = answer.body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id as number);
    assert.ok(ids.length > 10);
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
  });

  test('of nothing is empty', async () => {
    assert.equal((await visitor.get('/admin/history/export/?q=nobody-at-all')).body, '');
  });

  test('has no secret in it', async () => {
    const { body } = await visitor.get('/admin/history/export/');
    for (const secret of ['pw-Fixture-123', 'bcrypt', '$2b$', 'eyJ', 'jotgate_admin'])
      assert.ok(!body.includes(secret));
  });
});

describe('the history of a user', () => {
  const of = async (id: number, by = visitor) => {
    const { body } = await by.get(`/admin/auth/user/${id}/history/`);
    const table = body.slice(body.indexOf('<tbody>'), body.indexOf('</tbody>'));
    return table
      .split('<tr>')
      .slice(1)
      .map((row) => row.split('<td>').slice(1).map(textOf));
  };

  test('has the changes, and not every refused log-in', async () => {
    const rows = await of(ada.id);
    assert.deepEqual(
      rows.map(([, who, what]) => [who, what?.slice(0, 30)]),
      [['root', 'User changed First name: empty']],
    );
  });

  test('has what Django itself changed, once', async () => {
    await admin.db
      .insertInto('django_admin_log')
      .columns([
        'object_id',
        'object_repr',
        'action_flag',
        'change_message',
        'content_type_id',
        'user_id',
        'action_time',
      ])
      .expression((eb) =>
        eb
          .selectFrom('django_content_type')
          .select((one) => [
            one.val(String(ada.id)).as('object_id'),
            one.val('ada').as('object_repr'),
            one.val(2).as('action_flag'),
            one.val('[{"changed": {"fields": ["Last name", "Groups"]}}]').as('change_message'),
            'id',
            one.val(root.id).as('user_id'),
            one.val('2026-03-03 00:00:00').as('action_time'),
          ])
          .where('model', '=', 'user'),
      )
      .execute();
    const rows = await of(ada.id);
    assert.deepEqual(rows.length, 2);
    assert.deepEqual(rows[1], [
      '2026-03-03 00:00:00 UTC',
      'root',
      'Changed Last name and Groups.',
      'Django’s admin',
    ]);
  });

  test('that has none says so', async () => {
    const { body } = await visitor.get(`/admin/auth/user/${root.id}/history/`);
    assert.match(body, /doesn’t have a change history/);
  });
});
