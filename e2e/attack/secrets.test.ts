import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Attack, FORM, token } from './attack.ts';
import { run } from './start.ts';

const folder = mkdtempSync(join(tmpdir(), 'jotgate-secrets-'));
const STRONG = randomBytes(64).toString('base64url');

after(() => rmSync(folder, { recursive: true, force: true }));

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
const publicPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
const jwk = JSON.stringify(privateKey.export({ format: 'jwk' }));

const PRODUCTION = { NODE_ENV: 'production', SECRET_KEY: STRONG, BCRYPT_ROUNDS: '12' };

describe('case 36: refuses to start, names the setting, never prints the value', () => {
  const rows: readonly (readonly [string, Record<string, string>, RegExp, (string | undefined)?])[] = [
    ['no secret', { ...PRODUCTION, SECRET_KEY: '' }, /SECRET_KEY/],
    ['a blank secret', { ...PRODUCTION, SECRET_KEY: '    ' }, /SECRET_KEY/],
    [
      'a short secret',
      { ...PRODUCTION, SECRET_KEY: 'Zq8#vT2!mX9@kL4$wR7%' },
      /SECRET_KEY.*32/,
      'Zq8#vT2!mX9@kL4$wR7%',
    ],
    [
      'a secret too short for HS384',
      { ...PRODUCTION, ALGORITHM: 'HS384', SECRET_KEY: STRONG.slice(0, 47) },
      /SECRET_KEY.*48/,
      STRONG.slice(0, 47),
    ],
    [
      'a secret too short for HS512',
      { ...PRODUCTION, ALGORITHM: 'HS512', SECRET_KEY: STRONG.slice(0, 63) },
      /SECRET_KEY.*64/,
      STRONG.slice(0, 63),
    ],
    [
      'a short signing key',
      { ...PRODUCTION, SIGNING_KEY: 'Zq8#vT2!mX9@kL4$wR7%' },
      /SIGNING_KEY.*32/,
      'Zq8#vT2!mX9@kL4$wR7%',
    ],
    [
      'a secret of examples',
      { ...PRODUCTION, SECRET_KEY: 'change-me-change-me-change-me-change-me' },
      /SECRET_KEY/,
      'change-me-change-me',
    ],
    [
      "Django's default secret",
      { ...PRODUCTION, SECRET_KEY: `django-insecure-${STRONG}` },
      /SECRET_KEY/,
      STRONG,
    ],
    ['one letter all over', { ...PRODUCTION, SECRET_KEY: 'a'.repeat(100) }, /SECRET_KEY/],
    ['a PEM as a secret', { ...PRODUCTION, SECRET_KEY: pem }, /SECRET_KEY/, pem.split('\n')[1]],
    [
      'a public PEM as a secret',
      { ...PRODUCTION, SIGNING_KEY: publicPem },
      /SIGNING_KEY/,
      publicPem.split('\n')[1],
    ],
    ['a JWK as a secret', { ...PRODUCTION, SECRET_KEY: jwk }, /SECRET_KEY/, jwk.slice(20, 60)],
    ['cheap hashes in production', { ...PRODUCTION, BCRYPT_ROUNDS: '11' }, /BCRYPT_ROUNDS/],
    ['a negative lifetime', { ACCESS_TOKEN_LIFETIME: '-5m' }, /ACCESS_TOKEN_LIFETIME/],
    ['no lifetime', { REFRESH_TOKEN_LIFETIME: '0' }, /REFRESH_TOKEN_LIFETIME/],
    ['a lifetime that is none', { SLIDING_TOKEN_LIFETIME: 'soon' }, /SLIDING_TOKEN_LIFETIME/],
    ['an algorithm that is none', { ALGORITHM: 'none' }, /ALGORITHM/],
    ['a boolean that is none', { ROTATE_REFRESH_TOKENS: 'maybe' }, /ROTATE_REFRESH_TOKENS/],
  ];
  for (const [name, settings, words, value] of rows) {
    test(name, async () => {
      const { code, stdout, stderr } = await run(folder, settings);
      assert.ok(code !== 0 && code !== null, `it started: ${stdout}`);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /^\s+at /m);
      if (value !== undefined) assert.ok(!(stdout + stderr).includes(value), 'the value is printed');
    });
  }
  test('an unknown setting in the .env file', async () => {
    writeFileSync(join(folder, '.env'), 'ACESS_TOKEN_LIFETIME=hunter2-5m\n');
    const { code, stdout, stderr } = await run(folder);
    rmSync(join(folder, '.env'));
    assert.notEqual(code, 0);
    assert.match(stderr, /ACESS_TOKEN_LIFETIME/);
    assert.ok(!(stdout + stderr).includes('hunter2'));
  });
});

let attack: Attack;

before(async () => {
  attack = await Attack.start({
    LOG_LEVEL: 'trace',
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
  });
});
after(() => attack.end());

test('case 36: no account exists that nobody made', () =>
  attack.case(36, async () => {
    for (const username of ['admin', 'root', 'jotgate', 'superuser', 'test']) {
      for (const password of ['admin', 'root', 'password', 'jotgate', '', username]) {
        const { status } = await attack.send('/api/token/', { body: { username, password } });
        assert.ok(status === 401 || status === 400);
      }
    }
  }));

