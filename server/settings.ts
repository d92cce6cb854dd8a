import { ALGORITHMS } from './settings/algorithms.ts';
import { claimName, tokenClaims } from './settings/claim-types.ts';
import { findConflicts } from './settings/conflicts.ts';
import { readDotenv } from './settings/dotenv.ts';
import { hasherName } from './settings/hasher-names.ts';
import { jwkUrl, signingKey, verifyingKey } from './settings/key-types.ts';
import { SecretKeyError } from './settings/secret-key.ts';
import { type KeyFile, resolveKeys, type SettingWarning } from './settings/signing-keys.ts';
import {
  boolean,
  choice,
  databaseUrl,
  duration,
  headerName,
  headerType,
  host,
  integer,
  list,
  optional,
  optionalList,
  proxy,
  RefusedValue,
  type SettingType,
  secret,
  text,
  tokenClass,
} from './settings/types.ts';

interface SettingRow {
  readonly type: SettingType<unknown>;
  /** A text that the type takes, or where the value comes from then. */
  readonly default: string | { readonly from: string };
  /** Its value is never shown. */
  readonly secret?: true;
  readonly help: string;
}

/** Every setting there is. Its type, its row in the README and its line in `check` follow from its row here. */
export const SETTING_ROWS = {
  ACCESS_TOKEN_LIFETIME: {
    type: duration(1),
    default: '5m',
    help: 'How long an access token is good for.',
  },
  REFRESH_TOKEN_LIFETIME: {
    type: duration(1),
    default: '1d',
    help: 'How long a refresh token is good for.',
  },
  SLIDING_TOKEN_LIFETIME: {
    type: duration(1),
    default: '5m',
    help: 'How long a sliding token is accepted before it must be refreshed.',
  },
  SLIDING_TOKEN_REFRESH_LIFETIME: {
    type: duration(1),
    default: '1d',
    help: 'How long after the log-in a sliding token can be refreshed.',
  },
  SLIDING_TOKEN_REFRESH_EXP_CLAIM: {
    type: claimName(),
    default: 'refresh_exp',
    help: 'The claim of a sliding token that says until when it can be refreshed.',
  },
  ROTATE_REFRESH_TOKENS: {
    type: boolean,
    default: 'false',
    help: 'Whether a refresh gives a new refresh token as well.',
  },
  BLACKLIST_AFTER_ROTATION: {
    type: boolean,
    default: 'false',
    help: 'Whether the old refresh token is dead once it was rotated.',
  },
  UPDATE_LAST_LOGIN: {
    type: boolean,
    default: 'false',
    help: "Whether obtaining a token sets the user's last_login.",
  },
  ALGORITHM: {
    type: choice(...ALGORITHMS),
    default: 'HS256',
    help: 'How tokens are signed. A token signed in any other way is refused.',
  },
  SIGNING_KEY: {
    type: signingKey,
    default: { from: 'SECRET_KEY' },
    secret: true,
    help:
      'The key that signs tokens. In production at least 32, 48 or 64 bytes for HS256, HS384 or HS512. For the ' +
      'others a private key, for which SECRET_KEY does not stand in.',
  },
  VERIFYING_KEY: {
    type: verifyingKey,
    default: '',
    help:
      'The key that verifies tokens, where that is another than the one that signs. It follows from a private ' +
      'SIGNING_KEY; alone it makes a server that verifies and issues nothing.',
  },
  JWK_URL: {
    type: jwkUrl,
    default: '',
    help: 'Where the public keys (a JSON Web Key set) of another server are, whose tokens are accepted as well.',
  },
  KEY_RING: {
    type: boolean,
    default: 'false',
    help:
      'Whether the keys that sign tokens are made by the server and kept in the database, encrypted under ' +
      'SECRET_KEY, so that they can be changed without anyone being logged out.',
  },
  KEY_ROTATION_INTERVAL: {
    type: duration(0),
    default: '0',
    help: 'How long a key of the ring signs before the next one takes over by itself. 0 is for ever.',
  },
  AUDIENCE: {
    type: optionalList(text('any text', /./)),
    default: '',
    help: 'The aud claim: put into every token, and of a token presented one of these is demanded.',
  },
  ISSUER: {
    type: optional(text('any text', /./)),
    default: '',
    help: 'The iss claim: put into every token, and demanded of a token presented.',
  },
  LEEWAY: {
    type: duration(0),
    default: '0',
    help: "By how much another server's clock may differ when a token's times are checked.",
  },
  AUTH_HEADER_TYPES: {
    type: list(headerType),
    default: 'Bearer',
    help: 'The words that may stand before the token in the Authorization header.',
  },
  AUTH_HEADER_NAME: {
    type: headerName,
    default: 'HTTP_AUTHORIZATION',
    help: 'The header that the token is looked for in.',
  },
  USER_ID_FIELD: {
    type: choice('id', 'username'),
    default: 'id',
    help: 'The field of a user by which a token names the user.',
  },
  USER_ID_CLAIM: {
    type: claimName('sub'),
    default: 'user_id',
    help: 'The claim that names the user.',
  },
  TOKEN_TYPE_CLAIM: {
    type: claimName(),
    default: 'token_type',
    help: 'The claim that says of what kind a token is.',
  },
  JTI_CLAIM: {
    type: claimName('jti'),
    default: 'jti',
    help: 'The claim that holds an id of the token itself, by which it can be revoked.',
  },
  AUTH_TOKEN_CLASSES: {
    type: list(tokenClass),
    default: 'AccessToken',
    help: 'The kinds of token that prove who somebody is. Of a dotted Python path the last part counts.',
  },
  CHECK_REVOKE_TOKEN: {
    type: boolean,
    default: 'false',
    help: "Whether a change of the password revokes the user's tokens.",
  },
  REVOKE_TOKEN_CLAIM: {
    type: claimName(),
    default: 'hash_password',
    help: 'The claim by which a changed password is noticed.',
  },
  REFRESH_TOKEN_GRACE_PERIOD: {
    type: duration(0),
    default: '0',
    help:
      'How long a refresh token that was just rotated gets the same successor again: for two tabs that refresh ' +
      'at once, or an answer that was lost.',
  },
  REVOKE_SESSION_ON_REUSE: {
    type: boolean,
    default: 'false',
    help: 'Whether a rotated refresh token that comes again, after the grace period, ends its whole session.',
  },
  SESSION_MAX_LIFETIME: {
    type: duration(0),
    default: '0',
    help: 'How long after the log-in its tokens can be refreshed at most, however often they rotate. 0 is no limit.',
  },
  CHECK_SESSION: {
    type: boolean,
    default: 'false',
    help: 'Whether tokens carry the id of their session, sid, and die with it at once: access tokens, too.',
  },
  CHECK_USER_IS_ACTIVE: {
    type: boolean,
    default: 'true',
    help: 'Whether the tokens of a user who was switched off are refused.',
  },
  TOKEN_CLAIMS: {
    type: tokenClaims,
    default: '',
    help: 'More claims for every new pair, from user fields and constants: email=$email,groups=$groups,tenant=acme.',
  },
  HOST: {
    type: host,
    default: '127.0.0.1',
    help: 'The address to listen on. 0.0.0.0 is every one that this machine has.',
  },
  PORT: {
    type: integer(0, 65_535),
    default: '8000',
    help: 'The port to listen on. 0 is any that is free.',
  },
  WORKERS: {
    type: integer(1, 64),
    default: '1',
    help: 'How many processes serve on this machine. With more than one, SIGHUP restarts them without a gap.',
  },
  SHUTDOWN_DELAY: {
    type: duration(0),
    default: '0',
    help: 'How long a server that was told to stop serves on while /readyz says 503, for proxies to notice.',
  },
  DATABASE_URL: {
    type: databaseUrl,
    default: 'sqlite:./data/jotgate.sqlite3',
    help: 'Where the database is. A path is relative to the working folder.',
  },
  DATABASE_POOL_SIZE: {
    type: integer(2, 1_000),
    default: '10',
    help: 'How many connections to Postgres each process opens at most.',
  },
  SECRET_KEY: {
    type: secret,
    default: { from: 'data/secret_key' },
    secret: true,
    help:
      "The server's own key, made at the first start. In production it must be set, to at least 32 bytes. " +
      'In the .env file, put it between quotes when it has a #.',
  },
  LOGIN_FAILURES_PER_ACCOUNT: {
    type: integer(0, 1_000_000),
    default: '10',
    help: 'How many log-ins may fail for one username within LOGIN_FAILURE_WINDOW; then more are refused. 0 is no limit.',
  },
  LOGIN_FAILURES_PER_ADDRESS: {
    type: integer(0, 1_000_000),
    default: '100',
    help: 'The same for one address, or one /64 network of IPv6. 0 is no limit.',
  },
  LOGIN_FAILURE_WINDOW: {
    type: duration(1),
    default: '15m',
    help: 'Over how long failed log-ins are counted, and how long no more are taken at most.',
  },
  AUTH_COOKIE: {
    type: optional(text('the name of a cookie, of letters, digits, - and _', /^[\w-]{1,64}$/)),
    default: '',
    help:
      'The cookie in which pages that ask for it by the header X-Refresh-Cookie get the refresh token, so that no ' +
      'script of theirs holds it.',
  },
  TRUST_PROXY: {
    type: optionalList(proxy),
    default: '',
    help:
      'Whose X-Forwarded-For, -Proto and -Host headers are believed: the addresses of the proxies in front. ' +
      'Behind one that speaks https it must be set, or cookies are not marked as secure.',
  },
  ADMIN_SESSION_IDLE_TIMEOUT: {
    type: duration(60),
    default: '1h',
    help: 'How long an admin may do nothing before the log-in ends.',
  },
  ADMIN_SESSION_LIFETIME: {
    type: duration(60),
    default: '12h',
    help: 'How long a log-in to the admin lasts at most.',
  },
  NODE_ENV: {
    type: choice('development', 'production', 'test'),
    default: 'development',
    help: 'In production, weak secrets and cheap password hashes refuse to start.',
  },
  LOG_LEVEL: {
    type: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    help: 'What is logged: this and all that is worse.',
  },
  HISTORY_LIFETIME: {
    type: duration(86_400),
    default: '90d',
    help: 'How long what happened is kept.',
  },
  FLUSH_INTERVAL: {
    type: duration(0),
    default: '1h',
    help: 'How often the records of expired tokens and admin sessions are deleted. 0 is never.',
  },
  PASSWORD_HASHERS: {
    type: list(hasherName),
    default: 'bcrypt_sha256,pbkdf2_sha256,pbkdf2_sha1,argon2,bcrypt,scrypt',
    help:
      'How passwords are hashed: the first for new ones, the others for those there are. A stored hash of any ' +
      "other kind lets nobody in. Django's own dotted paths are taken too.",
  },
  BCRYPT_ROUNDS: {
    type: integer(4, 20),
    default: '12',
    help: 'The cost of hashing a password by bcrypt; one more takes twice the time. In production at least 12.',
  },
} as const satisfies Record<string, SettingRow>;

