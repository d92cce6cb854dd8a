import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { segment, signed } from '../../server/tokens/tokens.fixture.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack, assertNotValid, claims, type Door, PASSWORD, TOKEN_DOORS, typeAt } from './attack.ts';
import { run } from './start.ts';

/** Two servers on one database, whose tokens were signed with SECRET_KEY before there was a ring. */
let attack: Attack;
let other: Attack;

const folder = mkdtempSync(join(tmpdir(), 'jotgate-keys-'));
const RING = { KEY_RING: 'true', ALGORITHM: 'ES256', ROTATE_REFRESH_TOKENS: 'true' };
let old: { refresh: string; access: string };

before(async () => {
  const { server } = await Attack.resume(folder);
  await server.createUser({ username: 'ada', password: PASSWORD });
  const answer = await fetch(`${server.url}/api/token/`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ada', password: PASSWORD }),
  });
  old = (await answer.json()) as typeof old;
  await server.stop();
  attack = await Attack.resume(folder, RING);
  other = await Attack.resume(folder, RING);
});
after(async () => {
  await attack.end();
  await other.server.stop();
  rmSync(folder, { recursive: true });
});

interface Jwk {
  kid: string;
  [member: string]: string;
}

async function publicKeys(): Promise<Jwk[]> {
  const { body } = await attack.send('/.well-known/jwks.json', { method: 'GET' });
  return JSON.parse(body).keys;
}

async function rotatekeys(...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(folder, { SECRET_KEY: TEST_KEY, ...RING }, [
    'rotatekeys',
    ...flags,
  ]);
  assert.equal(code, 0, stderr);
  return stdout;
}

const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());

const statusOf = async (at: Attack, token: string) => (await at.present(TOKEN_DOORS[0], token)).status;

async function refusedEverywhere(forge: (door: Door) => Readonly<Record<string, string>>): Promise<void> {
  for (const door of TOKEN_DOORS) {
    for (const [name, forged] of Object.entries(forge(door))) {
      assertNotValid(await attack.present(door, forged), `${door.path} ${name}`);
    }
  }
}

test('case 2: nobody is logged out by a ring, and HMAC with what it publishes is no signature', () =>
  attack.case(2, async () => {
    assert.equal(await statusOf(attack, old.access), 200);
    const keys = await publicKeys();
    const { access } = await attack.logIn();
    const { kid } = headerOf(access);
    assert.equal(await statusOf(attack, access), 200);
    const jwk = keys.find((key) => key.kid === kid) as Jwk;
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const { kid: _, ...nameless } = jwk;
    const secrets: readonly (string | Buffer)[] = [
      key.export({ type: 'spki', format: 'pem' }).toString(),
      key.export({ type: 'spki', format: 'pem' }).toString().trim(),
      key.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      JSON.stringify(nameless),
      JSON.stringify({ keys }),
      '',
      TEST_KEY,
    ];
    await refusedEverywhere((door) => {
      const payload = segment(claims({ token_type: typeAt(door) }));
      const forged = ['HS256', 'HS384', 'HS512', 'ES256', 'ES384', 'none', '', null].flatMap((alg) =>
        secrets.map((secret, index) => {
          const input = `${segment({ alg, typ: 'JWT', kid })}.${payload}`;
          const hash = alg?.startsWith('HS') ? alg.replace('HS', 'sha') : 'sha256';
          const signature = createHmac(hash, secret).update(input).digest('base64url');
          return [`alg ${alg}, secret ${index}`, `${input}.${signature}`];
        }),
      );
      const unnamed = secrets.slice(0, -1).map((secret, index) => {
        const input = `${segment({ alg: 'HS256', typ: 'JWT' })}.${payload}`;
        return [
          `no kid, ${index}`,
          `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`,
        ];
      });
      return {
        ...Object.fromEntries([...forged, ...unnamed]),
        'the right secret in another algorithm': signed(claims({ token_type: typeAt(door) }), TEST_KEY, {
          alg: 'HS512',
        }),
        'a signature of zeros': `${segment({ alg: 'ES256', kid })}.${payload}.${'A'.repeat(86)}`,
        'a signature of DER': `${segment({ alg: 'ES256', kid })}.${payload}.MAYCAQECAQE`,
      };
    });
  }));

