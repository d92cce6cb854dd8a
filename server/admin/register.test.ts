import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

let admin: TestAdmin;
before(async () => {
  admin = await startAdmin({ TRUST_PROXY: '127.0.0.1' });
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  await admin.addUser({ username: 'clerk', is_staff: true });
});
after(() => admin.close());

async function sessions(): Promise<number> {
  const rows = await admin.db.selectFrom('jotgate_admin_session').select('id').execute();
  return rows.length;
}

describe('a form from elsewhere is refused:', () => {
  const headers: readonly [string, Record<string, string>][] = [
    ['another origin', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://localhost:81' }],
    ['an origin that is kept secret', { origin: 'null' }],
    ['an origin that is none', { origin: 'x' }],
    ['a cross-site request', { 'sec-fetch-site': 'cross-site' }],
    ['a request from another subdomain', { 'sec-fetch-site': 'same-site' }],
  ];
  for (const [what, extra] of headers) {
    test(what, async () => {
      const visitor = await admin.visitor('root');
      await visitor.get('/admin/');
      const before = await sessions();
      const answer = await visitor.post('/admin/logout/', {}, extra);
      assert.equal(answer.statusCode, 403);
      assert.match(answer.body, /CSRF verification failed/);
      assert.equal(await sessions(), before);
    });
  }

  for (const [what, token] of [
    ['no token', []],
    ['an empty token', ''],
    ['a made-up token', 'abcdefgh-abcdefghabcdefghabcdefghabcdefghabc'],
  ] as const) {
    test(what, async () => {
      const visitor = await admin.visitor('root');
      await visitor.get('/admin/');
      assert.equal((await visitor.post('/admin/logout/', { csrfmiddlewaretoken: token })).statusCode, 403);
      assert.equal((await visitor.get('/admin/')).statusCode, 200);
    });
  }

  test("another visitor's token", async () => {
    const [mine, other] = await Promise.all([admin.visitor('root'), admin.visitor('clerk')]);
    const token =
      /name="csrfmiddlewaretoken" value="([^"]+)"/.exec((await other.get('/admin/')).body)?.[1] ?? '';
    await mine.get('/admin/');
    assert.equal((await mine.post('/admin/logout/', { csrfmiddlewaretoken: token })).statusCode, 403);
  });

  test('the log-in too', async () => {
    const visitor = await admin.visitor();
    await visitor.get('/admin/login/');
    const form = { username: 'root', password: 'pw-Fixture-123', csrfmiddlewaretoken: 'x' };
    assert.equal((await visitor.post('/admin/login/', form)).statusCode, 403);
  });

  test('one from this server passes, with what browsers say of it', async () => {
    const visitor = await admin.visitor('root');
    await visitor.get('/admin/');
    const answer = await visitor.post(
      '/admin/logout/',
      {},
      { origin: 'http://localhost:80', 'sec-fetch-site': 'same-origin', host: 'localhost' },
    );
    assert.equal(answer.statusCode, 303);
  });
});

describe('an address', () => {
  let visitor: Visitor;
  before(async () => {
    visitor = await admin.visitor('root');
  });

  for (const [url, location] of [
    ['/admin', '/admin/'],
    ['/admin/login', '/admin/login/'],
    ['/admin/password_change?x=1', '/admin/password_change/?x=1'],
  ] as const) {
    test(`without its slash is sent to the one with it: ${url}`, async () => {
      const answer = await visitor.get(url);
      assert.deepEqual([answer.statusCode, answer.headers.location], [301, location]);
    });
  }

  for (const url of ['/admin/nothing/', '/admin/auth/', '/admin/__proto__/', '/admin/%00/']) {
    test(`that leads nowhere is a page that says so: ${url}`, async () => {
      const answer = await visitor.get(url);
      assert.equal(answer.statusCode, 404);
      assert.match(answer.body, /Page not found/);
      assert.match(String(answer.headers['content-type']), /^text\/html/);
    });
  }

  test('that leads nowhere tells visitors nothing', async () => {
    const stranger = await admin.visitor();
    const answer = await stranger.get('/admin/nothing/');
    assert.equal(answer.headers.location, '/admin/login/?next=%2Fadmin%2Fnothing%2F');
  });

  test('takes the methods it takes, and says which', async () => {
    const answer = await admin.app.inject({ method: 'PUT', url: '/admin/login/' });
    assert.equal(answer.statusCode, 403);
    const post = await visitor.post('/admin/');
    assert.deepEqual([post.statusCode, post.headers.allow], [405, 'GET, HEAD']);
    const options = await admin.app.inject({ method: 'OPTIONS', url: '/admin/login/' });
    assert.deepEqual([options.statusCode, options.headers.allow], [405, 'GET, HEAD, POST']);
    const head = await admin.app.inject({ method: 'HEAD', url: '/admin/login/' });
    assert.equal(head.statusCode, 200);
  });

  test('takes forms alone, of no more than 1 MiB', async () => {
    await visitor.get('/admin/');
    const json = await visitor.post('/admin/password_change/', {}, { 'content-type': 'application/json' });
    assert.equal(json.statusCode, 415);
    const large = await visitor.post('/admin/password_change/', { old_password: 'x'.repeat(1024 * 1024) });
    assert.equal(large.statusCode, 413);
    assert.match(large.body, /larger than 1 MiB/);
  });
});

