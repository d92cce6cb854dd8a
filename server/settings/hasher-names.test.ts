import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasherName } from './hasher-names.ts';
import { list, RefusedValue } from './types.ts';

test("an algorithm goes by Django's name for it, or by Django's class, of which the last part counts", () => {
  const parse = (text: string) => list(hasherName).parse(text);
  assert.deepEqual(parse('pbkdf2_sha256, bcrypt'), ['pbkdf2_sha256', 'bcrypt']);
  const classes = ['PBKDF2', 'PBKDF2SHA1', 'Argon2', 'BCryptSHA256', 'BCrypt', 'Scrypt'];
  const paths = classes.map((name) => `django.contrib.auth.hashers.${name}PasswordHasher`);
  const names = ['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt'];
  assert.deepEqual(parse(paths.join(',')), names);
  assert.deepEqual(parse('ScryptPasswordHasher'), ['scrypt']);
});

test('what is no hasher of Django, or none that is safe, is refused', () => {
  for (const text of [
    'md5',
    'django.contrib.auth.hashers.MD5PasswordHasher',
    'PBKDF2',
    'constructor',
    'x.bcrypt',
    'Bcrypt',
    '',
  ]) {
    assert.throws(() => hasherName.parse(text), RefusedValue, text);
  }
});
