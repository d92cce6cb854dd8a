import type { ErrorCode } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { TokenClass } from './classes.ts';
import type { Claims } from './compact.ts';
import type { VerifyingKey } from './context.ts';

/** What a rule may look at. Times are in seconds since the epoch. */
export interface RuleContext {
  settings: Settings;
  now: number;
}

export interface Rule<Context extends RuleContext = RuleContext> {
  name: string;
  /** The refusal, or undefined when the token passes. */
  refuse(claims: Claims, context: Context): ErrorCode | undefined;
}

/** The last second of the year 9999: what Python's datetime, and so Django, can still hold. */
const LAST_SECOND = 253_402_300_799;

/** The longest id that the outstanding tokens' column holds. */
const MAX_JTI_LENGTH = 255;

/** A header is looked at together with the key that it names, or that tokens without a name of one have. */
export interface HeaderContext extends RuleContext {
  /** None where the header names a key that does not count, or not any more. */
  key: Pick<VerifyingKey, 'algorithm'> | undefined;
}

/** What must be true of a header (RFC 7515 section 4.1) before its signature is even looked at, in this order. */
export const HEADER_RULES: readonly Rule<HeaderContext>[] = [
  {
    // A key is for one algorithm, whatever a token says: RFC 8725 section 3.1.
    name: 'alg',
    refuse: (header, { key }) =>
      key === undefined ? undefined : invalidUnless(own(header, 'alg') === key.algorithm),
  },
  // No extension is understood here, so a header that calls one critical is refused: section 4.1.11.
  { name: 'crit', refuse: (header) => invalidUnless(!Object.hasOwn(header, 'crit')) },
  // The key is found by its name alone, among those known beforehand: nothing that the token brings is one.
  { name: 'kid', refuse: (_header, { key }) => invalidUnless(key !== undefined) },
];

/** What must be true of the claims of any token (RFC 7519 section 4.1), in the original's order. */
export const CLAIM_RULES: readonly Rule[] = [
  {
    name: 'exp',
    refuse: (claims, { settings, now }) => {
      if (!Object.hasOwn(claims, 'exp')) return undefined;
      const exp = own(claims, 'exp');
      if (!isNumericDate(exp)) return 'token_invalid';
      return exp <= now - settings.LEEWAY ? 'token_expired' : undefined;
    },
  },
  { name: 'nbf', refuse: (claims, context) => notInTheFuture(claims, 'nbf', context) },
  { name: 'iat', refuse: (claims, context) => notInTheFuture(claims, 'iat', context) },
  {
    name: 'aud',
    refuse: (claims, { settings }) => {
      if (settings.AUDIENCE.length === 0) return undefined;
      const aud = own(claims, 'aud');
      const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
      return invalidUnless(
        audiences.every((one) => typeof one === 'string') &&
          audiences.some((one) => settings.AUDIENCE.includes(one as string)),
      );
    },
  },
  {
    name: 'iss',
    refuse: (claims, { settings }) =>
      invalidUnless(settings.ISSUER === null || own(claims, 'iss') === settings.ISSUER),
  },
  {
    name: 'sub',
    refuse: (claims) => invalidUnless(!Object.hasOwn(claims, 'sub') || isString(own(claims, 'sub'))),
  },
  {
    name: 'jti form',
    refuse: (claims, { settings }) => {
      if (!Object.hasOwn(claims, settings.JTI_CLAIM)) return undefined;
      const jti = own(claims, settings.JTI_CLAIM);
      return invalidUnless(isString(jti) && jti !== '' && jti.length <= MAX_JTI_LENGTH);
    },
  },
];

/** What a token must be to serve as one of a class; the blacklist is asked before these. */
export const CLASS_RULES: readonly Rule<RuleContext & { tokenClass: TokenClass }>[] = [
  {
    name: 'exp present',
    refuse: (claims) => (Object.hasOwn(claims, 'exp') ? undefined : 'token_without_claim'),
  },
  {
    name: 'jti present',
    refuse: (claims, { settings }) =>
      Object.hasOwn(claims, settings.JTI_CLAIM) ? undefined : 'token_without_id',
  },
  {
    name: 'type present',
    refuse: (claims, { settings, tokenClass }) =>
      tokenClass.type === null || Object.hasOwn(claims, settings.TOKEN_TYPE_CLAIM)
        ? undefined
        : 'token_without_type',
  },
  {
    name: 'type',
    refuse: (claims, { settings, tokenClass }) =>
      tokenClass.type === null || own(claims, settings.TOKEN_TYPE_CLAIM) === tokenClass.type
        ? undefined
        : 'token_wrong_type',
  },
];

/** A claim of the token itself, never something inherited. */
export function own(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Whether a value is a NumericDate (RFC 7519 section 2) that a calendar can hold: seconds, fractions allowed. */
export function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
}

function notInTheFuture(claims: Claims, name: string, { settings, now }: RuleContext): ErrorCode | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const time = own(claims, name);
  return invalidUnless(isNumericDate(time) && Math.floor(time) <= now + settings.LEEWAY);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function invalidUnless(condition: boolean): ErrorCode | undefined {
  return condition ? undefined : 'token_invalid';
}