describe('headers', () => {
  test('no page is kept, sniffed, framed or scripted inline', async () => {
    const visitor = await admin.visitor('root');
    for (const url of ['/admin/', '/admin/login/', '/admin/nothing/']) {
      const { headers } = await visitor.get(url);
      assert.equal(headers['cache-control'], 'no-store');
    }
    const { headers } = await visitor.get('/admin/');
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['strict-transport-security'], undefined);
  });

  test('cookies are out of the reach of scripts and of other sites', async () => {
    const { headers } = await admin.app.inject('/admin/login/');
    assert.match(String(headers['set-cookie']), /^jotgate_csrf=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test('over https they are secure and bound to this host, and https is asked for', async () => {
    const { headers } = await admin.app.inject({
      url: '/admin/login/',
      headers: { 'x-forwarded-proto': 'https' },
    });
    assert.match(
      String(headers['set-cookie']),
      /^__Host-jotgate_csrf=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
  });

  test('nobody but a trusted proxy says that it is https', async () => {
    const plain = await startAdmin();
    const { headers } = await plain.app.inject({
      url: '/admin/login/',
      headers: { 'x-forwarded-proto': 'https' },
    });
    assert.match(String(headers['set-cookie']), /^jotgate_csrf=/);
    await plain.close();
  });

  test('a JWT is no log-in here', async () => {
    const obtained = await admin.app.inject({
      method: 'POST',
      url: '/api/token/',
      payload: { username: 'root', password: 'pw-Fixture-123' },
    });
    const authorization = `Bearer ${obtained.json().access}`;
    assert.equal((await admin.app.inject({ url: '/admin/', headers: { authorization } })).statusCode, 303);
  });

  test('and a log-in here is no JWT', async () => {
    const visitor = await admin.visitor('root');
    assert.equal((await visitor.get('/api/me/')).statusCode, 401);
  });
});

describe('a message', () => {
  test('is shown once', async () => {
    const visitor = await admin.visitor('root');
    await visitor.get('/admin/');
    await visitor.post('/admin/logout/');
    assert.match(shownMessage((await visitor.get('/admin/login/')).body) ?? '', /^Thanks for/);
    assert.equal(shownMessage((await visitor.get('/admin/login/')).body), null);
  });

  test('that was not made here is not shown', async () => {
    const visitor = await admin.visitor();
    const forged = Buffer.from('{"level":"success","text":"Send your password to me"}').toString('base64url');
    for (const value of [forged, `${forged}.abc`, 'x', '%']) {
      visitor.cookies.set('jotgate_message', value);
      const { statusCode, body } = await visitor.get('/admin/login/');
      assert.deepEqual([statusCode, body.includes('Send your password')], [200, false]);
    }
  });
});

test('a fault of the server is a page that says nothing of its cause', async () => {
  const broken = await startAdmin();
  await broken.addUser({ username: 'root', is_staff: true, is_superuser: true });
  const visitor = await broken.visitor('root');
  await broken.db.schema.dropTable('jotgate_admin_session').execute();
  const answer = await visitor.get('/admin/');
  assert.equal(answer.statusCode, 500);
  assert.doesNotMatch(answer.body, /jotgate_admin_session|sqlite/i);
  await broken.close();
});

test('who lacks the permission is told so, with a way out', async () => {
  const clerk = await admin.visitor('clerk');
  const guarded = admin.app.adminPages.filter(
    ({ access, path }) => Array.isArray(access) && !path.includes(':'),
  );
  for (const { path } of guarded) {
    const answer = await clerk.get(path);
    assert.equal(answer.statusCode, 403, path);
    assert.match(answer.body, /You don’t have permission to view or edit anything here\./);
  }
});
