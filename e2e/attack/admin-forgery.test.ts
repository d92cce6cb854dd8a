import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminSite, addressOf, adminRoutes } from './admin-site.ts';
import { formFor, rowOf } from './admin-table.ts';
import type { AdminVisitor, Form, Posting } from './admin-visitor.ts';
import { FORM, PASSWORD, type Reply } from './attack.ts';

const PAGES = await adminRoutes();

/** The pages that a form can be sent to. */
const TAKING = PAGES.filter(({ post }) => post !== undefined);

let site: AdminSite;
let victim: AdminVisitor;
let stranger: AdminVisitor;

/** Every address that a form can be sent to, with the form that would do what it is for. */
let targets: { address: string; form: Form }[];

before(async () => {
  site = await AdminSite.start();
  victim = await site.visitor('superuser');
  stranger = await site.visitor('anonymous');
  const things = await site.things();
  targets = await Promise.all(
    TAKING.map(async ({ path }) => ({
      address: addressOf(path, things),
      form: await formFor(path, things, victim),
    })),
  );
});
after(() => site.end());

const host = () => new URL(site.attack.server.url).host;

/** What the victim's browser could be made to send by another site, or by somebody who knows not all. */
const FORGERIES: Readonly<Record<string, () => Posting>> = {
  'no token': () => ({ token: null }),
  'an empty token': () => ({ token: '' }),
  'a token of nobody': () => ({ token: 'x'.repeat(36) }),
  'the token of another visitor': () => ({ token: stranger.token }),
  'a token that was cut': () => ({ token: victim.token.slice(0, -1) }),
  'another origin': () => ({ headers: { origin: 'https://evil.example' } }),
  'an origin that begins alike': () => ({ headers: { origin: `http://${host()}.evil.example` } }),
  'an origin with a name before it': () => ({ headers: { origin: `http://evil@${host()}x` } }),
  'another port': () => ({ headers: { origin: 'http://127.0.0.1:1' } }),
  'an origin of null': () => ({ headers: { origin: 'null' } }),
  'an empty origin': () => ({ headers: { origin: '' } }),
  'another site': () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
  'another site of the same domain': () => ({ headers: { 'sec-fetch-site': 'same-site' } }),
};

describe('case 29: what another site sends is refused, and does nothing', () => {
  for (const [name, forge] of Object.entries(FORGERIES)) {
    test(name, () =>
      site.attack.case(29, async () => {
        await site.changesNothing(name, async () => {
          for (const { address, form } of targets) {
            const { status, headers } = await victim.post(address, form, forge());
            assert.equal(status, 403, address);
            assert.ok(!String(headers['set-cookie'] ?? '').includes('jotgate_admin='), address);
          }
        });
        assert.ok(await victim.isIn(), 'the session was ended');
      }),
    );
  }
  test('without the cookie that the token fits', () =>
    site.attack.case(29, async () => {
      const cookie = `jotgate_admin=${victim.cookies.get('jotgate_admin')}`;
      await site.changesNothing('a form without the cookie', async () => {
        for (const { address, form } of targets) {
          const pairs = { ...(form as Record<string, string>), csrfmiddlewaretoken: victim.token };
          for (const secret of [
            '',
            'jotgate_csrf=',
            `jotgate_csrf=${stranger.cookies.get('jotgate_csrf')}`,
          ]) {
            const { status } = await site.attack.send(address, {
              headers: { accept: 'text/html', 'content-type': FORM, cookie: `${cookie}; ${secret}` },
              body: new URLSearchParams(pairs).toString(),
            });
            assert.equal(status, 403, address);
          }
        }
      });
    }));
  test('a token in the address or a header, or a body of another kind', () =>
    site.attack.case(29, async () => {
      await site.changesNothing('a form of another kind', async () => {
        for (const { address, form } of targets) {
          const query = `${address}?csrfmiddlewaretoken=${encodeURIComponent(victim.token)}`;
          for (const headers of [{}, { 'x-csrftoken': victim.token, 'x-csrf-token': victim.token }]) {
            assert.equal((await victim.post(query, {}, { token: null, headers })).status, 403, address);
          }
          const whole = { ...form, csrfmiddlewaretoken: victim.token };
          const text = new URLSearchParams(whole as Record<string, string>).toString();
          const part = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--b--';
          for (const [type, body] of [
            ['text/plain', text],
            ['application/json', JSON.stringify(whole)],
            ['multipart/form-data; boundary=b', part],
            ['', text],
          ] as const) {
            const { status } = await victim.send('POST', address, {
              headers: { 'content-type': type },
              body,
            });
            assert.ok([403, 415].includes(status), `${address} ${type}: ${status}`);
          }
        }
      });
      assert.ok(await victim.isIn());
    }));
  test('and nobody is logged in by another site, as whomever', () =>
    site.attack.case(29, async () => {
      for (const forge of Object.values(FORGERIES)) {
        const visitor = await site.visitor('anonymous');
        const posting = forge();
        const credentials = { username: 'superuser', password: PASSWORD };
        const token = posting.token === undefined ? visitor.token : posting.token;
        const reply = await visitor.post('/admin/login/', credentials, { ...posting, token });
        assert.equal(reply.status, 403);
        assert.equal(await visitor.isIn(), false);
      }
    }));
  test('what comes from the page itself passes, or nothing above says anything', () =>
    site.attack.case(29, async () => {
      for (const headers of [
        { origin: site.attack.server.url },
        { 'sec-fetch-site': 'same-origin' },
        { 'sec-fetch-site': 'none' },
        { referer: `${site.attack.server.url}/admin/` },
      ] as Record<string, string>[]) {
        const { user } = await site.things();
        const { status } = await victim.post(`/admin/auth/user/${user.id}/delete/`, {}, { headers });
        assert.equal(status, 303, JSON.stringify(headers));
      }
    }));
});

