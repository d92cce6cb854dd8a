import type { LoadedSettings, Settings } from '../settings.ts';

/** Settings that let more happen than they need to: what that is, and what mends it. */
export interface Weakness {
  /** What it is called in the output of `check --deploy`, as Django's: `jotgate.W001`. */
  id: string;
  title: string;
  advice: string;
}

interface WeaknessRow extends Weakness {
  isWeak(settings: Settings, origins: Partial<LoadedSettings['origins']>): boolean;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** RFC 7518, section 3.2: of an HMAC a key as long as the hash, in bytes. */
const SHORTEST_KEYS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** As a reviewer reads the settings, in this order. The README's table of recommended values says the same. */
const WEAKNESSES: readonly WeaknessRow[] = [
  {
    id: 'jotgate.W001',
    isWeak: ({ NODE_ENV }) => NODE_ENV !== 'production',
    title: 'NODE_ENV is not production',
    advice: 'Set it to production: then weak secrets and cheap password hashes refuse to start.',
  },
  {
    id: 'jotgate.W002',
    isWeak: (_, origins) => origins.SECRET_KEY === 'data/secret_key',
    title: 'SECRET_KEY lies in a file beside the database',
    advice: 'Whoever copies the folder has both. Set SECRET_KEY to 64 random bytes of your own.',
  },
  {
    id: 'jotgate.W003',
    isWeak: ({ ALGORITHM, SIGNING_KEY, KEY_RING }) =>
      !KEY_RING && SIGNING_KEY !== null && Buffer.byteLength(SIGNING_KEY) < (SHORTEST_KEYS[ALGORITHM] ?? 0),
    title: 'The key that signs tokens is short',
    advice: 'It can be guessed from a single token. Set SECRET_KEY, or SIGNING_KEY, to 64 random bytes.',
  },
  {
    id: 'jotgate.W004',
    isWeak: ({ TRUST_PROXY, HOST }) => TRUST_PROXY.length === 0 && LOOPBACK.includes(HOST),
    title: 'TRUST_PROXY names no proxy',
    advice:
      'Behind one that speaks https, cookies are not marked as secure, and every visitor has the proxy’s address. ' +
      'Set TRUST_PROXY to the addresses of the proxies in front.',
  },
  {
    id: 'jotgate.W005',
    isWeak: ({ TRUST_PROXY, HOST }) => TRUST_PROXY.length === 0 && !LOOPBACK.includes(HOST),
    title: 'Plain http is served to other machines',
    advice:
      'Passwords and tokens can be read on their way. Set HOST to 127.0.0.1, put a server that speaks https in ' +
      'front, and name it in TRUST_PROXY.',
  },
  {
    id: 'jotgate.W006',
    isWeak: ({ LOGIN_FAILURES_PER_ACCOUNT, LOGIN_FAILURES_PER_ADDRESS }) =>
      LOGIN_FAILURES_PER_ACCOUNT === 0 || LOGIN_FAILURES_PER_ADDRESS === 0,
    title: 'Passwords may be guessed without limit',
    advice: 'Set LOGIN_FAILURES_PER_ACCOUNT to 10 and LOGIN_FAILURES_PER_ADDRESS to 100.',
  },
  {
    id: 'jotgate.W007',
    isWeak: ({ ROTATE_REFRESH_TOKENS }) => !ROTATE_REFRESH_TOKENS,
    title: 'Refresh tokens are used again and again',
    advice:
      'One that was stolen works until it expires. Set ROTATE_REFRESH_TOKENS and BLACKLIST_AFTER_ROTATION to true.',
  },
  {
    id: 'jotgate.W008',
    isWeak: ({ ROTATE_REFRESH_TOKENS, BLACKLIST_AFTER_ROTATION }) =>
      ROTATE_REFRESH_TOKENS && !BLACKLIST_AFTER_ROTATION,
    title: 'A refresh token outlives its rotation',
    advice: 'The old one still works beside the new one. Set BLACKLIST_AFTER_ROTATION to true.',
  },
  {
    id: 'jotgate.W009',
    isWeak: (settings) => rotatesOnce(settings) && settings.REFRESH_TOKEN_GRACE_PERIOD === 0,
    title: 'Two tabs that refresh at once log each other out',
    advice: 'So does an answer that was lost. Set REFRESH_TOKEN_GRACE_PERIOD to 10s.',
  },
  {
    id: 'jotgate.W010',
    isWeak: (settings) => rotatesOnce(settings) && !settings.REVOKE_SESSION_ON_REUSE,
    title: 'A stolen refresh token is not noticed',
    advice: 'The thief goes on with its successors. Set REVOKE_SESSION_ON_REUSE to true.',
  },
  {
    id: 'jotgate.W011',
    isWeak: ({ ROTATE_REFRESH_TOKENS, SESSION_MAX_LIFETIME }) =>
      ROTATE_REFRESH_TOKENS && SESSION_MAX_LIFETIME === 0,
    title: 'Whoever refreshes in time is never asked for the password again',
    advice: 'Set SESSION_MAX_LIFETIME to 90d, or what suits you.',
  },
  {
    id: 'jotgate.W012',
    isWeak: ({ CHECK_REVOKE_TOKEN }) => !CHECK_REVOKE_TOKEN,
    title: 'A new password does not end the tokens of the old one',
    advice: 'Who got hold of them stays in. Set CHECK_REVOKE_TOKEN to true.',
  },
  {
    id: 'jotgate.W013',
    isWeak: ({ CHECK_USER_IS_ACTIVE }) => !CHECK_USER_IS_ACTIVE,
    title: 'Tokens of users who were switched off still work',
    advice: 'Set CHECK_USER_IS_ACTIVE to true.',
  },
  {
    id: 'jotgate.W014',
    isWeak: ({ ACCESS_TOKEN_LIFETIME, CHECK_SESSION }) => ACCESS_TOKEN_LIFETIME > HOUR && !CHECK_SESSION,
    title: 'Access tokens live for more than an hour',
    advice:
      'Until they expire nothing can revoke them. Set ACCESS_TOKEN_LIFETIME to a few minutes, or CHECK_SESSION to true.',
  },
  {
    id: 'jotgate.W015',
    isWeak: ({ LEEWAY }) => LEEWAY > 2 * MINUTE,
    title: 'Expired tokens are accepted for minutes',
    advice: 'Set LEEWAY to a few seconds, and let the clocks of your servers be kept by NTP.',
  },
  {
    id: 'jotgate.W016',
    isWeak: ({ BCRYPT_ROUNDS }) => BCRYPT_ROUNDS < 12,
    title: 'Password hashes are cheap to guess',
    advice: 'Set BCRYPT_ROUNDS to 12 or more. Hashes are made anew as people log in.',
  },
  {
    id: 'jotgate.W017',
    isWeak: ({ ADMIN_SESSION_IDLE_TIMEOUT, ADMIN_SESSION_LIFETIME }) =>
      ADMIN_SESSION_IDLE_TIMEOUT > 8 * HOUR || ADMIN_SESSION_LIFETIME > 7 * DAY,
    title: 'A log-in to the admin lasts for long',
    advice: 'Set ADMIN_SESSION_IDLE_TIMEOUT to 1h and ADMIN_SESSION_LIFETIME to 12h.',
  },
  {
    id: 'jotgate.W018',
    isWeak: ({ LOG_LEVEL }) => LOG_LEVEL === 'debug' || LOG_LEVEL === 'trace',
    title: 'The log says more than it needs to',
    advice: 'Set LOG_LEVEL to info or warn.',
  },
];

/** What is weaker than it need be in settings that are right. Where they come from is not always known. */
export function findWeaknesses(
  settings: Settings,
  origins: Partial<LoadedSettings['origins']> = {},
): Weakness[] {
  return WEAKNESSES.filter(({ isWeak }) => isWeak(settings, origins)).map(({ id, title, advice }) => ({
    id,
    title,
    advice,
  }));
}

function rotatesOnce({ ROTATE_REFRESH_TOKENS, BLACKLIST_AFTER_ROTATION }: Settings): boolean {
  return ROTATE_REFRESH_TOKENS && BLACKLIST_AFTER_ROTATION;
}
