import type { Settings } from '../settings.ts';
import { HISTORY_HREF } from './history-list.ts';

/** What the overview knows when it looks for what is wrong. */
export interface Facts {
  settings: Settings;
  /** Whether the page came over https. */
  isEncrypted: boolean;
  /** Whether it was asked for by a name of this very machine. */
  isLocal: boolean;
  /** How often a log-in was refused on each of the last days, today last. */
  refusedLogins: readonly number[];
}

/** Something that needs attention: what it is, and what to do about it. */
export interface Attention {
  title: string;
  advice: string;
  href?: string;
}

interface WeakSetting extends Attention {
  isWeak(facts: Facts): boolean;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** RFC 7518, section 3.2: of an HMAC a key as long as the hash, in bytes. */
const SHORTEST_KEYS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Settings that let more happen than they need to: the table of recommended values in the README. */
const WEAK_SETTINGS: readonly WeakSetting[] = [
  {
    isWeak: ({ isEncrypted, isLocal }) => !isEncrypted && !isLocal,
    title: 'This page came over plain http',
    advice:
      'Passwords and tokens can be read on their way. Put a server that speaks https in front, and name it in TRUST_PROXY.',
  },
  {
    isWeak: ({ settings, isLocal }) => settings.NODE_ENV !== 'production' && !isLocal,
    title: 'NODE_ENV is not production',
    advice: 'Set it to production: then weak secrets and cheap password hashes refuse to start.',
  },
  {
    isWeak: ({ settings: { ALGORITHM, SIGNING_KEY } }) =>
      SIGNING_KEY !== null && Buffer.byteLength(SIGNING_KEY) < (SHORTEST_KEYS[ALGORITHM] ?? 0),
    title: 'The key that signs tokens is short',
    advice: 'It can be guessed from a single token. Set SECRET_KEY, or SIGNING_KEY, to 64 random bytes.',
  },
  {
    isWeak: ({ settings }) => !settings.ROTATE_REFRESH_TOKENS,
    title: 'Refresh tokens are used again and again',
    advice:
      'One that was stolen works until it expires. Set ROTATE_REFRESH_TOKENS and BLACKLIST_AFTER_ROTATION to true.',
  },
  {
    isWeak: ({ settings }) => settings.ROTATE_REFRESH_TOKENS && !settings.BLACKLIST_AFTER_ROTATION,
    title: 'A refresh token outlives its rotation',
    advice: 'The old one still works beside the new one. Set BLACKLIST_AFTER_ROTATION to true.',
  },
  {
    isWeak: ({ settings }) => !settings.CHECK_REVOKE_TOKEN,
    title: 'A new password does not end the tokens of the old one',
    advice: 'Who got hold of them stays in. Set CHECK_REVOKE_TOKEN to true.',
  },
  {
    isWeak: ({ settings }) => !settings.CHECK_USER_IS_ACTIVE,
    title: 'Tokens of users who were switched off still work',
    advice: 'Set CHECK_USER_IS_ACTIVE to true.',
  },
  {
    isWeak: ({ settings }) => settings.ACCESS_TOKEN_LIFETIME > HOUR,
    title: 'Access tokens live for more than an hour',
    advice: 'Until they expire nothing can revoke them. Set ACCESS_TOKEN_LIFETIME to a few minutes.',
  },
  {
    isWeak: ({ settings }) => settings.BCRYPT_ROUNDS < 12,
    title: 'Password hashes are cheap to guess',
    advice: 'Set BCRYPT_ROUNDS to 12 or more. Hashes are made anew as people log in.',
  },
];

/** So many refused log-ins on a day are nothing to speak of. */
const FEW = 10;

/** Whether log-ins are refused far more often today than they were on the days before, and how often that was. */
export function risingRefusals(refusedLogins: readonly number[]): Attention | null {
  const today = refusedLogins.at(-1) ?? 0;
  const before = refusedLogins.slice(0, -1);
  const average = before.reduce((sum, count) => sum + count, 0) / Math.max(before.length, 1);
  if (today < FEW || today <= 2 * average) return null;
  const usual = average.toLocaleString('en-US', { maximumFractionDigits: 1 });
  return {
    title: `Refused log-ins are rising: ${today.toLocaleString('en-US')} today`,
    advice: `On the ${before.length} days before, there were ${usual} a day. Somebody may be guessing passwords.`,
    href: `${HISTORY_HREF}?group=refusal&when=today`,
  };
}

/** Settings that are weaker than they need be. */
export function weakSettings(facts: Facts): Attention[] {
  return WEAK_SETTINGS.filter(({ isWeak }) => isWeak(facts)).map(({ title, advice }) => ({ title, advice }));
}