/** Where nobody may be sent. */
const ELSEWHERE = [
  '//evil.example',
  '///evil.example',
  '////evil.example/admin/',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  ' https://evil.example',
  'https://evil.example',
  'http:evil.example',
  'HTTPS:/evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '/admin/\r\nLocation: https://evil.example',
  '/admin/\r\nSet-Cookie: jotgate_admin=x',
  '%0d%0aLocation:%20https://evil.example',
  '/%09/evil.example',
  '/%5cevil.example',
  '/admin/..//evil.example',
  '/./\\evil.example',
  '/.//evil.example',
  '/admin/../..//evil.example',
  'evil.example',
  '@evil.example',
  ':@evil.example',
  '',
  '\0',
  '/\0/evil.example',
  '／／evil.example',
  '/\u2028/evil.example',
];

/** That a browser stays where it is, whatever it makes of what it is told. */
function assertStays({ headers }: Reply, what: string): void {
  const { location } = headers;
  if (location === undefined) return;
  assert.match(String(location), /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/, `${what}: ${location}`);
  const { origin } = new URL(String(location), 'http://here.example/admin/login/');
  assert.equal(origin, 'http://here.example', `${what}: ${location}`);
}

describe('case 31: nobody is sent elsewhere', () => {
  test('after a log-in, with any next', () =>
    site.attack.case(31, async () => {
      for (const next of ELSEWHERE) {
        const visitor = await site.visitor('anonymous');
        const form = await visitor.formOn(`/admin/login/?next=${encodeURIComponent(next)}`);
        const reply = await visitor.post('/admin/login/', { ...form, username: 'staff', password: PASSWORD });
        assert.equal(reply.status, 303);
        assertStays(reply, next);
        const other = await site.visitor('anonymous');
        const direct = await other.post('/admin/login/', { username: 'staff', password: PASSWORD, next });
        assert.equal(direct.status, 303);
        assertStays(direct, next);
      }
    }));
  test('who is logged in already, with any next', () =>
    site.attack.case(31, async () => {
      for (const next of ELSEWHERE) {
        const reply = await victim.get(`/admin/login/?next=${encodeURIComponent(next)}`);
        assert.equal(reply.status, 303, next);
        assertStays(reply, next);
      }
    }));
  test('by the plainly foreign ones one comes to the index', () =>
    site.attack.case(31, async () => {
      for (const next of [
        '//evil.example',
        '\\\\evil',
        '/\\evil',
        'javascript:alert(1)',
        '/admin/\r\nX: y',
        'https://evil.example',
      ]) {
        const { headers } = await victim.get(`/admin/login/?next=${encodeURIComponent(next)}`);
        assert.equal(headers.location, '/admin/', next);
      }
    }));
  test('but back to the page that was asked for', () =>
    site.attack.case(31, async () => {
      for (const path of ['/admin/auth/user/?q=a+b&is_staff__exact=1', '/admin/history/', '/api/token/']) {
        const visitor = await site.visitor('anonymous');
        const asked = path.startsWith('/admin/') ? (await visitor.get(path)).headers.location : undefined;
        const form = await visitor.formOn(String(asked ?? `/admin/login/?next=${encodeURIComponent(path)}`));
        const reply = await visitor.post('/admin/login/', {
          ...form,
          username: 'superuser',
          password: PASSWORD,
        });
        assert.equal(reply.headers.location, path);
      }
    }));
  test('by an address that lacks its slash or names another host, nor by next on any page', () =>
    site.attack.case(31, async () => {
      const things = await site.things();
      const queries = ['', ...ELSEWHERE.slice(0, 5).map((next) => `?next=${encodeURIComponent(next)}`)];
      for (const { path } of PAGES) {
        const address = addressOf(path, things);
        for (const at of [
          address,
          address.slice(0, -1),
          `${address}/`,
          `/${address}`,
          address.replace('/admin', '/admin/'),
        ]) {
          for (const query of queries) assertStays(await victim.get(`${at}${query}`), `${at}${query}`);
          assertStays(await stranger.get(at), at);
        }
      }
      for (const target of [
        'http://evil.example/admin/',
        '//evil.example/admin/auth/user/',
        '/admin//evil.example',
        '/admin/\\evil.example',
        '/admin/..//evil.example',
        '/admin/%0d%0aX:y',
        '/admin/auth/user/?\\\\evil.example',
      ]) {
        for (const cookie of ['', `Cookie: jotgate_admin=${victim.cookies.get('jotgate_admin')}\r\n`]) {
          const { text } = await site.attack.raw(
            `GET ${target} HTTP/1.1\r\nHost: evil.example\r\n${cookie}Connection: close\r\n\r\n`,
          );
          const location = /^location: (.*)\r$/im.exec(text)?.[1];
          assertStays({ status: 0, body: '', headers: { location } }, target);
        }
      }
    }));
  test('nor by what a form says', () =>
    site.attack.case(31, async () => {
      for (const { path } of TAKING.filter((page) => rowOf(page.path).form !== undefined)) {
        const things = await site.things();
        const evil = {
          next: '//evil.example',
          redirect: '//evil.example',
          _popup: '1',
          _changelist_filters: '//evil.example',
        };
        const form = { ...(await formFor(path, things, victim)), ...evil };
        const query = '?next=//evil.example&_changelist_filters=%2F%2Fevil.example';
        assertStays(await victim.post(`${addressOf(path, things)}${query}`, form), path);
        if (!(await victim.isIn())) victim = await site.visitor('superuser');
      }
    }));
});
