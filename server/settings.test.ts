import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretKeyError } from './settings/secret-key.ts';
import { describeSettings, loadSettings, SETTING_NAMES, SETTING_ROWS, SettingsError } from './settings.ts';

const MADE = 'm'.repeat(86);
const RANDOM = 'q7Zk-2vX_9bTf4LwYc8NsHd1RgUaJe6M';

interface Given {
  env?: Record<string, string | undefined>;
  dotenv?: string;
  readOrMakeSecretKey?: () => string;
}

const load = ({ env = {}, dotenv, readOrMakeSecretKey = () => MADE }: Given = {}) =>
  loadSettings({ env, dotenv, readOrMakeSecretKey });

function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

test('the defaults are those of SimpleJWT', () => {
  assert.deepEqual(load().settings, {
    ACCESS_TOKEN_LIFETIME: 300,
    REFRESH_TOKEN_LIFETIME: 86_400,
    SLIDING_TOKEN_LIFETIME: 300,
    SLIDING_TOKEN_REFRESH_LIFETIME: 86_400,
    SLIDING_TOKEN_REFRESH_EXP_CLAIM: 'refresh_exp',
    ROTATE_REFRESH_TOKENS: false,
    BLACKLIST_AFTER_ROTATION: false,
    UPDATE_LAST_LOGIN: false,
    ALGORITHM: 'HS256',
    SIGNING_KEY: MADE,
    VERIFYING_KEY: null,
    JWK_URL: null,
    KEY_RING: false,
    KEY_ROTATION_INTERVAL: 0,
    AUDIENCE: [],
    ISSUER: null,
    LEEWAY: 0,
    AUTH_HEADER_TYPES: ['Bearer'],
    AUTH_HEADER_NAME: 'HTTP_AUTHORIZATION',
    USER_ID_FIELD: 'id',
    USER_ID_CLAIM: 'user_id',
    TOKEN_TYPE_CLAIM: 'token_type',
    JTI_CLAIM: 'jti',
    AUTH_TOKEN_CLASSES: ['AccessToken'],
    CHECK_REVOKE_TOKEN: false,
    REVOKE_TOKEN_CLAIM: 'hash_password',
    REFRESH_TOKEN_GRACE_PERIOD: 0,
    REVOKE_SESSION_ON_REUSE: false,
    SESSION_MAX_LIFETIME: 0,
    CHECK_SESSION: false,
    CHECK_USER_IS_ACTIVE: true,
    TOKEN_CLAIMS: [],
    HOST: '127.0.0.1',
    PORT: 8000,
    WORKERS: 1,
    SHUTDOWN_DELAY: 0,
    DATABASE_URL: 'sqlite:./data/jotgate.sqlite3',
    DATABASE_POOL_SIZE: 10,
    SECRET_KEY: MADE,
    LOGIN_FAILURES_PER_ACCOUNT: 10,
    LOGIN_FAILURES_PER_ADDRESS: 100,
    LOGIN_FAILURE_WINDOW: 900,
    AUTH_COOKIE: null,
    TRUST_PROXY: [],
    ADMIN_SESSION_IDLE_TIMEOUT: 3_600,
    ADMIN_SESSION_LIFETIME: 43_200,
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    HISTORY_LIFETIME: 7_776_000,
    FLUSH_INTERVAL: 3_600,
    PASSWORD_HASHERS: ['bcrypt_sha256', 'pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt', 'scrypt'],
    BCRYPT_ROUNDS: 12,
  });
});

test('settings are frozen, their lists and the items of these as well', () => {
  const { settings, origins } = load({ env: { TOKEN_CLAIMS: 'tenant=acme' } });
  for (const part of [
    settings,
    origins,
    settings.AUTH_HEADER_TYPES,
    settings.TOKEN_CLAIMS,
    settings.TOKEN_CLAIMS[0],
  ]) {
    assert.ok(Object.isFrozen(part));
  }
});

const sources: { what: string; given: Given; port: number; origin: string }[] = [
  { what: 'nothing', given: {}, port: 8000, origin: 'default' },
  { what: 'an empty environment variable', given: { env: { PORT: ' ' } }, port: 8000, origin: 'default' },
  { what: 'an empty line of the .env file', given: { dotenv: 'PORT=' }, port: 8000, origin: 'default' },
  { what: 'the .env file', given: { dotenv: 'PORT=1' }, port: 1, origin: '.env file' },
  { what: 'the environment', given: { env: { PORT: ' 2 ' } }, port: 2, origin: 'environment' },
  {
    what: 'the environment over the .env file',
    given: { env: { PORT: '2' }, dotenv: 'PORT=1' },
    port: 2,
    origin: 'environment',
  },
  {
    what: 'the .env file where the environment is empty',
    given: { env: { PORT: '' }, dotenv: 'PORT=1' },
    port: 1,
    origin: '.env file',
  },
];

