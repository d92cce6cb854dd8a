import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { shownAnswer } from '../../server/http/page.fixture.ts';
import { signed } from '../../server/tokens/tokens.fixture.ts';
import { queryDatabase } from '../database-query.ts';
import { TEST_KEY } from '../settings-of.ts';
import {
  Attack,
  BODY_DOORS,
  claims,
  FORM,
  PASSWORD,
  type Reply,
  TOKEN_DOORS,
  token,
  typeAt,
} from './attack.ts';

const MARKUP = `"'><img src=x onerror=alert(1)></textarea></pre></title><script>alert(1)</script>{{7*7}}<%= 7*7 %>`;

let attack: Attack;

before(async () => {
  attack = await Attack.start({
    TOKEN_CLAIMS: 'name=$username,mail=$email,first=$first_name,groups=$groups',
  });
  await attack.server.createUser({ username: 'markup', password: PASSWORD });
  await query(
    "UPDATE auth_user SET username = ?, email = ?, first_name = ?, last_name = ? WHERE username = 'markup'",
    ...[MARKUP, MARKUP, MARKUP, MARKUP],
  );
  await query('INSERT INTO auth_group (name) VALUES (?)', MARKUP);
  await query(
    'INSERT INTO auth_user_groups (user_id, group_id) SELECT max(auth_user.id), max(auth_group.id) FROM auth_user, auth_group',
  );
});
after(() => attack.end());

const query = <Row>(statement: string, ...values: unknown[]) =>
  queryDatabase<Row>(attack.server.databaseUrl, statement, ...values);

const page = (path: string, fields?: Readonly<Record<string, string>>): Promise<Reply> =>
  fields === undefined
    ? attack.send(path, { method: 'GET', headers: { accept: 'text/html' } })
    : attack.send(path, {
        headers: { accept: 'text/html', 'content-type': FORM },
        body: new URLSearchParams(fields).toString(),
      });

/** Every page there is, with every kind of thing shown on it. */
async function everyPage(): Promise<[name: string, reply: Reply][]> {
  const login = await page('/api/token/', { username: 'ada', password: PASSWORD });
  const { access, refresh } = shownAnswer(login.body).json as { access: string; refresh: string };
  const pages: [string, Reply][] = [
    ['login', login],
    ['wrong login', await page('/api/token/', { username: 'ada', password: 'hunter2-wrong' })],
    ['me', await page('/api/me/', { _method: 'GET', _token: access })],
    ['refreshed', await page('/api/token/refresh/', { refresh })],
    ['sliding', await page('/api/token/sliding/', { username: 'ada', password: PASSWORD })],
    ['nowhere', await page('/nowhere/')],
    ['not acceptable', await attack.send('/api/', { method: 'GET', headers: { accept: 'image/png' } })],
  ];
  for (const path of ['/', '/guide/', '/api/', '/api/me/', ...BODY_DOORS]) {
    pages.push([path, await page(path)]);
    pages.push([`OPTIONS ${path}`, await page(path, { _method: 'OPTIONS' })]);
  }
  return pages;
}

