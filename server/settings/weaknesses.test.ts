import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { SettingName } from '../settings.ts';
import { findWeaknesses } from './weaknesses.ts';

type Env = Partial<Record<SettingName, string>>;

/** As the README recommends it. */
const STRONG: Env = {
  NODE_ENV: 'production',
  SECRET_KEY: 'kZ8vQ2xT7rLm4NcY9wHs3BfJ6dGp1UaE5iOoXzKtVbCgRnMyWqSlDhPjFuAe0I',
  TRUST_PROXY: '127.0.0.1',
  ROTATE_REFRESH_TOKENS: 'true',
  BLACKLIST_AFTER_ROTATION: 'true',
  REFRESH_TOKEN_GRACE_PERIOD: '10s',
  REVOKE_SESSION_ON_REUSE: 'true',
  SESSION_MAX_LIFETIME: '90d',
  CHECK_REVOKE_TOKEN: 'true',
  BCRYPT_ROUNDS: '12',
};

const idsOf = (env: Env, origins = {}) => findWeaknesses(settingsOf(env), origins).map(({ id }) => id);

test('of the recommended settings none is weak', () => {
  assert.deepEqual(idsOf(STRONG), []);
});

describe('is noticed:', () => {
  for (const [id, change] of Object.entries<Env>({
    'jotgate.W001': { NODE_ENV: 'development' },
    'jotgate.W003': { NODE_ENV: 'test', SIGNING_KEY: 'short' },
    'jotgate.W004': { TRUST_PROXY: '' },
    'jotgate.W005': { TRUST_PROXY: '', HOST: '0.0.0.0' },
    'jotgate.W006': { LOGIN_FAILURES_PER_ADDRESS: '0' },
    'jotgate.W007': { ROTATE_REFRESH_TOKENS: 'false' },
    'jotgate.W008': { BLACKLIST_AFTER_ROTATION: 'false' },
    'jotgate.W009': { REFRESH_TOKEN_GRACE_PERIOD: '0' },
    'jotgate.W010': { REVOKE_SESSION_ON_REUSE: 'false' },
    'jotgate.W011': { SESSION_MAX_LIFETIME: '0' },
    'jotgate.W012': { CHECK_REVOKE_TOKEN: 'false' },
    'jotgate.W013': { CHECK_USER_IS_ACTIVE: 'false' },
    'jotgate.W014': { ACCESS_TOKEN_LIFETIME: '2h' },
    'jotgate.W015': { LEEWAY: '10m' },
    'jotgate.W016': { NODE_ENV: 'test', BCRYPT_ROUNDS: '10' },
    'jotgate.W017': { ADMIN_SESSION_LIFETIME: '30d' },
    'jotgate.W018': { LOG_LEVEL: 'debug' },
  })) {
    test(`${id} ${JSON.stringify(change)}`, () => {
      const found = idsOf({ ...STRONG, ...change }).filter((one) => one !== 'jotgate.W001' || id === one);
      assert.deepEqual(found, [id]);
    });
  }

  test('a key in a file beside the database', () => {
    assert.deepEqual(idsOf(STRONG, { SECRET_KEY: 'data/secret_key' }), ['jotgate.W002']);
  });
});

test('each says what mends it, and nothing that is secret', () => {
  for (const { title, advice } of findWeaknesses(settingsOf({ NODE_ENV: 'test' }))) {
    assert.match(advice, /[A-Z_]{4,}|production/);
    assert.doesNotMatch(`${title} ${advice}`, /tZ3hUo6m/);
  }
});

test('the README recommends what mends them', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = readme.slice(
    readme.indexOf('### Recommended values'),
    readme.indexOf('## ', readme.indexOf('### Recommended values') + 5),
  );
  for (const name of Object.keys(STRONG).filter((one) => one !== 'BCRYPT_ROUNDS')) {
    assert.match(table, new RegExp(`\\b${name}\\b`), name);
  }
});
