import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import { countWork, NO_WORK, type Work } from './hashers/work.fixture.ts';
import { checkPassword, hashPassword, unusablePassword } from './hashers.ts';

const ROUNDS = 8;
const ALGORITHMS = ['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

/** The settings with one hasher for new passwords, and the others behind it. */
function preferring(first: Algorithm, rounds = ROUNDS) {
  const others = ALGORITHMS.filter((name) => name !== first);
  return settingsOf({ PASSWORD_HASHERS: [first, ...others].join(','), BCRYPT_ROUNDS: String(rounds) });
}

/** Made by Django 5.2 for the password `pw-Fixture-123`. */
const BY_DJANGO: Readonly<Record<Algorithm, string>> = {
  pbkdf2_sha256: 'pbkdf2_sha256$20000$saltsaltsalt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=',
  pbkdf2_sha1: 'pbkdf2_sha1$20000$saltsaltsalt$ekYWsWZfYilxFu4urlZ8nDtNsrY=',
  argon2:
    'argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  bcrypt_sha256: 'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  bcrypt: 'bcrypt$$2b$12$/bvonI7EWZvYR8HLkAdUr.6X2Rl3hc2Zp2RjhTIwkZoiYvS3OKkp6',
  scrypt:
    'scrypt$16384$saltsaltsalt$8$5$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZOTUvHDW5n50Zvk5oWIC2njhwjJcLlpqccaBrV18aW0bQHw==',
};

/** What Django reads, to the letter: each algorithm with the parameters of Django 5.2. */
const FORMATS: Readonly<Record<Algorithm, RegExp>> = {
  pbkdf2_sha256: /^pbkdf2_sha256\$1000000\$[A-Za-z0-9]{22}\$[A-Za-z0-9+/]{43}=$/,
  pbkdf2_sha1: /^pbkdf2_sha1\$1000000\$[A-Za-z0-9]{22}\$[A-Za-z0-9+/]{27}=$/,
  argon2: /^argon2\$argon2id\$v=19\$m=102400,t=2,p=8\$[A-Za-z0-9+/]{30}\$[A-Za-z0-9+/]{43}$/,
  bcrypt_sha256: /^bcrypt_sha256\$\$2b\$08\$[./A-Za-z0-9]{53}$/,
  bcrypt: /^bcrypt\$\$2b\$08\$[./A-Za-z0-9]{53}$/,
  scrypt: /^scrypt\$16384\$[A-Za-z0-9]{22}\$8\$5\$[A-Za-z0-9+/]{86}==$/,
};

/** How long `password` of Django's table is. */
const COLUMN = 128;

describe('an algorithm of Django:', () => {
  for (const algorithm of ALGORITHMS) {
    test(`${algorithm} makes what Django reads, with a salt of its own, and reads it again`, async () => {
      const settings = preferring(algorithm);
      const [one, other] = await Promise.all([
        hashPassword('пароль-🔑', settings),
        hashPassword('пароль-🔑', settings),
      ]);
      assert.match(one, FORMATS[algorithm]);
      assert.notEqual(one, other);
      assert.ok(one.length <= COLUMN);
      const right = { matches: true, mustUpdate: false };
      assert.deepEqual(await checkPassword('пароль-🔑', one, settings), right);
      const wrong = { matches: false, mustUpdate: false };
      assert.deepEqual(await checkPassword('пароль-🔒', one, settings), wrong);
    });

    test(`${algorithm} of Django is read, whichever is for new passwords`, async () => {
      const stored = BY_DJANGO[algorithm];
      for (const settings of [preferring(algorithm), settingsOf()]) {
        const right = await checkPassword('pw-Fixture-123', stored, settings);
        assert.deepEqual(right, { matches: true, mustUpdate: true });
      }
      assert.equal((await checkPassword('pw-Fixture-124', stored, preferring(algorithm))).matches, false);
    });

    test(`${algorithm} lets nobody in where it is not in the list`, async () => {
      const others = ALGORITHMS.filter((name) => name !== algorithm && name.startsWith('bcrypt'));
      const settings = settingsOf({ PASSWORD_HASHERS: others.join(',') });
      const refused = { matches: false, mustUpdate: false };
      assert.deepEqual(await checkPassword('pw-Fixture-123', BY_DJANGO[algorithm], settings), refused);
    });
  }
});

test('a hash is due for an update when its algorithm is not the first, or its parameters are others', async () => {
  const stored = BY_DJANGO.bcrypt_sha256;
  for (const [settings, mustUpdate] of [
    [preferring('bcrypt_sha256', 12), false],
    [preferring('bcrypt_sha256', 11), true],
    [preferring('scrypt', 12), true],
  ] as const) {
    assert.deepEqual(await checkPassword('pw-Fixture-123', stored, settings), { matches: true, mustUpdate });
  }
});

test('every character of a password counts, also behind 72 bytes and a NUL', async () => {
  for (const settings of [settingsOf(), settingsOf({ PASSWORD_HASHERS: 'bcrypt,bcrypt_sha256' })]) {
    for (const [right, wrong] of [
      ['x'.repeat(100), 'x'.repeat(99)],
      ['x'.repeat(73), 'x'.repeat(72)],
      ['ab\0cd', 'ab\0ce'],
      [`${'é'.repeat(36)}x`, 'é'.repeat(36)],
    ] as const) {
      const stored = await hashPassword(right, settings);
      assert.match(stored, /^bcrypt_sha256\$/);
      const isRight = { matches: true, mustUpdate: false };
      assert.deepEqual(await checkPassword(right, stored, settings), isRight, right);
      assert.equal((await checkPassword(wrong, stored, settings)).matches, false, wrong);
    }
  }
});

test('where bcrypt is the only hasher, what it would cut is refused', async () => {
  const settings = settingsOf({ PASSWORD_HASHERS: 'bcrypt' });
  const stored = await hashPassword('x'.repeat(72), settings);
  assert.equal((await checkPassword('x'.repeat(72), stored, settings)).matches, true);
  assert.equal((await checkPassword('x'.repeat(73), stored, settings)).matches, false);
  await assert.rejects(hashPassword('x'.repeat(73), settings), (error) => {
    assert.ok(error instanceof AppError);
    assert.deepEqual(error.body, {
      password: ['This password is too long. It must contain at most 72 bytes.'],
    });
    return true;
  });
});

const UNREADABLE: readonly (string | null)[] = [
  null,
  '',
  '!',
  unusablePassword(),
  'not-a-hash',
  'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99',
  'constructor$x',
  '$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  ...ALGORITHMS.flatMap((algorithm) => {
    const stored = BY_DJANGO[algorithm];
    return [algorithm, `${algorithm}$`, `${stored}*`, `${stored}\n`, ` ${stored}`];
  }),
  'bcrypt_sha256$$2b$12$short',
  'bcrypt_sha256$$2b$99$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  'bcrypt_sha256$$2b$03$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  'pbkdf2_sha256$0$salt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=',
  'pbkdf2_sha256$1e6$salt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=',
  'pbkdf2_sha256$1000$$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=',
  'scrypt$16383$salt$8$5$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'scrypt$1$salt$8$5$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'argon2$argon2id$v=18$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  'argon2$argon2id$v=19$m=8,t=1,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  'argon2$argon2id$v=19$m=102400,t=2,p=8$c2Fsd$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
];