describe('case 37: logs hold no password, token or cookie, at the most talkative level', () => {
  const PASSWORD = 'pw-Fixture-123';
  const COOKIE = 'cookie-that-nobody-may-read';
  const used: string[] = [PASSWORD, COOKIE];

  /** How a text could stand in a log: as it is, escaped, or as the bytes of a Buffer. */
  function traces(secret: string): string[] {
    const bytes = [...Buffer.from(secret)];
    return [
      secret,
      encodeURIComponent(secret),
      bytes.join(','),
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ];
  }

  async function assertNothingLogged(): Promise<void> {
    // Logs go out behind the event loop's back.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const log = attack.server.stdout() + attack.server.stderr();
    assert.ok(log.includes('/api/token/'), 'requests are logged at all');
    for (const secret of used) {
      for (const trace of traces(secret))
        assert.ok(
          !log.includes(trace),
          `${secret.slice(0, 20)}… stands in the log as ${trace.slice(0, 30)}…`,
        );
    }
  }

  const signatureOf = (text: string) => text.split('.')[2] as string;

  test('of requests as they should be', () =>
    attack.case(37, async () => {
      const login = await attack.logIn();
      const rotated = JSON.parse(
        (await attack.send('/api/token/refresh/', { body: { refresh: login.refresh } })).body,
      );
      used.push(...[login.refresh, login.access, rotated.refresh, rotated.access].map(signatureOf));
      await attack.send('/api/token/refresh/', { body: { refresh: login.refresh } });
      await attack.send('/api/me/', {
        method: 'GET',
        headers: { authorization: `Bearer ${login.access}`, cookie: COOKIE },
      });
      await attack.send('/api/token/', {
        body: { username: 'ada', password: PASSWORD },
        headers: { accept: 'text/html' },
      });
      await attack.send('/api/me/', {
        headers: { 'content-type': FORM, accept: 'text/html' },
        body: `_method=GET&_token=${login.access}`,
      });
      await assertNothingLogged();
    }));
  test('of requests as they should not be', () =>
    attack.case(37, async () => {
      const secret = token();
      used.push(signatureOf(secret));
      const query = `?token=${secret}&password=${PASSWORD}&access=${secret}`;
      for (const path of [
        '/',
        '/api/',
        '/api/token/',
        '/api/token',
        '/api/me/',
        '/nowhere/',
        '/%',
        '/*',
        '/static/nothing.css',
      ]) {
        for (const method of ['GET', 'POST', 'PUT', 'PROPFIND']) {
          await attack.raw(
            `${method} ${path}${query} HTTP/1.1\r\nHost: a\r\nCookie: ${COOKIE}\r\nAuthorization: Bearer ${secret}\r\nConnection: close\r\n\r\n`,
            300,
          );
        }
      }
      for (const type of [
        'application/json',
        FORM,
        'multipart/form-data',
        'multipart/form-data; boundary=b',
        'text/csv',
        'x',
        '',
      ]) {
        for (const body of [
          `{"username": "ada", "password": "${PASSWORD}"`,
          `password=${PASSWORD}&token=${secret}&x=%`,
          `{"token": ${secret}`,
        ]) {
          await attack.send('/api/token/', { headers: { 'content-type': type }, body });
          await attack.send('/api/token/', { headers: { 'content-type': type, accept: 'text/html' }, body });
        }
      }
      await assertNothingLogged();
    }));
  test('of what is no HTTP', () =>
    attack.case(37, async () => {
      const secret = token();
      used.push(signatureOf(secret));
      const start = `POST /api/token/?token=${secret} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${secret}\r\nCookie: ${COOKIE}\r\n`;
      for (const bytes of [
        `${start}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
        `${start}X: a\0b\r\n\r\n`,
        `${start}Content-Length: x\r\n\r\n{"password": "${PASSWORD}"}`,
        `${start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{"password": "${PASSWORD}"}`,
        `${start}Transfer-Encoding: chunked\r\n\r\nzz\r\n{"password": "${PASSWORD}"}`,
        `{"password": "${PASSWORD}"}\r\n\r\n`,
        `${start}X: ${'x'.repeat(20_000)}\r\n\r\n`,
      ]) {
        await attack.raw(bytes);
      }
      await attack.raw(
        `${start}Content-Length: 100\r\nContent-Type: application/json\r\n\r\n{"password": "${PASSWORD}"`,
        50,
      );
      await assertNothingLogged();
    }));
  test('and no request forges a line', () =>
    attack.case(37, async () => {
      for (const path of ['/a%0d%0a{"level":50,"msg":"forged"}', '/a%0A%1B[31mforged', '/forged"}%0a{"']) {
        await attack.send(path, { method: 'GET' });
        await attack.send(path, { headers: { 'content-type': 'x\tforged' }, body: 'x' });
      }
      await attack.raw('GET /a\r\n{"msg":"forged"}\r\n\r\n');
      await new Promise((resolve) => setTimeout(resolve, 200));
      for (const line of attack.server.stderr().trim().split('\n')) {
        const { msg } = JSON.parse(line) as { msg?: string };
        assert.notEqual(msg, 'forged');
      }
    }));
});
