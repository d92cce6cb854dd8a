import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import { hashPassword, unusablePassword } from './hashers.ts';
import { isUsablePassword, summarizePassword } from './password-summary.ts';

const UNKNOWN = 'Invalid password format or unknown hashing algorithm.';

/** A hash of each of Django's hashers, and what its `safe_summary` tells of it. */
const SUMMARIES: readonly (readonly [stored: string, summary: string])[] = [
  [
    'pbkdf2_sha256$1000000$saltsaltsalt$j9tjFsLwHEyGrCEmXTVBQVUVGfmx5hYbGTcYfAPqRwU=',
    'algorithm: pbkdf2_sha256; iterations: 1000000; salt: saltsa******; hash: j9tjFs**************************************',
  ],
  [
    'pbkdf2_sha1$20000$saltsaltsalt$ekYWsWZfYcXq6nDnXAR1gKwGbcs=',
    'algorithm: pbkdf2_sha1; iterations: 20000; salt: saltsa******; hash: ekYWsW**********************',
  ],
  [
    'argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdHNhbHQ$UkVEYWN0ZWRIYXNo',
    'algorithm: argon2; variety: argon2id; version: 19; memory cost: 102400; time cost: 2; parallelism: 8; salt: c2FsdH*****; hash: UkVEYW**********',
  ],
  [
    'argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0',
    'algorithm: argon2; variety: argon2i; version: 16; memory cost: 8; time cost: 1; parallelism: 1; salt: c29tZX*****; hash: gwQOXS**********',
  ],
  [
    'bcrypt_sha256$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
    'algorithm: bcrypt_sha256; work factor: 12; salt: /.yL9i****************; checksum: 2uu2.L*************************',
  ],
  [
    'bcrypt$$2b$12$/.yL9ivbqidjj1gsmCTQtO2uu2.LrVJTa3USb92gN6YPdOrQw9yr.',
    'algorithm: bcrypt; work factor: 12; salt: /.yL9i****************; checksum: 2uu2.L*************************',
  ],
  [
    'scrypt$16384$saltsaltsalt$8$5$EeQDGeTdrBUkVEYWN0ZWQ=',
    'algorithm: scrypt; work factor: 16384; block size: 8; parallelism: 5; salt: saltsa******; hash: EeQDGe****************',
  ],
];

test('a hash is told in part, as Django tells it', () => {
  for (const [stored, expected] of SUMMARIES) {
    const { usable, details, message } = summarizePassword(stored);
    assert.equal(details.map(({ label, value }) => `${label}: ${value}`).join('; '), expected);
    assert.deepEqual([usable, message], [true, null]);
  }
});

test('of no hash more than six characters of its secret parts are told', async () => {
  const stored = await hashPassword('secret', settingsOf());
  const told = JSON.stringify(summarizePassword(stored));
  const secret = stored.slice(-53);
  for (let start = 0; start + 7 <= secret.length; start += 1) {
    assert.ok(!told.includes(secret.slice(start, start + 7)), told);
  }
});

test('where there is no password, or none that can be read, a message says so', () => {
  for (const none of ['', '!', unusablePassword()]) {
    assert.deepEqual(summarizePassword(none), { usable: false, details: [], message: 'No password set.' });
    assert.equal(isUsablePassword(none), false);
  }
  for (const [stored] of SUMMARIES) {
    for (const broken of [`${stored}\n`, `${stored}$`, `x${stored}`, stored.replace('$', '')]) {
      assert.deepEqual(summarizePassword(broken), { usable: true, details: [], message: UNKNOWN }, broken);
    }
  }
  assert.equal(summarizePassword('plain-text').message, UNKNOWN);
});