for (const { what, given, port, origin } of sources) {
  test(`a setting from ${what}`, () => {
    const { settings, origins } = load(given);
    assert.deepEqual([settings.PORT, origins.PORT], [port, origin]);
  });
}

const secrets: { what: string; given: Given; secret: [string, string]; signing: [string, string] }[] = [
  { what: 'none', given: {}, secret: [MADE, 'data/secret_key'], signing: [MADE, 'default'] },
  {
    what: 'none in tests',
    given: { env: { NODE_ENV: 'test' } },
    secret: [MADE, 'data/secret_key'],
    signing: [MADE, 'default'],
  },
  {
    what: 'a blank one',
    given: { env: { SECRET_KEY: '  ' } },
    secret: [MADE, 'data/secret_key'],
    signing: [MADE, 'default'],
  },
  {
    what: 'SECRET_KEY',
    given: { env: { SECRET_KEY: 'a' } },
    secret: ['a', 'environment'],
    signing: ['a', 'default'],
  },
  {
    what: 'SECRET_KEY with blanks',
    given: { dotenv: 'SECRET_KEY=" a "' },
    secret: [' a ', '.env file'],
    signing: [' a ', 'default'],
  },
  {
    what: 'SIGNING_KEY',
    given: { dotenv: 'SIGNING_KEY=s' },
    secret: [MADE, 'data/secret_key'],
    signing: ['s', '.env file'],
  },
];

for (const { what, given, secret, signing } of secrets) {
  test(`of secrets, ${what} given`, () => {
    const { settings, origins } = load(given);
    assert.deepEqual([settings.SECRET_KEY, origins.SECRET_KEY], secret);
    assert.deepEqual([settings.SIGNING_KEY, origins.SIGNING_KEY], signing);
  });
}

test('no key is made when one is given, in production, or when NODE_ENV is wrong', () => {
  for (const env of [{ SECRET_KEY: 'a' }, { NODE_ENV: 'production' }, { NODE_ENV: 'prod' }]) {
    problemsOf({ env, readOrMakeSecretKey: () => assert.fail('a key was made') });
  }
});

const newKey = `to make one, run: node -p "crypto.randomBytes(64).toString('base64url')"`;
const guessable = (name: string) =>
  `${name} is a text that others use or can guess; in production it must be random; ${newKey}`;