test('case 7: of names of keys only those of the ring are any, and nothing is fetched', () =>
  attack.case(7, async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/key`;
    const [jwk] = await publicKeys();
    const kids = [
      ...[
        '',
        ' ',
        'x',
        '1',
        '../../../../dev/null',
        '/dev/null',
        "x' UNION SELECT 'key",
        '; sleep 9',
        '$(sleep 9)',
      ],
      ...[
        `${jwk?.kid}\0`,
        `${jwk?.kid} `,
        jwk?.kid.toUpperCase(),
        '__proto__',
        'constructor',
        'x'.repeat(5_000),
      ],
      ...[null, 1, true, [jwk?.kid], { kid: jwk?.kid }],
    ].filter((kid) => kid !== jwk?.kid);
    try {
      await refusedEverywhere((door) => {
        const payload = claims({ token_type: typeAt(door) });
        return Object.fromEntries(
          kids.flatMap((kid) =>
            ['HS256', 'ES256'].map((alg) => [
              `${alg} kid ${JSON.stringify(kid)?.slice(0, 30)}`,
              signed(payload, TEST_KEY, { alg, kid, jku: url, x5u: url, jwk }),
            ]),
          ),
        );
      });
      assert.equal(connections, 0);
    } finally {
      listener.close();
    }
  }));

test('case 7: an unknown kid is no slower than a bad signature', () =>
  attack.case(7, async () => {
    const { access } = await attack.logIn();
    const [header, payload] = access.split('.');
    const time = async (forged: string) => {
      const times: number[] = [];
      for (let index = 0; index < 40; index += 1) {
        const started = performance.now();
        await attack.send('/api/token/verify/', { body: { token: forged } });
        times.push(performance.now() - started);
      }
      return times.sort((one, two) => one - two)[20] as number;
    };
    const bad = await time(`${header}.${payload}.${'A'.repeat(86)}`);
    const unknown = await time(signed(claims(), TEST_KEY, { alg: 'ES256', kid: 'deadbeefdeadbeef' }));
    assert.ok(unknown < bad * 3 + 10, `${unknown} ms against ${bad} ms`);
  }));

test('case 10: a rotation by command is seen by the very next request of every server, and logs nobody out', () =>
  attack.case(10, async () => {
    const earlier = await attack.logIn();
    await rotatekeys();
    const [here, there] = [await attack.logIn(), await other.logIn()];
    assert.notEqual(headerOf(here.access).kid, headerOf(earlier.access).kid);
    assert.equal(headerOf(there.access).kid, headerOf(here.access).kid);
    for (const { access, refresh } of [old, earlier, here, there]) {
      for (const at of [attack, other]) {
        assert.equal(await statusOf(at, access), 200);
        assert.equal(await statusOf(at, refresh), 200);
      }
    }
  }));

test('case 10: every token of a key that was withdrawn is refused at once, on every server', () =>
  attack.case(10, async () => {
    const pairs = [await attack.logIn(), await other.logIn()];
    const { kid } = headerOf(pairs[0]?.access ?? '');
    assert.equal(await statusOf(other, pairs[0]?.access ?? ''), 200);
    await rotatekeys('--withdraw', kid, '--noinput');
    for (const { access, refresh } of pairs) {
      for (const at of [other, attack]) {
        assert.equal(await statusOf(at, access), 401);
        assert.equal((await at.send('/api/token/refresh/', { body: { refresh } })).status, 401);
        assert.equal((await at.present(TOKEN_DOORS[4], access)).status, 401);
      }
    }
    assert.ok(!(await publicKeys()).some((key) => key.kid === kid));
    const { access } = await other.logIn();
    assert.equal(await statusOf(attack, access), 200);
  }));

test('case 10: the token of a key that was retired is refused, and those of SECRET_KEY with it', () =>
  attack.case(10, async () => {
    const { access } = await attack.logIn();
    await rotatekeys();
    const { kid } = headerOf(access);
    assert.equal(await statusOf(other, access), 200);
    await rotatekeys('--retire', kid);
    assert.equal(await statusOf(other, access), 401);
    await rotatekeys('--restore', kid);
    assert.equal(await statusOf(attack, access), 200);
    await rotatekeys('--retire', 'none');
    assert.equal(await statusOf(other, old.access), 401);
    // The other tests look in with such a token.
    await rotatekeys('--restore', 'none');
    assert.equal(await statusOf(attack, old.access), 200);
  }));

test('case 38: a dump of the database has no private key in it', async () => {
  const { default: SqliteDatabase } = await import('better-sqlite3');
  const database = new SqliteDatabase(attack.server.database, { readonly: true });
  const rows = database.prepare('select * from jotgate_signing_key').all() as Record<string, unknown>[];
  database.close();
  assert.ok(rows.length > 2);
  assert.doesNotMatch(JSON.stringify(rows), /PRIVATE KEY|tZ3hUo6mWv9c/);
  for (const { sealed_key, state } of rows) {
    if (state === 'withdrawn') assert.equal(sealed_key, null);
    const bytes = Buffer.from(String(sealed_key ?? ''), 'base64url').toString('latin1');
    assert.doesNotMatch(bytes, /BEGIN|PRIVATE/);
  }
});
