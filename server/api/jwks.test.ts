import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { createRemoteJWKSet, exportJWK, generateKeyPair, importSPKI, jwtVerify, SignJWT } from 'jose';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { buildApp } from '../app.ts';
import { ALGORITHMS } from '../settings/algorithms.ts';
import type { SettingName } from '../settings.ts';
import { generateMaterial, makeSign, publicJwk } from '../tokens/keys/key-material.ts';
import { rotateKeys, withdrawKey } from '../tokens/keys/ring-changes.ts';
import { hashPassword } from '../users/hashers.ts';
import { createUser } from '../users/users.ts';

const PATH = '/.well-known/jwks.json';
const PASSWORD = 'pw-Fixture-123';

type Environment = Partial<Record<SettingName, string>>;

let db: Database;
let apps: FastifyInstance[];
let databases: Database[];

beforeEach(async () => {
  db = await newDatabase();
  apps = [];
  databases = [db];
  await addAda(db);
});
afterEach(async () => {
  for (const app of apps) await app.close();
  for (const one of databases) await one.destroy();
});

async function addAda(database: Database): Promise<void> {
  const passwordHash = await hashPassword(PASSWORD, settingsOf());
  await createUser(database, { username: 'ada', passwordHash }, new Date());
}

/** An app on the same database as all others, or on one of its own, listening. */
async function start(env: Environment = {}, database = db) {
  const settings = settingsOf(env);
  const app = await buildApp({ db: database, settings });
  apps.push(app);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const post = async (path: string, payload: object) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: path, payload });
    return { status: statusCode, json: JSON.parse(body) };
  };
  const obtain = async (): Promise<{ access: string; refresh: string }> => {
    const { status, json } = await post('/api/token/', { username: 'ada', password: PASSWORD });
    assert.equal(status, 200, JSON.stringify(json));
    return json;
  };
  const me = async (access: string) =>
    (await app.inject({ url: '/api/me/', headers: { authorization: `Bearer ${access}` } })).statusCode;
  return { app, settings, url, post, obtain, me };
}

const change = () => ({ origin: { via: 'command', actor: null }, now: new Date() }) as const;

describe('the public keys', () => {
  test('of a ring are those that sign, stand by and retire, for signatures alone', async () => {
    const { app, settings } = await start({ KEY_RING: 'true', ALGORITHM: 'ES384' });
    await rotateKeys(db, settings, change());
    const { keys } = (await app.inject(PATH)).json();
    assert.equal(keys.length, 3);
    for (const key of keys) {
      assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      assert.deepEqual([key.kty, key.crv, key.alg, key.use], ['EC', 'P-384', 'ES384', 'sig']);
      createPublicKey({ key, format: 'jwk' });
    }
    await withdrawKey(db, settings, 1, change());
    const left: { kid: string }[] = (await app.inject(PATH)).json().keys;
    assert.equal(left.length, 2);
    assert.ok(!left.some(({ kid }) => kid === keys[0].kid));
  });

  test('are none where secrets sign', async () => {
    for (const env of [{}, { KEY_RING: 'true' }]) {
      const { app } = await start(env);
      assert.equal((await app.inject(PATH)).body, '{"keys":[]}');
    }
  });

  test('of the settings are one, without a name', async () => {
    const { privateKey, publicKey, algorithm } = await generateMaterial('EdDSA');
    for (const env of [{ SIGNING_KEY: privateKey ?? '' }, { VERIFYING_KEY: publicKey }]) {
      const { app } = await start({ ALGORITHM: algorithm, ...env });
      const { keys } = (await app.inject(PATH)).json<{ keys: object[] }>();
      assert.deepEqual(keys, [publicJwk({ algorithm, publicKey, privateKey: null }, '')]);
      assert.ok(keys.every((key) => !('d' in key) && !('kid' in key)));
    }
  });

  test('may be kept for five minutes, and are not sent again to whoever has them', async () => {
    const { app, settings } = await start({ KEY_RING: 'true', ALGORITHM: 'ES256' });
    const { headers, statusCode, body } = await app.inject(PATH);
    assert.equal(statusCode, 200);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['cache-control'], 'public, max-age=300');
    assert.match(String(headers.etag), /^"[\w-]{22}"$/);
    const asking = (tag: string) => app.inject({ url: PATH, headers: { 'if-none-match': tag } });
    for (const tag of [headers.etag, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
      const kept = await asking(String(tag));
      assert.deepEqual([kept.statusCode, kept.body, kept.headers.etag], [304, '', headers.etag]);
    }
    assert.equal((await asking('"other"')).body, body);
    const head = await app.inject({ method: 'HEAD', url: PATH });
    assert.deepEqual([head.statusCode, head.body, head.headers.etag], [200, '', headers.etag]);
    await rotateKeys(db, settings, change());
    assert.equal((await asking(String(headers.etag))).statusCode, 200);
  });
});

test('a verifier of another library follows the keys through rotations and a withdrawal', async () => {
  const { url, settings, obtain } = await start({ KEY_RING: 'true', ALGORITHM: 'PS256' });
  const remote = () => createRemoteJWKSet(new URL(url + PATH), { cooldownDuration: 0 });
  const keys = remote();
  const before = await obtain();
  await jwtVerify(before.access, keys);
  await rotateKeys(db, settings, change());
  const after = await obtain();
  // It fetched the keys before the rotation, and the next one stood by among them.
  assert.ok(
    keys.jwks()?.keys.some(({ kid }) => kid === JSON.parse(atob(after.access.split('.')[0] ?? '')).kid),
  );
  for (const { access } of [before, after]) {
    const { payload } = await jwtVerify(access, keys, { algorithms: ['PS256'] });
    assert.equal(payload.user_id, '1');
  }
  await withdrawKey(db, settings, 1, change());
  await assert.rejects(jwtVerify(before.access, remote()), /no applicable key found/);
  await jwtVerify(after.access, remote());
});

