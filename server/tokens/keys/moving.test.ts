import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { SettingName } from '../../settings.ts';
import { refusalOf } from '../tokens.fixture.ts';
import { headerOf, type Installation, install } from './instances.fixture.ts';
import { listKeys } from './key-list.ts';
import { checkKeyRing, KeyRingError } from './ring.ts';
import { rotateKeys, withdrawKey } from './ring-changes.ts';
import { longestLifetime } from './ring-edit.ts';
import { allKeys } from './ring-rows.ts';
import { beginNewRing } from './ring-start.ts';

type Environment = Partial<Record<SettingName, string>>;

const RS_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

let site: Installation;

beforeEach(async () => {
  site = await install();
});
afterEach(() => site.end());

const keys = async () => (await listKeys(site.db, new Date(site.clock.now * 1000)))?.keys ?? [];

/** Kid (or none), algorithm and state of each key, in the order of their ids. */
async function shape(): Promise<string[]> {
  const list = [...(await keys())].sort((one, other) => one.id - other.id);
  return list.map(({ kid, algorithm, state }) => `${kid === '' ? 'unnamed' : 'named'} ${algorithm} ${state}`);
}

/** From how an installation signs to how it is to sign. In each, who is logged in stays so. */
const MOVES: readonly [what: string, steps: readonly Environment[]][] = [
  ['from SECRET_KEY to a ring', [{}, { KEY_RING: 'true' }]],
  ['from SECRET_KEY by HS512 to a ring', [{ ALGORITHM: 'HS512' }, { ALGORITHM: 'HS512', KEY_RING: 'true' }]],
  ['from SECRET_KEY to a ring of ES256 in one step', [{}, { KEY_RING: 'true', ALGORITHM: 'ES256' }]],
  [
    'from SECRET_KEY by HS384 to a ring of EdDSA in one step',
    [{ ALGORITHM: 'HS384' }, { KEY_RING: 'true', ALGORITHM: 'EdDSA' }],
  ],
  [
    'from a SIGNING_KEY to a ring, and without it to ES256',
    [
      { SIGNING_KEY: 'a signing key of its own' },
      { SIGNING_KEY: 'a signing key of its own', KEY_RING: 'true' },
      { KEY_RING: 'true', ALGORITHM: 'ES256' },
    ],
  ],
  [
    'from a private key of RSA to a ring, and without it to ES256',
    [
      { ALGORITHM: 'RS256', SIGNING_KEY: RS_KEY },
      { ALGORITHM: 'RS256', SIGNING_KEY: RS_KEY, KEY_RING: 'true' },
      { ALGORITHM: 'ES256', KEY_RING: 'true' },
    ],
  ],
  [
    'from a ring of HS256 to one of ES256, and on to PS256',
    [
      { KEY_RING: 'true' },
      { KEY_RING: 'true', ALGORITHM: 'ES256' },
      { KEY_RING: 'true', ALGORITHM: 'PS256' },
    ],
  ],
  ['to a ring and back', [{}, { KEY_RING: 'true' }, {}, { KEY_RING: 'true' }, {}]],
  ['to a ring of ES256 and back', [{}, { KEY_RING: 'true', ALGORITHM: 'ES256' }, {}]],
];

describe('nobody is logged out by moving', () => {
  for (const [what, steps] of MOVES) {
    test(what, async () => {
      const tokens: string[] = [];
      for (const step of steps) {
        const instance = await site.start(step);
        for (const token of tokens)
          assert.equal(await instance.verify(token), undefined, JSON.stringify(step));
        for (const token of tokens.filter((_, index) => index % 2 === 0)) await instance.refresh(token);
        const { refresh, access } = await instance.obtain();
        assert.equal(headerOf(access).alg, instance.settings.ALGORITHM);
        assert.equal('kid' in headerOf(access), instance.settings.KEY_RING);
        tokens.push(refresh, access);
        site.clock.now += 10;
      }
    });
  }
});

test('a token without a kid is accepted until the longest has expired that was signed before the ring', async () => {
  await (await site.start()).obtain();
  const one = await site.start({ KEY_RING: 'true' });
  assert.deepEqual(await shape(), ['named HS256 active', 'named HS256 standby', 'unnamed HS256 retiring']);
  const { access } = await (await site.start()).obtain();
  const two = await site.start({ KEY_RING: 'true' });
  site.clock.now += one.settings.ACCESS_TOKEN_LIFETIME - 1;
  assert.equal(await one.verify(access), undefined);
  // The ring was off for a moment: from its return the time counts anew.
  const long = (await (await site.start({ ACCESS_TOKEN_LIFETIME: '10d' })).obtain()).access;
  await site.start({ KEY_RING: 'true' });
  assert.equal(await two.verify(long), undefined);
  site.clock.now += 9 * 86_400;
  assert.equal(await two.verify(long), undefined, 'it knows of the longer life that was given without it');
  site.clock.now += 2 * 86_400;
  assert.equal(await two.verify(long), 'token_invalid');
  assert.deepEqual((await shape())[2], 'unnamed HS256 retired');
});

