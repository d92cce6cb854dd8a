import assert from 'node:assert/strict';
import { test } from 'node:test';
import bcrypt from 'bcrypt';
import { AppError } from '../errors.ts';
import { checkPassword, hashPassword, unusablePassword } from './hashers.ts';

const ROUNDS = 4;

/** Made by Django 5.2 for the password `pw-Fixture-123`. */
const DJANGO_HASH = 'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.';

test('a hash has the shape of Django and its own salt', async () => {
  const [one, other] = await Promise.all([hashPassword('secret', ROUNDS), hashPassword('secret', ROUNDS)]);
  assert.match(one, /^bcrypt_sha256\$\$2b\$04\$[./A-Za-z0-9]{53}$/);
  assert.notEqual(one, other);
});

test('a hash of Django is read, and is due for an update when its cost is another', async () => {
  assert.deepEqual(await checkPassword('pw-Fixture-123', DJANGO_HASH, 12), {
    matches: true,
    mustUpdate: false,
  });
  assert.deepEqual(await checkPassword('pw-Fixture-123', DJANGO_HASH, 4), {
    matches: true,
    mustUpdate: true,
  });
  assert.deepEqual(await checkPassword('pw-Fixture-124', DJANGO_HASH, 12), {
    matches: false,
    mustUpdate: false,
  });
});

test('a hash under the name $2y$ is read', async () => {
  const stored = (await hashPassword('secret', ROUNDS)).replace('$2b$', '$2y$');
  assert.equal((await checkPassword('secret', stored, ROUNDS)).matches, true);
});

test('every character of a password counts, also behind 72 bytes and a NUL', async () => {
  for (const [right, wrong] of [
    ['x'.repeat(100), 'x'.repeat(99)],
    ['ab\0cd', 'ab\0ce'],
    ['пароль-🔑', 'пароль-🔒'],
  ] as const) {
    const stored = await hashPassword(right, ROUNDS);
    assert.equal((await checkPassword(right, stored, ROUNDS)).matches, true, right);
    assert.equal((await checkPassword(wrong, stored, ROUNDS)).matches, false, wrong);
  }
});

const UNREADABLE: readonly (string | null)[] = [
  null,
  '',
  '!',
  unusablePassword(),
  'not-a-hash',
  'bcrypt_sha256',
  'bcrypt_sha256$',
  'bcrypt_sha256$$2b$12$short',
  'bcrypt_sha256$$2b$99$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  'bcrypt_sha256$$2b$03$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
  `${DJANGO_HASH}x`,
  `${DJANGO_HASH}\n`,
  'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99',
  'constructor$x',
];

test('what is no hash matches nothing, not even itself', async () => {
  for (const stored of UNREADABLE) {
    for (const password of ['', 'secret', stored ?? 'null']) {
      assert.deepEqual(await checkPassword(password, stored, ROUNDS), { matches: false, mustUpdate: false });
    }
  }
});

test('a refusal is the work of one hash of the current cost, whatever is stored', async (context) => {
  const [hash, compare] = [bcrypt.hash, bcrypt.compare];
  let work = 0;
  context.mock.method(bcrypt, 'hash', (data: string, rounds: number) => {
    work += 2 ** rounds;
    return hash(data, rounds);
  });
  context.mock.method(bcrypt, 'compare', (data: string, stored: string) => {
    work += 2 ** bcrypt.getRounds(stored);
    return compare(data, stored);
  });
  const rounds = 8;
  const cheaper = await hashPassword('secret', 5);
  const current = await hashPassword('secret', rounds);
  for (const stored of [...UNREADABLE, cheaper, current]) {
    work = 0;
    assert.equal((await checkPassword('wrong', stored, rounds)).matches, false);
    assert.equal(work, 2 ** rounds, String(stored));
  }
});

test('more than a hundred waiting are turned away, and the rest are served', async () => {
  const results = await Promise.allSettled(Array.from({ length: 200 }, () => hashPassword('secret', ROUNDS)));
  const refused = results.filter((result) => result.status === 'rejected');
  assert.ok(refused.length >= 90 && refused.length <= 100, String(refused.length));
  for (const { reason } of refused) {
    assert.ok(reason instanceof AppError);
    assert.equal(reason.code, 'busy');
    assert.equal(reason.retryAfter, 1);
  }
  assert.match(await hashPassword('secret', ROUNDS), /^bcrypt_sha256/);
});