const refusals: { what: string; env: Record<string, string>; problems: string[] }[] = [
  {
    what: 'every wrong value at once',
    env: { ACCESS_TOKEN_LIFETIME: '-5m', PORT: '70000', ROTATE_REFRESH_TOKENS: 'yes', ALGORITHM: 'none' },
    problems: [
      'ACCESS_TOKEN_LIFETIME takes a time from 1s to 36500d, such as 300 (seconds), 90s, 5m, 12h or 1d, not "-5m"',
      'ROTATE_REFRESH_TOKENS takes true or false, not "yes"',
      'ALGORITHM takes HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or ' +
        'EdDSA, not "none"',
      'PORT takes a whole number from 0 to 65535, not "70000"',
    ],
  },
  {
    what: 'a long value, cut and on one line',
    env: { HOST: `a\n${'b'.repeat(100)}` },
    problems: [
      `HOST takes an IP address or a host name, such as 127.0.0.1, 0.0.0.0, :: or localhost, not "a\\n${'b'.repeat(58)}…"`,
    ],
  },
  {
    what: 'another database, its password unseen',
    env: { DATABASE_URL: 'mysql://u:hush@h/d' },
    problems: [
      'DATABASE_URL: It takes sqlite: and the path of a file, such as sqlite:./data/jotgate.sqlite3, or ' +
        'postgres://user:password@host:5432/database',
    ],
  },
  {
    what: 'Postgres at no address, its password unseen',
    env: { DATABASE_URL: 'postgres://u:hush@h:port/d' },
    problems: [
      'DATABASE_URL: It takes sqlite: and the path of a file, such as sqlite:./data/jotgate.sqlite3, or ' +
        'postgres://user:password@host:5432/database',
    ],
  },
  {
    what: 'keys of other algorithms, unseen',
    env: { SECRET_KEY: '-----BEGIN hush', SIGNING_KEY: '{"kty":"oct","k":"hush"}' },
    problems: [
      'SECRET_KEY: It takes a random text, and this is a key or certificate in PEM',
      'SIGNING_KEY: It takes a random text, and this is a JSON Web Key',
    ],
  },
  {
    what: 'registered claims',
    env: { USER_ID_CLAIM: 'exp', JTI_CLAIM: 'sub' },
    problems: [
      'USER_ID_CLAIM takes the name of a claim, but none of iss, aud, exp, nbf, iat, jti, sid, not "exp"',
      'JTI_CLAIM takes the name of a claim, but none of iss, sub, aud, exp, nbf, iat, sid, not "sub"',
    ],
  },
  {
    what: 'one claim for two uses',
    env: { USER_ID_CLAIM: 'id', JTI_CLAIM: 'id', REVOKE_TOKEN_CLAIM: 'refresh_exp' },
    problems: [
      'JTI_CLAIM and USER_ID_CLAIM must differ, but both are "id"',
      'REVOKE_TOKEN_CLAIM and SLIDING_TOKEN_REFRESH_EXP_CLAIM must differ, but both are "refresh_exp"',
    ],
  },
  {
    what: 'token claims that the server writes',
    env: { USER_ID_CLAIM: 'uid', TOKEN_CLAIMS: 'user_id=$id,uid=$id,refresh_exp=1,exp=1' },
    problems: ['TOKEN_CLAIMS: It never sets exp, as the server itself gives that claim its meaning'],
  },
  {
    what: 'token claims that another setting names',
    env: { USER_ID_CLAIM: 'uid', TOKEN_CLAIMS: 'user_id=$id,uid=$id,refresh_exp=1' },
    problems: [
      'TOKEN_CLAIMS: The claim "uid" is in use by USER_ID_CLAIM',
      'TOKEN_CLAIMS: The claim "refresh_exp" is in use by SLIDING_TOKEN_REFRESH_EXP_CLAIM',
    ],
  },
  {
    what: 'production without a secret',
    env: { NODE_ENV: 'production', BCRYPT_ROUNDS: '11' },
    problems: [
      `SECRET_KEY must be set in production; ${newKey}`,
      'BCRYPT_ROUNDS must be at least 12 in production, and is 11',
    ],
  },
  {
    what: 'several processes that would each have a database of their own',
    env: { WORKERS: '2', DATABASE_URL: 'sqlite::memory:' },
    problems: ['WORKERS must be 1 with a database in memory, and is 2'],
  },
  {
    what: 'production with a blank secret',
    env: { NODE_ENV: 'production', SECRET_KEY: '   ', SIGNING_KEY: RANDOM },
    problems: [`SECRET_KEY must be set in production; ${newKey}`],
  },
  {
    what: 'production with a PEM',
    env: { NODE_ENV: 'production', SECRET_KEY: '-----BEGIN hush' },
    problems: ['SECRET_KEY: It takes a random text, and this is a key or certificate in PEM'],
  },
  {
    what: 'production with two weak secrets',
    env: { NODE_ENV: 'production', SECRET_KEY: 'hush-1234', SIGNING_KEY: 'changeme' },
    problems: [
      `SECRET_KEY must have at least 32 bytes in production, and has 9; ${newKey}`,
      guessable('SIGNING_KEY'),
    ],
  },
  ...Object.entries({ HS256: 32, HS384: 48, HS512: 64 }).map(([algorithm, bytes]) => ({
    what: `production with a secret too short for ${algorithm}`,
    env: { NODE_ENV: 'production', ALGORITHM: algorithm, SECRET_KEY: RANDOM.repeat(2).slice(0, bytes - 1) },
    problems: [
      `SECRET_KEY must have at least ${bytes} bytes in production for ${algorithm}, and has ${bytes - 1}; ${newKey}`,
    ],
  })),
];

for (const { what, env, problems } of refusals) {
  test(`refused: ${what}`, () => {
    const found = problemsOf({ env });
    assert.deepEqual(found, problems);
    assert.doesNotMatch(found.join(), /hush|[\n\r]/);
  });
}

const GUESSABLE = [
  'secret',
  'changeme',
  'Change-Me-please-0123456789-abcdefghijk',
  'django-insecure-q7Zk2vX9bTf4LwYc8NsHd1RgUaJe6M0123456789abcdef',
  'your-256-bit-secret-0123456789-0123456789',
  'a-string-secret-at-least-256-bits-long',
  'secretsecretsecretsecretsecretsecretsecret',
  'my_super_secret_jwt_token_key_123_secret',
  'x'.repeat(100),
  'abcd'.repeat(30),
];

