import { choice, type SettingType } from './types.ts';

/** Django's hashers by their class, and the algorithm that stands before the first `$` of what each of them makes. */
const ALGORITHMS = {
  PBKDF2PasswordHasher: 'pbkdf2_sha256',
  PBKDF2SHA1PasswordHasher: 'pbkdf2_sha1',
  Argon2PasswordHasher: 'argon2',
  BCryptSHA256PasswordHasher: 'bcrypt_sha256',
  BCryptPasswordHasher: 'bcrypt',
  ScryptPasswordHasher: 'scrypt',
} as const;

export type HasherName = (typeof ALGORITHMS)[keyof typeof ALGORITHMS];

const names = choice(...Object.values(ALGORITHMS));

/** An algorithm's name, or Django's class for it as a dotted path, of which the last part counts. */
export const hasherName: SettingType<HasherName> = {
  ...names,
  parse(text) {
    const className = text.slice(text.lastIndexOf('.') + 1);
    return names.parse(
      Object.hasOwn(ALGORITHMS, className) ? ALGORITHMS[className as keyof typeof ALGORITHMS] : text,
    );
  },
};
