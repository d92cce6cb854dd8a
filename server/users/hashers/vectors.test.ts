import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../../e2e/settings-of.ts';
import { checkPassword } from '../hashers.ts';

/**
 * Passwords and hashes of them that other programs made: Django's own tests (test_hashers.py of several versions),
 * those of argon2-cffi, and Python's hashlib.
 */
const VECTORS: readonly (readonly [password: string, stored: string])[] = [
  ['lètmein', 'pbkdf2_sha256$390000$seasalt$8xBlGd3jVgvJ+92hWPxi5ww0uuAuAnKgC45eudxro7c='],
  ['lètmein', 'pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps='],
  ['lètmein', 'pbkdf2_sha1$1000000$seasalt$A053mdnAt0THnbEBJ7jpfP3yz1o='],
  ['lètmein', 'pbkdf2_sha1$30000$seasalt2$pMzU1zNPcydf6wjnJFbiVKwgULc='],
  ['пароль-🔑', 'pbkdf2_sha256$20000$seasalt2$9+coNIIZgXoo5kuiGVa22/KkOVTL12WMiF0Pjrz02CY='],
  ['x', 'pbkdf2_sha256$1$s$Iw9uUpJ8wkEJJjGR3rcONsswOtuGX7TZe8GsNaKCO3I='],
  [
    'lètmein',
    'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
  ],
  [
    'lètmein',
    'scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==',
  ],
  [
    'lètmein',
    'scrypt$2$seasalt$1$1$Uw1Hm8zmAK0Esyhyx/KeJ18fu641RfDIlhZzAivW4HWTnbiET8+SlAfQN4tEzYBvQElQgeRyhw8tbv5g+WK2uA==',
  ],
  // Version 16, from before the version was told.
  [
    'secret',
    'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXXMocVrsJAtNSsKyfg',
  ],
  [
    'password',
    'argon2$argon2i$m=65536,t=2,p=4$c29tZXNhbHQAAAAAAAAAAA$QWLzI4TY9HkL2ZTLc8g6SinwdhZewYrzz9zxCo0bkGY',
  ],
  ['secret', 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'],
];

test('what other programs hashed is read, and is due for an update', async () => {
  const settings = settingsOf({
    PASSWORD_HASHERS: 'argon2,scrypt,pbkdf2_sha256,pbkdf2_sha1,bcrypt_sha256,bcrypt',
  });
  for (const [password, stored] of VECTORS) {
    const right = { matches: true, mustUpdate: true };
    assert.deepEqual(await checkPassword(password, stored, settings), right, stored);
    assert.equal((await checkPassword(`${password}z`, stored, settings)).matches, false, stored);
  }
});

test('a hash under the name $2y$ is read, and $2a$', async () => {
  const settings = settingsOf({ BCRYPT_ROUNDS: '12' });
  const stored = 'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.';
  for (const name of ['$2y$', '$2a$']) {
    const check = await checkPassword('pw-Fixture-123', stored.replace('$2b$', name), settings);
    assert.deepEqual(check, { matches: true, mustUpdate: false });
  }
});

test('a short salt makes a hash due for an update, as Django counts it', async () => {
  const settings = settingsOf({ PASSWORD_HASHERS: 'pbkdf2_sha256' });
  const stored = 'pbkdf2_sha256$1000000$seasalt$r1uLUxoxpP2Ued/qxvmje7UH9PUJBkRrvf9gGPL7Cps=';
  assert.equal((await checkPassword('lètmein', stored, settings)).mustUpdate, true);
});