test('case 31: no address sends anybody elsewhere', () =>
  attack.case(31, async () => {
    for (const next of [
      '//evil.example',
      '\\\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/api/\r\nX: y',
      '%0d%0aLocation:%20//evil',
    ]) {
      const query = `?next=${encodeURIComponent(next)}`;
      for (const reply of [
        await page(`/api/token/${query}`, { username: 'ada', password: PASSWORD }),
        await page(`/api/token/${query}`),
        await page(`/${query}`),
        await page(`/api/token${query}`),
        await page('/api/token/', { username: 'ada', password: PASSWORD, next }),
      ]) {
        const { location } = reply.headers;
        assert.ok(location === undefined || location === `/api/token/${query}`, String(location));
        assert.ok(!/(href|action|src)="(javascript:|\/\/|\\\\|https:\/\/evil)/i.test(reply.body));
      }
    }
  }));

/** A tag, a quote that ends an attribute, or a template's mark that came through unescaped. */
function assertInert(reply: Reply, what: string): void {
  assert.ok(!/<img src=x|<script>|"'>|<\/textarea><\/pre>/.test(reply.body), `${what}: markup came through`);
  assert.ok(!/\{\{49|49 ?%>|>49<|&gt;49/.test(reply.body), `${what}: a template was run`);
  assert.match(String(reply.headers['content-type']), /^text\/html; charset=utf-8$/);
}

describe('case 32: markup is inert', () => {
  test('in names, addresses and groups of the database, and in claims made of them', () =>
    attack.case(32, async () => {
      const [owner] = await query<{ id: number }>('SELECT max(id) AS id FROM auth_user');
      const id = owner?.id;
      const login = await page('/api/token/', { username: MARKUP, password: PASSWORD });
      assert.equal(login.status, 200);
      assertInert(login, 'login');
      const { access, refresh } = shownAnswer(login.body).json as { access: string; refresh: string };
      const me = await page('/api/me/', { _method: 'GET', _token: access });
      assert.deepEqual(shownAnswer(me.body).json, { id, username: MARKUP });
      assertInert(me, 'me');
      assertInert(await page('/api/token/refresh/', { refresh }), 'refresh');
      assertInert(await page('/api/token/refresh/', { _method: 'GET', refresh }), 'refresh, opened');
    }));
  test('in every claim and header of a token, refused or not', () =>
    attack.case(32, async () => {
      for (const door of TOKEN_DOORS) {
        const odd = {
          token_type: typeAt(door),
          [MARKUP]: MARKUP,
          aud: [MARKUP],
          iss: MARKUP,
          nested: { [MARKUP]: [MARKUP] },
        };
        for (const one of [
          token(odd),
          token({ ...odd, exp: 1 }),
          token({ ...odd, token_type: MARKUP }),
          token({ ...odd, jti: MARKUP }),
          signed(claims(odd), TEST_KEY, { alg: 'HS256', kid: MARKUP, [MARKUP]: MARKUP }),
          signed(claims(odd), 'another key', { alg: MARKUP }),
        ]) {
          assertInert(await attack.present(door, one, { accept: 'text/html' }), door.path);
          if (door.field === null)
            assertInert(await page(door.path, { _method: 'GET', _token: one }), door.path);
          else assertInert(await page(door.path, { _method: 'GET', [door.field]: one }), door.path);
        }
      }
    }));
  test('in everything that a request says', () =>
    attack.case(32, async () => {
      for (const path of [...BODY_DOORS, '/api/me/', '/nowhere/']) {
        for (const fields of [
          { username: MARKUP, password: MARKUP, token: MARKUP, refresh: MARKUP },
          { [MARKUP]: MARKUP },
          { _method: MARKUP },
          { _token: MARKUP, _method: 'GET' },
          { _content_type: MARKUP, _content: MARKUP },
          {
            _content_type: 'application/json',
            _content: JSON.stringify({ username: MARKUP, [MARKUP]: MARKUP, token: MARKUP, refresh: MARKUP }),
          },
          { _content_type: 'application/json', _content: JSON.stringify([MARKUP]) },
        ]) {
          assertInert(
            await page(path, fields as unknown as Record<string, string>),
            `${path} ${JSON.stringify(fields).slice(0, 40)}`,
          );
        }
        assertInert(await page(`${path}?${encodeURIComponent(MARKUP)}=${encodeURIComponent(MARKUP)}`), path);
        const raw = await attack.raw(
          `GET ${path}?"'><script>alert(1)</script> HTTP/1.1\r\nHost: "><script>\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
        );
        assert.ok(!/<script>/.test(raw.text), path);
        const typed = await attack.send(path, {
          headers: { accept: 'text/html', 'content-type': 'text/<script>alert(1)</script>' },
          body: 'x',
        });
        if (path !== '/nowhere/') assertInert(typed, `${path} of a media type`);
      }
    }));
  test('and no page has a script or a style of its own', () =>
    attack.case(32, async () => {
      for (const [name, { body }] of await everyPage()) {
        assert.ok(
          !/<script(?![^>]*\bsrc=)|<style|\sstyle=|<[a-z][^>]*\son[a-z]+=|javascript:/i.test(body),
          name,
        );
        for (const [, url = ''] of body.matchAll(/\b(?:src|href|action)="([^"]*)"/g)) {
          assert.ok(/^(\/(?!\/)|#|http:\/\/127\.0\.0\.1:)/.test(url), `${name} leads to ${url}`);
        }
      }
    }));
});

test('case 34: no page shows a hash, a secret or a password that was entered', () =>
  attack.case(34, async () => {
    const rows = await query<{ password: string }>('SELECT password FROM auth_user');
    const hashes = rows.map(({ password }) => password);
    for (const [name, { body, headers }] of await everyPage()) {
      for (const secret of [...hashes, TEST_KEY, PASSWORD, 'hunter2-wrong', 'bcrypt_sha256']) {
        assert.ok(!body.includes(secret) && !JSON.stringify(headers).includes(secret), name);
      }
    }
  }));

test('case 34: a page that was given no token shows none that is of use', () =>
  attack.case(34, async () => {
    for (const path of ['/', '/guide/', '/api/', '/api/me/', ...BODY_DOORS]) {
      const { body } = await page(path);
      const text = body.replace(/<[^>]*>/g, '');
      for (const [shown] of text.matchAll(/[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/g)) {
        const reply = await attack.send('/api/token/verify/', { body: { token: shown } });
        assert.equal(reply.status, 401, path);
      }
    }
  }));

describe('case 35: headers', () => {
  test('of every page', () =>
    attack.case(35, async () => {
      for (const [name, { headers }] of await everyPage()) {
        assert.equal(headers['x-content-type-options'], 'nosniff', name);
        assert.equal(headers['set-cookie'], undefined, name);
        assert.equal(headers['x-powered-by'], undefined, name);
        if (!String(headers['content-type']).startsWith('text/html')) continue;
        assert.match(String(headers['referrer-policy']), /^(same-origin|no-referrer|strict-origin.*)$/, name);
        const policy = new Map(
          String(headers['content-security-policy'])
            .split(';')
            .map((directive) => directive.trim().split(/ (.*)/) as [string, string]),
        );
        for (const directive of ['default-src', 'object-src', 'base-uri', 'frame-ancestors']) {
          assert.equal(policy.get(directive), "'none'", `${name} ${directive}`);
        }
        for (const directive of ['script-src', 'style-src', 'img-src', 'connect-src', 'form-action']) {
          assert.ok(
            ["'self'", undefined].includes(policy.get(directive)),
            `${name} ${directive} ${policy.get(directive)}`,
          );
        }
        assert.match(String(headers['x-frame-options']), /^DENY$/i, name);
      }
    }));
  test('tokens are kept by nobody', () =>
    attack.case(35, async () => {
      const { refresh } = await attack.logIn();
      for (const accept of ['application/json', 'text/html']) {
        for (const [path, body] of [
          ['/api/token/', { username: 'ada', password: PASSWORD }],
          ['/api/token/', { username: 'ada', password: 'wrong' }],
          ['/api/token/sliding/', { username: 'ada', password: PASSWORD }],
          ['/api/token/refresh/', { refresh }],
        ] as const) {
          const { headers } = await attack.send(path, { body, headers: { accept } });
          assert.equal(headers['cache-control'], 'no-store', path);
        }
      }
      for (const path of ['/', '/guide/'])
        assert.equal((await page(path)).headers['cache-control'], 'no-store');
    }));
  test('nothing may be sniffed: not what is static, nor a redirect, nor an address that cannot be read', () =>
    attack.case(35, async () => {
      const { body } = await page('/');
      const files = [...body.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, url = '']) => url);
      assert.ok(files.length >= 3);
      for (const path of [...files, '/api/token', '/%', '/static/nothing.js']) {
        const reply = await attack.send(path, { method: 'GET' });
        assert.equal(reply.headers['x-content-type-options'], 'nosniff', `${path} ${reply.status}`);
      }
    }));
  test('no answer lets another origin read it', () =>
    attack.case(35, async () => {
      for (const path of ['/api/', '/api/token/', '/']) {
        for (const method of ['GET', 'OPTIONS']) {
          const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
          const reply = await attack.send(path, { method, headers });
          assert.equal(reply.headers['access-control-allow-origin'], undefined, `${method} ${path}`);
        }
      }
    }));
});
