import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { unusablePassword } from './hashers.ts';
import { countPasswordFormats, isReadable, passwordFormat } from './password-formats.ts';
import { createUser } from './users.ts';

/** A stored password of each format, and whether anybody can log in with it. */
const STORED = [
  ['pbkdf2_sha256', 'pbkdf2_sha256$20000$saltsaltsalt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=', true],
  ['pbkdf2_sha256', 'pbkdf2_sha256$1000000000000$s$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=', false],
  ['pbkdf2_sha1', 'pbkdf2_sha1$20000$saltsaltsalt$ekYWsWZfYilxFu4urlZ8nDtNsrY=', true],
  ['argon2', 'argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHRzYWx0$GKEPDx/aB+Z1yQZy1VIK96BTy1Ec', true],
  ['bcrypt_sha256', 'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.', true],
  ['bcrypt', 'bcrypt$$2b$12$/bvonI7EWZvYR8HLkAdUr.6X2Rl3hc2Zp2RjhTIwkZoiYvS3OKkp6', true],
  ['scrypt', 'scrypt$16384$saltsaltsalt$8$5$EeQDGeTdrB71YMm1oWydnuzqPIhK9E1WndKWcibZ', true],
  ['scrypt', 'scrypt$nonsense', false],
  ['md5', 'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99', false],
  ['unusable', unusablePassword(), false],
  ['unusable', '', false],
  ['unknown', 'not-a-hash', false],
  ['unknown', 'PBKDF2_SHA256$1$s$x', false],
  ['unknown', 'pbkdf2xsha256$1$s$x', false],
] as const;

let db: Database;
before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

test('the format of a stored password, and whether it can be tried', () => {
  for (const [format, stored, readable] of STORED) {
    assert.equal(passwordFormat(stored), format, stored);
    assert.equal(isReadable(stored, settingsOf()), readable, stored);
    const settings = settingsOf({ PASSWORD_HASHERS: 'bcrypt' });
    assert.equal(isReadable(stored, settings), format === 'bcrypt', stored);
  }
});

test('users are counted by format, as each one would be', async () => {
  assert.deepEqual(await countPasswordFormats(db), []);
  for (const [index, [, passwordHash]] of STORED.entries()) {
    await createUser(db, { username: `user${index}`, passwordHash }, new Date());
  }
  assert.deepEqual(await countPasswordFormats(db), [
    { format: 'unknown', count: 3 },
    { format: 'pbkdf2_sha256', count: 2 },
    { format: 'scrypt', count: 2 },
    { format: 'unusable', count: 2 },
    { format: 'argon2', count: 1 },
    { format: 'bcrypt', count: 1 },
    { format: 'bcrypt_sha256', count: 1 },
    { format: 'md5', count: 1 },
    { format: 'pbkdf2_sha1', count: 1 },
  ]);
});