type Rows = typeof SETTING_ROWS;

export type SettingName = keyof Rows;

/** The value of every setting; times are in seconds. */
export type Settings = { readonly [Name in SettingName]: ReturnType<Rows[Name]['type']['parse']> };

export type Origin = 'default' | 'environment' | '.env file' | 'data/secret_key';

export interface LoadedSettings {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingName, Origin>>;
  /** What should be otherwise, but is no reason not to start. */
  readonly warnings: readonly SettingWarning[];
}

export interface SettingSources {
  env: Readonly<Record<string, string | undefined>>;
  /** The text of the `.env` file. */
  dotenv: string | undefined;
  /** Called only where nothing sets SECRET_KEY and NODE_ENV is not production. */
  readOrMakeSecretKey: () => string;
  /** How the file of a key is read; from this machine where nothing is said. */
  readKeyFile?: (path: string) => KeyFile;
}

/** Settings that the server does not start with. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  /** One line each; none has a secret in it. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export const SETTING_NAMES = Object.keys(SETTING_ROWS) as SettingName[];

interface Source {
  readonly text: string;
  readonly origin: Origin;
}

/**
 * The settings: what the environment has, else the `.env` file, else the default. An empty text is none.
 *
 * @throws SettingsError with all that is wrong
 */
export function loadSettings(sources: SettingSources): LoadedSettings {
  const dotenv = readDotenv(sources.dotenv ?? '', SETTING_NAMES);
  const problems = [...dotenv.problems];
  const found = new Map<SettingName, Source>();
  for (const name of SETTING_NAMES) {
    const source = findSource(name, sources.env[name], dotenv.values.get(name));
    if (source) found.set(name, source);
  }
  if (!found.has('SECRET_KEY') && ['development', 'test'].includes(found.get('NODE_ENV')?.text ?? '')) {
    try {
      found.set('SECRET_KEY', { text: sources.readOrMakeSecretKey(), origin: 'data/secret_key' });
    } catch (error) {
      if (!(error instanceof SecretKeyError)) throw error;
      problems.push(error.message);
    }
  }
  const values = parseAll(found, problems);
  const isSet = (name: SettingName) => found.has(name);
  const { warnings, ...keys } = resolveKeys(values, sources.readKeyFile);
  Object.assign(values, { SIGNING_KEY: keys.SIGNING_KEY, VERIFYING_KEY: keys.VERIFYING_KEY });
  problems.push(...keys.problems, ...findConflicts(values, isSet));
  if (problems.length > 0) throw new SettingsError(problems);
  const origins = SETTING_NAMES.map((name) => [name, found.get(name)?.origin ?? 'default']);
  return Object.freeze({
    settings: Object.freeze(values as Settings),
    origins: Object.freeze(Object.fromEntries(origins)),
    warnings: Object.freeze(warnings),
  });
}

