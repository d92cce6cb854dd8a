import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import { authenticate } from '../../server/users/authenticate.ts';
import { countPasswordFormats } from '../../server/users/password-formats.ts';
import { findUserByUsername } from '../../server/users/users.ts';
import { settingsOf } from '../settings-of.ts';
import { FIXTURE_PASSWORD, openDjangoDatabase } from './django-database.ts';

/** What a hash looks like that Django 5.2 makes anew, by the hasher that is the first. */
const ANEW = {
  pbkdf2_sha256: /^pbkdf2_sha256\$1000000\$[A-Za-z0-9]{22}\$[A-Za-z0-9+/]{43}=$/,
  bcrypt_sha256: /^bcrypt_sha256\$\$2b\$12\$[./A-Za-z0-9]{53}$/,
} as const;

/** Who of Django's users can log in. */
const USERS = {
  root: true,
  staff: true,
  pbkdf2: true,
  pbkdf2sha1: true,
  argon2: true,
  bcrypt256: true,
  bcrypt: true,
  scrypt: true,
  unusable: false,
  nonsense: false,
  inactive: false,
} as const;

/** Lists whose first hasher is the one of Django's project, and the one of ours. */
const HASHERS = {
  pbkdf2_sha256: [
    'django.contrib.auth.hashers.PBKDF2PasswordHasher',
    'django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher',
    'django.contrib.auth.hashers.Argon2PasswordHasher',
    'django.contrib.auth.hashers.BCryptSHA256PasswordHasher',
    'django.contrib.auth.hashers.BCryptPasswordHasher',
    'django.contrib.auth.hashers.ScryptPasswordHasher',
  ].join(','),
  bcrypt_sha256: '',
};

for (const first of ['pbkdf2_sha256', 'bcrypt_sha256'] as const) {
  describe(`on a database of Django's, with ${first} first:`, { concurrency: 2 }, () => {
    const settings = settingsOf({ PASSWORD_HASHERS: HASHERS[first], BCRYPT_ROUNDS: '12' });
    let db: Database;
    before(async () => {
      db = await openDjangoDatabase();
    });
    after(async () => {
      const counts = await countPasswordFormats(db);
      await db.destroy();
      assert.deepEqual(Object.fromEntries(counts.map(({ format, count }) => [format, count])), {
        ...(first === 'pbkdf2_sha256' ? { pbkdf2_sha256: 9 } : { bcrypt_sha256: 8, pbkdf2_sha256: 1 }),
        ...{ unknown: 1, unusable: 1 },
      });
    });

    for (const [username, canLogIn] of Object.entries(USERS)) {
      test(`${username} ${canLogIn ? 'logs in, and is hashed anew where that is due' : 'is refused'}`, async () => {
        const before = await findUserByUsername(db, username);
        assert.equal(await authenticate(db, { username, password: 'wrong' }, settings), null);
        assert.deepEqual(await findUserByUsername(db, username), before);
        const user = await authenticate(db, { username, password: FIXTURE_PASSWORD }, settings);
        assert.equal(user !== null, canLogIn);
        const stored = await findUserByUsername(db, username);
        if (user === null) {
          assert.deepEqual(stored, before);
          return;
        }
        assert.match(stored?.password ?? '', ANEW[first]);
        assert.deepEqual({ ...stored, password: '' }, { ...before, password: '' });
        // What is as it would be made now is left as it is.
        const isDue = before?.password !== stored?.password;
        assert.equal(isDue, !(first === 'bcrypt_sha256' && username === 'bcrypt256'));
      });
    }
  });
}
