import type { Settings } from '../../settings.ts';
import { argon2Hasher } from './argon2.ts';
import { bcryptHasher, bcryptSha256Hasher } from './bcrypt.ts';
import type { Hasher } from './hasher.ts';
import { pbkdf2Hasher } from './pbkdf2.ts';
import { scryptHasher } from './scrypt.ts';

/** The settings that say how passwords are hashed. */
export type HashingSettings = Pick<Settings, 'PASSWORD_HASHERS' | 'BCRYPT_ROUNDS'>;

/** The algorithm that stands before the first `$` of a stored hash. */
export type HasherName = HashingSettings['PASSWORD_HASHERS'][number];

/** Every hasher there is. */
const HASHERS: Readonly<Record<HasherName, (settings: HashingSettings) => Hasher>> = {
  pbkdf2_sha256: () => SHA256,
  pbkdf2_sha1: () => SHA1,
  argon2: () => argon2Hasher,
  bcrypt_sha256: ({ BCRYPT_ROUNDS }) => bcryptSha256Hasher(BCRYPT_ROUNDS),
  bcrypt: ({ BCRYPT_ROUNDS }) => bcryptHasher(BCRYPT_ROUNDS),
  scrypt: () => scryptHasher,
};

const SHA256 = pbkdf2Hasher('sha256');
const SHA1 = pbkdf2Hasher('sha1');

export interface NamedHasher {
  name: HasherName;
  hasher: Hasher;
}

/** The first hasher of the settings that takes a password whole; null where none does. */
export function hasherFor(password: string, settings: HashingSettings): NamedHasher | null {
  for (const name of settings.PASSWORD_HASHERS) {
    const hasher = HASHERS[name](settings);
    if (hasher.takes(password)) return { name, hasher };
  }
  return null;
}

/** The hasher that made a stored hash, if it is among those of the settings. Django's `identify_hasher`. */
export function hasherOf(stored: string, settings: HashingSettings): NamedHasher | null {
  const algorithm = stored.slice(0, Math.max(0, stored.indexOf('$')));
  const name = settings.PASSWORD_HASHERS.find((candidate) => candidate === algorithm);
  return name === undefined ? null : { name, hasher: HASHERS[name](settings) };
}

/** The hasher of new passwords, even of one that it would cut: for work of which nothing is kept. */
export function preferredHasher(settings: HashingSettings): Hasher {
  return HASHERS[settings.PASSWORD_HASHERS[0] ?? 'bcrypt_sha256'](settings);
}