test('an installation without tokens has nothing to wait for', async () => {
  await site.start({ KEY_RING: 'true' });
  assert.deepEqual(await shape(), ['named HS256 active', 'named HS256 standby']);
  const { access } = await (await site.start()).obtain();
  assert.equal(await (await site.start({ KEY_RING: 'true' })).verify(access), undefined);
});

test('the key without a kid can be withdrawn', async () => {
  const { access } = await (await site.start()).obtain();
  const one = await site.start({ KEY_RING: 'true' });
  await withdrawKey(site.db, one.settings, 3, site.change());
  assert.equal(await one.verify(access), 'token_invalid');
  assert.equal(await (await site.start({ KEY_RING: 'true' })).verify(access), 'token_invalid');
});

test('SECRET_KEY itself is not kept in the database, and another SIGNING_KEY only sealed', async () => {
  const SIGNING_KEY = 'a signing key of its own, as long as it should be';
  await (await site.start({ SIGNING_KEY })).obtain();
  await site.start({ SIGNING_KEY, KEY_RING: 'true' });
  const rows = JSON.stringify(await allKeys(site.db));
  assert.doesNotMatch(rows, /signing key of its own|PRIVATE|tZ3hUo6mWv9c/);
  assert.match(
    rows,
    /"kid":"","algorithm":"HS256","state":"retiring","public_key":"","sealed_key":"[\w-]{80,}"/,
  );
});

test('after a change of ALGORITHM each key verifies in its own, and none in the other', async () => {
  const old = await site.start({ KEY_RING: 'true' });
  const { access } = await old.obtain();
  const now = await site.start({ KEY_RING: 'true', ALGORITHM: 'ES256' });
  assert.deepEqual(await shape(), [
    'named HS256 retiring',
    'named HS256 retired',
    'named ES256 active',
    'named ES256 standby',
  ]);
  assert.equal(await now.verify(access), undefined);
  // The instance that was not restarted yet goes by the ring.
  const { access: next } = await old.obtain();
  assert.equal(headerOf(next).alg, 'ES256');
  site.clock.now += longestLifetime(now.settings) + 60;
  assert.equal((await shape())[0], 'named HS256 retired');
});

describe('another SECRET_KEY than the ring was made with', () => {
  const OTHER = { KEY_RING: 'true', SECRET_KEY: 'another key than before, and long enough for all' } as const;

  test('does not start, and changes nothing', async () => {
    const one = await site.start({ KEY_RING: 'true', ALGORITHM: 'ES256' });
    const before = await allKeys(site.db);
    for (const env of [OTHER, { ...OTHER, ALGORITHM: 'ES256' }, { SECRET_KEY: OTHER.SECRET_KEY }]) {
      await assert.rejects(site.start(env), (error: Error) => {
        assert.ok(error instanceof KeyRingError);
        assert.match(error.message, /encrypted under another SECRET_KEY: .*--new-ring/);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    }
    assert.deepEqual(await allKeys(site.db), before);
    await checkKeyRing(site.db, one.settings);
  });

  test('starts with a new ring, for which everybody logs in again', async () => {
    const old = await site.start({ KEY_RING: 'true' });
    const { access } = await old.obtain();
    const settings = { ...old.settings, SECRET_KEY: OTHER.SECRET_KEY };
    await beginNewRing(site.db, settings, site.change());
    const one = await site.start(OTHER);
    assert.equal(await one.verify(access), 'token_invalid');
    assert.equal(await one.verify((await one.obtain()).access), undefined);
    assert.deepEqual(await shape(), [
      'named HS256 withdrawn',
      'named HS256 withdrawn',
      'named HS256 active',
      'named HS256 standby',
    ]);
  });
});

test('a server with a public key alone verifies and issues nothing', async () => {
  const issuer = await site.start({ ALGORITHM: 'RS256', SIGNING_KEY: RS_KEY });
  const { access, refresh } = await issuer.obtain();
  const VERIFYING_KEY = issuer.settings.VERIFYING_KEY ?? '';
  const verifier = await site.start({ ALGORITHM: 'RS256', VERIFYING_KEY });
  assert.equal(await verifier.verify(access), undefined);
  assert.equal(await refusalOf(() => verifier.obtain()), 'no_signing_key');
  assert.equal(await refusalOf(() => verifier.refresh(refresh)), 'no_signing_key');
});

test('a sliding token hangs on the key that renewed it last', async () => {
  const one = await site.start({ KEY_RING: 'true' });
  const token = await one.obtainSliding();
  const counts = async () => [...(await keys())].sort((a, b) => a.id - b.id).map(({ live }) => live.total);
  assert.deepEqual(await counts(), [1, 0]);
  await rotateKeys(site.db, one.settings, site.change());
  site.clock.now += 1;
  const renewed = await one.refreshSliding(token);
  assert.notEqual(headerOf(renewed).kid, headerOf(token).kid);
  assert.deepEqual(await counts(), [0, 1, 0]);
});
