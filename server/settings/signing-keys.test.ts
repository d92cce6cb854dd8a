import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadSettings, SettingsError } from '../settings.ts';
import { ALGORITHMS, keyKind, shortestSecret } from './algorithms.ts';

const folder = mkdtempSync(join(tmpdir(), 'jotgate-keys-'));
after(() => rmSync(folder, { recursive: true }));

const SECRET = 'm'.repeat(86);

/** One pair of each kind, and some of which none is any good. */
const PAIRS = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  short: generateKeyPairSync('rsa', { modulusLength: 1024 }),
  pss: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  k256: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
  ed448: generateKeyPairSync('ed448'),
  x25519: generateKeyPairSync('x25519'),
};

type PairName = keyof typeof PAIRS;

const privatePem = (name: PairName) => pem(PAIRS[name].privateKey, 'pkcs8');
const publicPem = (name: PairName) => pem(PAIRS[name].publicKey, 'spki');

function pem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ format: 'pem', type }).toString();
}

type Environment = Record<string, string>;

const load = (env: Environment) =>
  loadSettings({ env, dotenv: undefined, readOrMakeSecretKey: () => SECRET });

function problemsOf(env: Environment): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

/** For each algorithm the kind of keys that it takes, all others being wrong. */
const TAKES: Readonly<Record<string, PairName>> = {
  ...{ RS256: 'rsa', RS384: 'rsa', RS512: 'rsa', PS256: 'rsa', PS384: 'rsa', PS512: 'rsa' },
  ...{ ES256: 'p256', ES384: 'p384', ES512: 'p521', EdDSA: 'ed25519' },
};

test('every algorithm takes a secret or one kind of key', () => {
  assert.deepEqual(
    ALGORITHMS.filter((algorithm) => keyKind(algorithm) !== null),
    Object.keys(TAKES),
  );
  assert.deepEqual(ALGORITHMS.map(shortestSecret).slice(0, 4), [32, 48, 64, null]);
});

describe('of private and public keys', () => {
  for (const [ALGORITHM, own] of Object.entries(TAKES)) {
    for (const name of Object.keys(PAIRS) as PairName[]) {
      test(`${ALGORITHM} ${name === own ? 'takes' : 'refuses'} ${name}`, () => {
        const SIGNING_KEY = privatePem(name);
        const VERIFYING_KEY = publicPem(name);
        if (name === own) {
          const { settings } = load({ ALGORITHM, SIGNING_KEY });
          assert.deepEqual([settings.SIGNING_KEY, settings.VERIFYING_KEY], [SIGNING_KEY, VERIFYING_KEY]);
          const verifier = load({ ALGORITHM, VERIFYING_KEY }).settings;
          assert.deepEqual([verifier.SIGNING_KEY, verifier.VERIFYING_KEY], [null, VERIFYING_KEY]);
          return;
        }
        for (const [setting, value] of Object.entries({ SIGNING_KEY, VERIFYING_KEY })) {
          const [problem = '', ...others] = problemsOf({ ALGORITHM, [setting]: value });
          assert.match(problem, new RegExp(`^${setting}: ${ALGORITHM} takes .* as PEM, and this is one of`));
          assert.deepEqual(others, []);
          assertSecret(problem, value);
        }
      });
    }
  }
});

/** That no line of a key is in a text. */
function assertSecret(text: string, key: string): void {
  for (const line of key.split('\n').filter((part) => part.length > 20 && !part.startsWith('---'))) {
    assert.ok(!text.includes(line), 'the key is shown');
  }
}

const EC = { ALGORITHM: 'ES256' };

