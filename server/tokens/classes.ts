import type { Settings } from '../settings.ts';

/** A kind of token, as SimpleJWT's classes in `tokens.py`. */
export interface TokenClass {
  name: 'AccessToken' | 'RefreshToken' | 'SlidingToken' | 'UntypedToken';
  /** The value of the token type claim; null stands for any. */
  type: 'access' | 'refresh' | 'sliding' | null;
  /** Seconds from issue to `exp`. */
  lifetime(settings: Settings): number;
  /** Whether it is recorded when it is given out and looked up in the blacklist when it comes back. */
  listed: boolean;
}

export const AccessToken: TokenClass = {
  name: 'AccessToken',
  type: 'access',
  lifetime: (settings) => settings.ACCESS_TOKEN_LIFETIME,
  listed: false,
};

export const RefreshToken: TokenClass = {
  name: 'RefreshToken',
  type: 'refresh',
  lifetime: (settings) => settings.REFRESH_TOKEN_LIFETIME,
  listed: true,
};

export const SlidingToken: TokenClass = {
  name: 'SlidingToken',
  type: 'sliding',
  lifetime: (settings) => settings.SLIDING_TOKEN_LIFETIME,
  listed: true,
};

/** Any genuine token, whatever it is for. It is never issued. */
export const UntypedToken: TokenClass = {
  name: 'UntypedToken',
  type: null,
  lifetime: () => 0,
  listed: false,
};

/** The classes that the AUTH_TOKEN_CLASSES setting can name. */
export const NAMED_CLASSES = { AccessToken, RefreshToken, SlidingToken } as const;