test('production refuses what others use or can guess, whatever its length', () => {
  for (const SECRET_KEY of GUESSABLE) {
    assert.deepEqual(problemsOf({ env: { NODE_ENV: 'production', SECRET_KEY } }), [guessable('SECRET_KEY')]);
  }
});

test('elsewhere than in production weak secrets and cheap hashing are taken', () => {
  for (const SECRET_KEY of GUESSABLE)
    assert.deepEqual(problemsOf({ env: { SECRET_KEY, BCRYPT_ROUNDS: '4' } }), []);
});

test('production starts with keys of just enough bytes', () => {
  for (const [ALGORITHM, bytes] of Object.entries({ HS256: 32, HS384: 48, HS512: 64 })) {
    const key = RANDOM.repeat(2).slice(0, bytes);
    assert.deepEqual(problemsOf({ env: { NODE_ENV: 'production', ALGORITHM, SECRET_KEY: key } }), []);
    const env = { NODE_ENV: 'production', ALGORITHM, SECRET_KEY: RANDOM, SIGNING_KEY: key };
    assert.deepEqual(problemsOf({ env }), []);
  }
  const accented = `${RANDOM.slice(0, 30)}é`;
  assert.deepEqual(problemsOf({ env: { NODE_ENV: 'production', SECRET_KEY: accented } }), []);
});

test('unknown names are refused in the .env file alone, with the other complaints', () => {
  const given = { env: { JOT_HOST: 'x', PORT: 'x' }, dotenv: 'ISUER=x\n' };
  assert.deepEqual(problemsOf(given), [
    'ISUER in the .env file is no setting: is ISSUER meant?',
    'PORT takes a whole number from 0 to 65535, not "x"',
  ]);
});

test('a key that cannot be made is one complaint among the others, and any other fault is not hidden', () => {
  const unwritable = () => {
    throw new SecretKeyError('The folder is not writable');
  };
  assert.deepEqual(problemsOf({ env: { PORT: 'x' }, readOrMakeSecretKey: unwritable }), [
    'The folder is not writable',
    'PORT takes a whole number from 0 to 65535, not "x"',
  ]);
  const faulty = () => {
    throw new TypeError('fault');
  };
  assert.throws(() => load({ readOrMakeSecretKey: faulty }), TypeError);
});

test('SettingsError has a line for every problem', () => {
  assert.throws(() => load({ env: { PORT: 'x', BCRYPT_ROUNDS: '3' } }), {
    name: 'SettingsError',
    message:
      'PORT takes a whole number from 0 to 65535, not "x"\nBCRYPT_ROUNDS takes a whole number from 4 to 20, not "3"',
  });
});

test('a description of every setting shows no secret', () => {
  const env = {
    SIGNING_KEY: 'hush',
    AUDIENCE: 'a, b',
    TOKEN_CLAIMS: 'email=$email',
    DATABASE_URL: 'sqlite:///u:hush@x',
  };
  const rows = describeSettings(load({ env, dotenv: 'LEEWAY=90' }));
  assert.deepEqual(
    rows.map(({ name }) => name),
    SETTING_NAMES,
  );
  assert.doesNotMatch(JSON.stringify(rows), /hush|mmm/);
  const shown = (name: string) => {
    const row = rows.find((candidate) => candidate.name === name);
    return [row?.value, row?.origin];
  };
  assert.deepEqual(shown('SIGNING_KEY'), ['******** (4 characters)', 'environment']);
  assert.deepEqual(shown('SECRET_KEY'), ['******** (86 characters)', 'data/secret_key']);
  assert.deepEqual(shown('DATABASE_URL'), ['sqlite:///u:********@x', 'environment']);
  assert.deepEqual(shown('AUDIENCE'), ['a,b', 'environment']);
  assert.deepEqual(shown('TOKEN_CLAIMS'), ['email=$email', 'environment']);
  assert.deepEqual(shown('LEEWAY'), ['90s', '.env file']);
  assert.deepEqual(shown('ACCESS_TOKEN_LIFETIME'), ['5m', 'default']);
  assert.deepEqual(shown('ISSUER'), ['', 'default']);
});

test('every setting has a help text and a default that its type takes', () => {
  for (const [name, row] of Object.entries(SETTING_ROWS)) {
    assert.match(row.help, /^\S.+\.$/, name);
    if (typeof row.default === 'string') assert.doesNotThrow(() => row.type.parse(row.default), name);
  }
});