/** Nobody could try these without hanging the server, or running out of its memory. */
const HOSTILE = [
  'pbkdf2_sha256$1000000000000$salt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=',
  'pbkdf2_sha1$10000001$salt$ekYWsWZfYilxFu4urlZ8nDtNsrY=',
  'scrypt$1099511627776$salt$8$1$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'scrypt$4194304$salt$8$1$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'scrypt$2$salt$4294967296$4294967296$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'scrypt$65536$salt$1$1$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ',
  'argon2$argon2id$v=19$m=2147483648,t=2,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  'argon2$argon2id$v=19$m=102400,t=2147483648,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  'argon2$argon2id$v=19$m=4096,t=2,p=256$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1EcIMDgPzLDEE9Auzc',
  'bcrypt_sha256$$2b$31$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  'bcrypt$$2b$17$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
];

test('what is no hash matches nothing, not even itself, nor does what would exhaust the server', async () => {
  const settings = settingsOf();
  for (const stored of [...UNREADABLE, ...HOSTILE]) {
    for (const password of ['', 'pw-Fixture-123', stored ?? 'null']) {
      const check = await checkPassword(password, stored, settings);
      assert.deepEqual(check, { matches: false, mustUpdate: false }, String(stored));
    }
  }
});

/** The work of one hash as each algorithm makes it now. */
const ONE_HASH: Readonly<Record<Algorithm, Partial<Work>>> = {
  pbkdf2_sha256: { pbkdf2: 1_000_000 },
  pbkdf2_sha1: { pbkdf2: 1_000_000 },
  argon2: { argon2: 204_800 },
  bcrypt_sha256: { bcrypt: 2 ** ROUNDS },
  bcrypt: { bcrypt: 2 ** ROUNDS },
  scrypt: { scrypt: 655_360 },
};

function workOfRefusal(context: TestContext, stored: string | null, first: Algorithm, password: string) {
  return countWork(context, async () => {
    assert.equal((await checkPassword(password, stored, preferring(first))).matches, false);
  });
}