describe('with a key of the settings', () => {
  for (const ALGORITHM of ALGORITHMS) {
    test(`tokens are obtained, used, refreshed and verified by ${ALGORITHM}`, async () => {
      const { privateKey, publicKey } = await generateMaterial(ALGORITHM);
      const env: Environment = ALGORITHM.startsWith('HS') ? {} : { SIGNING_KEY: privateKey ?? '' };
      const { post, obtain, me, app } = await start({ ALGORITHM, ...env });
      const { access, refresh } = await obtain();
      assert.equal(atob(access.split('.')[0] ?? ''), `{"alg":"${ALGORITHM}","typ":"JWT"}`);
      assert.equal(await me(access), 200);
      assert.equal((await post('/api/token/refresh/', { refresh })).status, 200);
      assert.deepEqual(await post('/api/token/verify/', { token: access }), { status: 200, json: {} });
      assert.equal((await app.inject({ url: '/guide/' })).statusCode, 200);
      if (publicKey === '') return;
      await jwtVerify(access, await importSPKI(publicKey, ALGORITHM));
      // Case 2: what is public is no secret.
      const forged = makeSign('HS256', publicKey)({ token_type: 'access', exp: 4e9, jti: 'x', user_id: '1' });
      assert.equal((await post('/api/token/verify/', { token: forged })).status, 401);
    });
  }

  test('that is public alone, tokens are verified and revoked, and none is issued', async () => {
    const { privateKey, publicKey } = await generateMaterial('ES256');
    const issuer = await start({ ALGORITHM: 'ES256', SIGNING_KEY: privateKey ?? '' });
    const { access, refresh } = await issuer.obtain();
    const { post, me, app } = await start({ ALGORITHM: 'ES256', VERIFYING_KEY: publicKey });
    assert.equal(await me(access), 200);
    const refused = { status: 403, json: { detail: 'This server verifies tokens and issues none.' } };
    const credentials = { username: 'ada', password: PASSWORD };
    assert.deepEqual(await post('/api/token/', credentials), refused);
    assert.deepEqual(await post('/api/token/', { ...credentials, password: 'wrong' }), refused);
    assert.deepEqual(await post('/api/token/sliding/', credentials), refused);
    assert.deepEqual(await post('/api/token/refresh/', { refresh }), refused);
    assert.equal((await post('/api/token/blacklist/', { refresh })).status, 200);
    const page = await app.inject({
      ...{ method: 'POST', url: '/api/token/', payload: credentials, headers: { accept: 'text/html' } },
    });
    assert.match(page.body, /It has no key to sign with: get the token from the server that issues them/);
    assert.equal((await app.inject('/guide/')).statusCode, 200);
  });
});

describe('with the keys of another server', () => {
  test('tokens are accepted that another Jotgate made, also after it rotated', async () => {
    const issuer = await start({ KEY_RING: 'true', ALGORITHM: 'ES256' });
    const elsewhere = await newDatabase();
    databases.push(elsewhere);
    await addAda(elsewhere);
    const resource = await start({ JWK_URL: issuer.url + PATH }, elsewhere);
    const first = await issuer.obtain();
    assert.equal(await resource.me(first.access), 200);
    await rotateKeys(db, issuer.settings, change());
    const second = await issuer.obtain();
    assert.equal(await resource.me(second.access), 200);
    const own = await resource.obtain();
    assert.equal(await resource.me(own.access), 200);
    assert.equal(await issuer.me(own.access), 401);
  });

  test('tokens are accepted that jose signs, by each algorithm, and not those of others', async () => {
    const signers = new Map<string, CryptoKey>();
    const keys: object[] = [];
    for (const alg of ['RS256', 'PS384', 'ES256', 'ES512', 'EdDSA']) {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      signers.set(alg, privateKey);
      keys.push({ ...(await exportJWK(publicKey)), kid: `of-${alg}`, alg });
    }
    const other = createServer((_request, response) => response.end(JSON.stringify({ keys })));
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const JWK_URL = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
      const { me } = await start({ JWK_URL });
      const sign = (alg: string, kid: string, key = signers.get(alg)) =>
        new SignJWT({ token_type: 'access', jti: alg, user_id: '1' })
          .setProtectedHeader({ alg, kid })
          .setIssuedAt()
          .setExpirationTime('5m')
          .sign(key as CryptoKey);
      for (const alg of signers.keys()) assert.equal(await me(await sign(alg, `of-${alg}`)), 200, alg);
      assert.equal(await me(await sign('ES256', 'of-ES512')), 401);
      assert.equal(await me(await sign('ES256', 'of-nobody')), 401);
      const { privateKey } = await generateKeyPair('ES256');
      assert.equal(await me(await sign('ES256', 'of-ES256', privateKey)), 401);
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });

  test('that are not there, one’s own tokens are good all the same', async () => {
    const { obtain, me } = await start({ JWK_URL: 'http://127.0.0.1:9/keys' });
    assert.equal(await me((await obtain()).access), 200);
  });
});
