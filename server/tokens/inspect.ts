import type { Settings } from '../settings.ts';
import { type Claims, parseCompact } from './compact.ts';
import { isNumericDate, own } from './rules.ts';

/** One member of a header or payload, in words. */
export interface Explained {
  name: string;
  /** As JSON. */
  value: string;
  meaning: string;
  /** The moment it stands for, where it stands for one. */
  time: ExplainedTime | null;
}

export interface ExplainedTime {
  /** ISO 8601 in UTC. */
  iso: string;
  /** For people, in UTC. */
  text: string;
  /** How far off it is: "in 4 min 59 s". */
  distance: string;
}

/** A token taken apart for people to see. Nothing is verified: this says what it claims, not whether it is true. */
export interface TokenAnatomy {
  token: string;
  segments: { header: string; payload: string; signature: string };
  type: string | null;
  header: Explained[];
  claims: Explained[];
  expires: ExplainedTime | null;
  expired: boolean;
}

const HEADER_MEANINGS: ReadonlyMap<string, string> = new Map([
  ['alg', 'The algorithm of the signature.'],
  ['typ', 'The kind of thing this is: a JSON Web Token.'],
  ['kid', 'The name of the key that signed it. Keys change; by its name the right one is found.'],
]);

/** The registered claims of RFC 7519 section 4.1, and those that the settings name. */
function claimMeanings(settings: Settings): Map<string, string> {
  return new Map([
    ['iss', 'Who made the token.'],
    ['sub', 'Whom or what the token is about.'],
    ['aud', 'Whom the token is for; anyone else must refuse it.'],
    ['exp', 'When it ends. From this second on it is refused.'],
    ['nbf', 'When it begins. Before this it is refused.'],
    ['iat', 'When it was made.'],
    ['jti', 'Its own id, by which it can be revoked.'],
    [settings.JTI_CLAIM, 'Its own id, by which it can be revoked.'],
    [settings.TOKEN_TYPE_CLAIM, 'What it may be used for.'],
    [settings.USER_ID_CLAIM, `Whose it is: the ${settings.USER_ID_FIELD} of the account.`],
    [settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM, 'Until when it can be renewed.'],
    [settings.REVOKE_TOKEN_CLAIM, 'A mark of the password: when that changes, the token dies.'],
  ]);
}

/**
 * Takes a token apart.
 *
 * @param now seconds since the epoch
 * @returns null for what is no token at all
 */
export function inspectToken(settings: Settings, token: string, now: number): TokenAnatomy | null {
  let parts: { header: Claims; payload: Claims };
  try {
    parts = parseCompact(token);
  } catch {
    return null;
  }
  const [header = '', payload = '', signature = ''] = token.split('.');
  const type = own(parts.payload, settings.TOKEN_TYPE_CLAIM);
  const exp = own(parts.payload, 'exp');
  return {
    token,
    segments: { header, payload, signature },
    type: typeof type === 'string' ? type : null,
    header: explainHeader(parts.header),
    claims: explainClaims(settings, parts.payload, now),
    expires: explainTime(exp, now),
    expired: typeof exp === 'number' && exp <= now - settings.LEEWAY,
  };
}

export function explainHeader(header: Claims): Explained[] {
  return explain(
    header,
    (name) => HEADER_MEANINGS.get(name) ?? '',
    () => null,
  );
}

/** @param now seconds since the epoch */
export function explainClaims(settings: Settings, claims: Claims, now: number): Explained[] {
  const meanings = claimMeanings(settings);
  const times = new Set(['exp', 'nbf', 'iat', settings.SLIDING_TOKEN_REFRESH_EXP_CLAIM]);
  return explain(
    claims,
    (name) => meanings.get(name) ?? 'Added by this server’s settings or by whoever made the token.',
    (name, value) => (times.has(name) ? explainTime(value, now) : null),
  );
}

/** How far a moment is from now: "in 4 min 59 s", "2 h 5 min ago". */
export function distanceInWords(seconds: number): string {
  if (Math.trunc(seconds) === 0) return 'now';
  const words = durationInWords(seconds);
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

/** A span of time in its two largest units: "4 min 59 s". */
export function durationInWords(seconds: number): string {
  const total = Math.abs(Math.trunc(seconds));
  const units = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3_600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

function explain(
  members: Claims,
  meaning: (name: string) => string,
  time: (name: string, value: unknown) => ExplainedTime | null,
): Explained[] {
  return Object.entries(members).map(([name, value]) => ({
    name,
    value: JSON.stringify(value),
    meaning: meaning(name),
    time: time(name, value),
  }));
}

function explainTime(value: unknown, now: number): ExplainedTime | null {
  if (!isNumericDate(value)) return null;
  const iso = new Date(value * 1000).toISOString();
  return {
    iso,
    text: `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`,
    distance: distanceInWords(value - now),
  };
}