function findSource(name: SettingName, fromEnvironment = '', fromDotenv = ''): Source | undefined {
  const row: SettingRow = SETTING_ROWS[name];
  // Blanks may be part of a key, but are no key by themselves.
  const tidy = (text: string) => (row.secret && text.trim() !== '' ? text : text.trim());
  if (tidy(fromEnvironment)) return { text: tidy(fromEnvironment), origin: 'environment' };
  if (tidy(fromDotenv)) return { text: tidy(fromDotenv), origin: '.env file' };
  return typeof row.default === 'string' ? { text: row.default, origin: 'default' } : undefined;
}

/** The values of all texts that their types take; of the others, why not goes to `problems`. */
function parseAll(found: ReadonlyMap<SettingName, Source>, problems: string[]) {
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const [name, { text }] of found) {
    try {
      const value = SETTING_ROWS[name].type.parse(text);
      values[name] = Array.isArray(value) ? deepFrozen(value) : value;
    } catch (error) {
      if (!(error instanceof RefusedValue)) throw error;
      problems.push(...explainRefusal(name, text, error.reasons));
    }
  }
  return values as { -readonly [Name in SettingName]?: Settings[Name] };
}

function deepFrozen(items: readonly unknown[]) {
  for (const item of items) Object.freeze(item);
  return Object.freeze(items);
}

function explainRefusal(name: SettingName, text: string, reasons: readonly string[]): string[] {
  if (reasons.length > 0) return reasons.map((reason) => `${name}: ${reason}`);
  const { type, secret }: SettingRow = SETTING_ROWS[name];
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  return [`${name} takes ${type.takes}${secret ? '' : `, not ${shown}`}`];
}

export interface SettingDescription {
  name: SettingName;
  /** As one would write it; a secret is masked, and nothing is the empty text. */
  value: string;
  origin: Origin;
  help: string;
}

/** Every setting in the order of the rows, for people to read. */
export function describeSettings({ settings, origins }: LoadedSettings): SettingDescription[] {
  return SETTING_NAMES.map((name) => {
    const { type, help }: SettingRow = SETTING_ROWS[name];
    return { name, value: type.show(settings[name]), origin: origins[name], help };
  });
}