test('a refusal is the work of one new hash, whatever is stored that cannot be tried', async (context) => {
  for (const first of ALGORITHMS) {
    for (const stored of [...UNREADABLE, ...HOSTILE]) {
      const work = await workOfRefusal(context, stored, first, 'wrong');
      assert.deepEqual(work, { ...NO_WORK, ...ONE_HASH[first] }, `${first}: ${stored}`);
    }
  }
  const cut = await workOfRefusal(context, BY_DJANGO.bcrypt, 'bcrypt_sha256', 'x'.repeat(73));
  assert.deepEqual(cut, { ...NO_WORK, ...ONE_HASH.bcrypt_sha256 });
});

/** By their algorithms, hashes that are quicker to try than a new one. */
const CHEAPER: Readonly<Record<Algorithm, readonly string[]>> = {
  pbkdf2_sha256: [BY_DJANGO.pbkdf2_sha256, BY_DJANGO.pbkdf2_sha256.replace('$20000$', '$1$')],
  pbkdf2_sha1: [BY_DJANGO.pbkdf2_sha1],
  argon2: [
    BY_DJANGO.argon2.replace('m=102400', 'm=19456'),
    BY_DJANGO.argon2.replace('t=2', 't=1'),
    BY_DJANGO.argon2.replace('m=102400,t=2,p=8', 'm=8,t=1,p=1'),
  ],
  bcrypt_sha256: [BY_DJANGO.bcrypt_sha256.replace('$12$', '$05$')],
  bcrypt: [BY_DJANGO.bcrypt.replace('$12$', '$04$')],
  scrypt: [BY_DJANGO.scrypt.replace('$16384$', '$4096$'), BY_DJANGO.scrypt.replace('$16384$', '$2$')],
};

test('a wrong password costs the work of one new hash, also where the stored one is cheaper', async (context) => {
  for (const algorithm of ALGORITHMS) {
    const current = await hashPassword('right', preferring(algorithm));
    for (const stored of [current, ...CHEAPER[algorithm]]) {
      const work = await workOfRefusal(context, stored, algorithm, 'wrong');
      assert.deepEqual(work, { ...NO_WORK, ...ONE_HASH[algorithm] }, stored);
      const behind = await workOfRefusal(
        context,
        stored,
        algorithm === 'scrypt' ? 'argon2' : 'scrypt',
        'wrong',
      );
      assert.deepEqual(behind, work, stored);
    }
  }
  // Of other shapes of scrypt it comes as near as the smallest part.
  for (const cost of ['$2$saltsaltsalt$1$1$', '$16384$saltsaltsalt$8$1$']) {
    const stored = BY_DJANGO.scrypt.replace('$16384$saltsaltsalt$8$5$', cost);
    const { scrypt } = await workOfRefusal(context, stored, 'scrypt', 'wrong');
    assert.ok(scrypt > 655_250 && scrypt <= 655_360, `${cost}: ${scrypt}`);
  }
});

test('a right password waits for no more than its own hash', async (context) => {
  for (const algorithm of ['pbkdf2_sha256', 'scrypt'] as const) {
    // What the counting makes of any password.
    const stored = BY_DJANGO[algorithm]
      .replace('$20000$', '$5000$')
      .replace(/[A-Za-z0-9+/]{10,}=+$/, (hash) =>
        Buffer.alloc(Buffer.from(hash, 'base64').length).toString('base64'),
      );
    const work = await countWork(context, async () => {
      assert.equal((await checkPassword('right', stored, preferring(algorithm))).matches, true);
    });
    assert.deepEqual(work, { ...NO_WORK, ...(algorithm === 'scrypt' ? ONE_HASH.scrypt : { pbkdf2: 5_000 }) });
  }
});

test('more than a hundred waiting are turned away, and the rest are served', async () => {
  const settings = settingsOf();
  const results = await Promise.allSettled(
    Array.from({ length: 200 }, () => hashPassword('secret', settings)),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.length >= 90 && refused.length <= 100, String(refused.length));
  for (const { reason } of refused) {
    assert.ok(reason instanceof AppError);
    assert.equal(reason.code, 'busy');
    assert.equal(reason.retryAfter, 1);
  }
  assert.match(await hashPassword('secret', settings), /^bcrypt_sha256/);
});

test('the event loop runs on while passwords are hashed', async () => {
  for (const algorithm of ALGORITHMS) {
    let turns = 0;
    const clock = setInterval(() => {
      turns += 1;
    }, 5);
    await checkPassword('pw-Fixture-123', BY_DJANGO[algorithm].replace('$20000$', '$1000000$'), settingsOf());
    clearInterval(clock);
    assert.ok(turns > 0, algorithm);
  }
});