const REFUSED: readonly [what: string, env: Environment, problem: RegExp][] = [
  [
    'no key at all',
    EC,
    /^SIGNING_KEY: ES256 takes an EC key on the curve P-256 as PEM, or the path.*KEY_RING/,
  ],
  ['a public key that signs', { ...EC, SIGNING_KEY: publicPem('p256') }, /this is a public key/],
  ['a private key that verifies', { ...EC, VERIFYING_KEY: privatePem('p256') }, /this is a private one/],
  [
    'halves of two pairs',
    {
      ...EC,
      SIGNING_KEY: privatePem('p256'),
      VERIFYING_KEY: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, 'spki'),
    },
    /^VERIFYING_KEY: It is not the public half of SIGNING_KEY$/,
  ],
  ['a random text', { ...EC, SIGNING_KEY: 'hush-hush' }, /no PEM, and a file of this name cannot be read/],
  ['a folder', { ...EC, SIGNING_KEY: folder }, /cannot be read \(EISDIR\)/],
  ['a JWK', { ...EC, SIGNING_KEY: '{"kty":"EC","d":"hush"}' }, /^SIGNING_KEY: It is no PEM/],
  ['several lines of no PEM', { ...EC, SIGNING_KEY: 'hush\nhush' }, /neither PEM nor the path/],
  ['more text than a path has', { ...EC, SIGNING_KEY: 'h'.repeat(5_000) }, /neither PEM nor the path/],
  [
    'a key with a passphrase',
    {
      ...EC,
      SIGNING_KEY: PAIRS.p256.privateKey
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
        .toString(),
    },
    /and this has a passphrase/,
  ],
  [
    'a broken PEM',
    { ...EC, SIGNING_KEY: '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----' },
    /and this cannot be read/,
  ],
  ['a public key as a secret', { SIGNING_KEY: publicPem('p256') }, /random text, and this is a key or cert/],
  [
    'a JWK as a secret',
    { SIGNING_KEY: '{"kty":"RSA","n":"hush"}' },
    /random text, and this is a JSON Web Key/,
  ],
  ['a JWK set as a secret', { SIGNING_KEY: '{"keys":[{"kty":"RSA"}]}' }, /this is a JSON Web Key/],
  [
    'a verifying key for HMAC',
    { VERIFYING_KEY: publicPem('p256') },
    /^VERIFYING_KEY: It is for RS, PS, ES and EdDSA/,
  ],
  [
    'rotation without a ring',
    { KEY_ROTATION_INTERVAL: '30d' },
    /^KEY_ROTATION_INTERVAL .* set KEY_RING=true/,
  ],
  ['http elsewhere', { JWK_URL: 'http://idp.example/jwks.json' }, /^JWK_URL: It takes an https address/],
  ['a name in the address', { JWK_URL: 'https://me:hush@idp.example/' }, /^JWK_URL: It takes/],
  ['no address', { JWK_URL: 'idp.example' }, /^JWK_URL: It takes/],
  ['a file as an address', { JWK_URL: 'file:///etc/passwd' }, /^JWK_URL: It takes/],
];

describe('refused:', () => {
  for (const [what, env, problem] of REFUSED) {
    test(what, () => {
      const problems = problemsOf(env);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', problem);
      assert.doesNotMatch(problems[0] ?? '', /hush/);
    });
  }
});

describe('taken:', () => {
  const SIGNING_KEY = privatePem('p256');
  const expected = [SIGNING_KEY, publicPem('p256')];
  const keysOf = (env: Environment) => {
    const { settings } = load({ ...EC, ...env });
    return [settings.SIGNING_KEY, settings.VERIFYING_KEY];
  };

  test('PEM in one line, its line breaks written as \\n', () => {
    assert.deepEqual(keysOf({ SIGNING_KEY: SIGNING_KEY.replaceAll('\n', '\\n') }), expected);
  });

  test('PEM of OpenSSL’s older kind', () => {
    const older = PAIRS.p256.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    assert.deepEqual(keysOf({ SIGNING_KEY: older }), expected);
    const rsa = PAIRS.rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    assert.equal(load({ ALGORITHM: 'RS256', SIGNING_KEY: rsa }).settings.SIGNING_KEY, privatePem('rsa'));
  });

  test('the path of a file, and a word of warning where others can read a private one', () => {
    const [own, open, shared] = ['own.pem', 'open.pem', 'public.pem'].map((name) => join(folder, name));
    writeFileSync(own as string, SIGNING_KEY, { mode: 0o600 });
    writeFileSync(open as string, SIGNING_KEY);
    chmodSync(open as string, 0o640);
    writeFileSync(shared as string, publicPem('p256'));
    assert.deepEqual(keysOf({ SIGNING_KEY: own as string, VERIFYING_KEY: shared as string }), expected);
    assert.deepEqual(load({ ...EC, SIGNING_KEY: own as string }).warnings, []);
    assert.deepEqual(load({ ...EC, VERIFYING_KEY: shared as string }).warnings, []);
    const [warning] = load({ ...EC, SIGNING_KEY: open as string }).warnings;
    assert.match(warning?.title ?? '', /^SIGNING_KEY is in a file that others on this machine can read$/);
    assert.match(warning?.advice ?? '', /chmod 600 ".*open\.pem"/);
  });

  test('no key where a ring makes them, or another server has them', () => {
    assert.deepEqual(keysOf({ KEY_RING: 'true' }), [null, null]);
    assert.deepEqual(keysOf({ JWK_URL: 'https://idp.example/jwks.json' }), [null, null]);
  });

  test('http of this very machine', () => {
    for (const JWK_URL of ['http://127.0.0.1:8000/k', 'http://localhost/k', 'http://[::1]:1/k']) {
      assert.equal(load({ JWK_URL }).settings.JWK_URL, JWK_URL);
    }
  });
});

test('in production a private key is not measured as a secret, and SECRET_KEY is still', () => {
  const env = { NODE_ENV: 'production', ...EC, SIGNING_KEY: privatePem('p256') };
  const random = 'q7Zk-2vX_9bTf4LwYc8NsHd1RgUaJe6M';
  assert.deepEqual(problemsOf({ ...env, SECRET_KEY: random }), []);
  assert.match(
    problemsOf({ ...env, SECRET_KEY: random.slice(1) })[0] ?? '',
    /^SECRET_KEY must have at least 32/,
  );
  const ring = { NODE_ENV: 'production', ALGORITHM: 'HS512', KEY_RING: 'true', SECRET_KEY: random };
  assert.deepEqual(problemsOf(ring), []);
});
