import { loadSettings, type SettingName, type Settings } from '../server/settings.ts';

/** The key of tests: 64 bytes, as a server makes for itself. */
export const TEST_KEY = 'tZ3hUo6mWv9cKx1rQf8sLb5nGd2jYp7eAi4uTk0wSzXqMgHvCyRlNfOaEbDcJIPV';

/** The settings that an environment of these variables gives, on top of the defaults. */
export function settingsOf(env: Partial<Record<SettingName, string>> = {}): Settings {
  const sources = { dotenv: undefined, readOrMakeSecretKey: () => TEST_KEY };
  return loadSettings({ ...sources, env: { NODE_ENV: 'test', BCRYPT_ROUNDS: '4', ...env } }).settings;
}
