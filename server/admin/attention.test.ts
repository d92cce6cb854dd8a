import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { SettingName } from '../settings.ts';
import { risingRefusals, weakSettings } from './attention.ts';

const RECOMMENDED: Partial<Record<SettingName, string>> = {
  ROTATE_REFRESH_TOKENS: 'true',
  BLACKLIST_AFTER_ROTATION: 'true',
  CHECK_REVOKE_TOKEN: 'true',
  REFRESH_TOKEN_GRACE_PERIOD: '10s',
  REVOKE_SESSION_ON_REUSE: 'true',
  SESSION_MAX_LIFETIME: '90d',
  BCRYPT_ROUNDS: '12',
};

const titles = (env: Partial<Record<SettingName, string>>, { isEncrypted = true, isLocal = true } = {}) =>
  weakSettings({
    settings: settingsOf({ ...RECOMMENDED, ...env }),
    isEncrypted,
    isLocal,
    refusedLogins: [],
  }).map(({ title }) => title);

test('the recommended settings need no attention', () => {
  assert.deepEqual(titles({}), []);
});

describe('settings that are weaker than they need be', () => {
  test('are those of check --deploy', () => {
    assert.deepEqual(titles({ ROTATE_REFRESH_TOKENS: 'false', BCRYPT_ROUNDS: '11' }), [
      'Refresh tokens are used again and again',
      'Password hashes are cheap to guess',
    ]);
  });

  test('plain http, and development, where others can reach it', () => {
    assert.deepEqual(titles({}, { isEncrypted: false }), []);
    assert.deepEqual(titles({}, { isLocal: false }), ['NODE_ENV is not production']);
    assert.equal(titles({}, { isEncrypted: false, isLocal: false })[0], 'This page came over plain http');
  });

  test('and no secret is told', () => {
    const settings = settingsOf({ SIGNING_KEY: 'tell-nobody' });
    const found = weakSettings({ settings, isEncrypted: false, isLocal: false, refusedLogins: [] });
    assert.ok(!JSON.stringify(found).includes('tell-nobody'));
  });
});

describe('refused log-ins are rising', () => {
  const days = (average: number, today: number) => [...Array<number>(13).fill(average), today];

  test('when there are more than twice as many as on the days before, and more than a few', () => {
    assert.equal(risingRefusals(days(0, 9)), null);
    assert.equal(risingRefusals(days(5, 10)), null);
    assert.equal(risingRefusals(days(600, 1_000)), null);
    assert.match(risingRefusals(days(5, 11))?.title ?? '', /: 11 today/);
    assert.match(risingRefusals(days(0, 10))?.advice ?? '', /On the 13 days before, there were 0 a day/);
    assert.match(risingRefusals([...Array<number>(12).fill(3), 4, 1_234])?.title ?? '', /1,234 today/);
    assert.match(risingRefusals([...Array<number>(12).fill(3), 4, 1_234])?.advice ?? '', /3\.1 a day/);
  });

  test('not when nothing is known', () => {
    assert.equal(risingRefusals([]), null);
  });
});
