import type { SettingName, Settings } from '../settings.ts';
import { shortestSecret } from './algorithms.ts';

type IsSet = (name: SettingName) => boolean;

/** Settings of which each is right by itself; those that were refused are missing. */
type Values = Partial<Settings>;

/** The settings that name a claim which the server itself writes. */
const CLAIM_NAMES = [
  'USER_ID_CLAIM',
  'TOKEN_TYPE_CLAIM',
  'JTI_CLAIM',
  'SLIDING_TOKEN_REFRESH_EXP_CLAIM',
  'REVOKE_TOKEN_CLAIM',
] as const satisfies SettingName[];

const HOW_TO_MAKE_A_KEY = `to make one, run: node -p "crypto.randomBytes(64).toString('base64url')"`;

const RULES: readonly ((values: Values, isSet: IsSet) => string[])[] = [
  findSharedClaims,
  findTakenClaims,
  findMissingSecret,
  findWeakSecrets,
  findCheapHashing,
  findIdleRotation,
  findUnsharedDatabase,
];

/** What is wrong with the settings together: a line each, without secrets. */
export function findConflicts(values: Values, isSet: IsSet): string[] {
  return RULES.flatMap((find) => find(values, isSet));
}

function findSharedClaims(values: Values): string[] {
  return CLAIM_NAMES.flatMap((name, index) => {
    const other = CLAIM_NAMES.slice(0, index).find((earlier) => values[earlier] === values[name]);
    if (other === undefined || values[name] === undefined) return [];
    return [`${name} and ${other} must differ, but both are ${JSON.stringify(values[name])}`];
  });
}

function findTakenClaims(values: Values): string[] {
  return (values.TOKEN_CLAIMS ?? []).flatMap(({ claim }) => {
    const name = CLAIM_NAMES.find((candidate) => values[candidate] === claim);
    return name ? [`TOKEN_CLAIMS: The claim ${JSON.stringify(claim)} is in use by ${name}`] : [];
  });
}

/** Not even with a SIGNING_KEY: what is not a token is signed with SECRET_KEY. */
function findMissingSecret({ NODE_ENV }: Values, isSet: IsSet): string[] {
  if (NODE_ENV !== 'production' || isSet('SECRET_KEY')) return [];
  return [`SECRET_KEY must be set in production; ${HOW_TO_MAKE_A_KEY}`];
}

function findWeakSecrets(values: Values, isSet: IsSet): string[] {
  if (values.NODE_ENV !== 'production') return [];
  const signsWithSecret = values.ALGORITHM === undefined || shortestSecret(values.ALGORITHM) !== null;
  const hasTwo = isSet('SIGNING_KEY') && signsWithSecret;
  const names = hasTwo ? (['SECRET_KEY', 'SIGNING_KEY'] as const) : (['SECRET_KEY'] as const);
  return names.flatMap((name) => {
    const key = values[name];
    if (!key) return [];
    if (isGuessable(key)) {
      return [
        `${name} is a text that others use or can guess; in production it must be random; ${HOW_TO_MAKE_A_KEY}`,
      ];
    }
    const signsTokens = name === names.at(-1) && signsWithSecret && !values.KEY_RING;
    const algorithm = signsTokens ? values.ALGORITHM : undefined;
    const shortest = shortestSecret(algorithm ?? 'HS256') ?? 0;
    const length = Buffer.byteLength(key);
    if (length >= shortest) return [];
    const purpose = algorithm ? `in production for ${algorithm}` : 'in production';
    return [
      `${name} must have at least ${shortest} bytes ${purpose}, and has ${length}; ${HOW_TO_MAKE_A_KEY}`,
    ];
  });
}

/**
 * Django's marks of an insecure SECRET_KEY (django.core.checks.security W009: its prefix, fewer than five different
 * characters), words of examples alone or repeated, and the examples of jwt.io.
 */
function isGuessable(key: string): boolean {
  const letters = key.toLowerCase().replace(/[^a-z0-9]/g, '');
  return (
    new Set(key).size < 5 ||
    /^djangoinsecure|change(me|this|it)|replace(me|this)|^your.*(secret|key)/.test(letters) ||
    /^((secret|key|password|default|example|test|jotgate|my|the|super|insecure|token|jwt)\d*)+$/.test(
      letters,
    ) ||
    /^astringsecretatleast\d+bitslong/.test(letters)
  );
}

function findCheapHashing({ NODE_ENV, BCRYPT_ROUNDS }: Values): string[] {
  if (NODE_ENV !== 'production' || BCRYPT_ROUNDS === undefined || BCRYPT_ROUNDS >= 12) return [];
  return [`BCRYPT_ROUNDS must be at least 12 in production, and is ${BCRYPT_ROUNDS}`];
}

function findIdleRotation({ KEY_RING, KEY_ROTATION_INTERVAL = 0 }: Values): string[] {
  if (KEY_RING !== false || KEY_ROTATION_INTERVAL === 0) return [];
  return ['KEY_ROTATION_INTERVAL is for the keys of a ring: set KEY_RING=true as well'];
}

/** In memory each process would have a database of its own. */
function findUnsharedDatabase({ DATABASE_URL, WORKERS = 1 }: Values): string[] {
  if (WORKERS === 1 || DATABASE_URL !== 'sqlite::memory:') return [];
  return [`WORKERS must be 1 with a database in memory, and is ${WORKERS}`];
}
