import { randomInt } from 'node:crypto';

/** Django's RANDOM_STRING_CHARS. */
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** As short as 128 bits of entropy can be in these letters: Django's `BasePasswordHasher.salt`. */
const SALT_LENGTH = 22;

export function newSalt(): string {
  return randomLetters(SALT_LENGTH);
}

/** Whether a salt has as many characters as a new one. Django's `must_update_salt` counts likewise. */
export function isLongSalt(length: number): boolean {
  return length >= SALT_LENGTH;
}

/** Django's `get_random_string`. */
export function randomLetters(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
