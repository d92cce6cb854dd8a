import type { UserRow } from '../../db/tables.ts';
import { isCommonPassword } from './common-passwords.ts';
import { quickRatio } from './similarity.ts';

/** What of a user a password may not be like. */
export type PasswordOwner = Partial<Pick<UserRow, 'username' | 'first_name' | 'last_name' | 'email'>>;

interface PasswordValidator {
  helpText: string;
  /** The complaint, or null when there is none. */
  validate(password: string, owner: PasswordOwner): string | null | Promise<string | null>;
}

const MIN_LENGTH = 8;
const MAX_SIMILARITY = 0.7;

const OWNER_FIELDS = [
  ['username', 'username'],
  ['first_name', 'first name'],
  ['last_name', 'last name'],
  ['email', 'email address'],
] as const;

/** What Python's `str.isdigit` takes: decimal digits, and digits raised, lowered, circled or in brackets. */
const ONLY_DIGITS =
  /^[\p{Nd}\u{b2}\u{b3}\u{b9}\u{1369}-\u{1371}\u{19da}\u{2070}\u{2074}-\u{2079}\u{2080}-\u{2089}\u{2460}-\u{2468}\u{2474}-\u{247c}\u{2488}-\u{2490}\u{24ea}\u{24f5}-\u{24fd}\u{24ff}\u{2776}-\u{277e}\u{2780}-\u{2788}\u{278a}-\u{2792}\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]+$/u;

/** Django's four, in the order of the settings file that `startproject` writes. */
const VALIDATORS: readonly PasswordValidator[] = [
  {
    helpText: 'Your password can’t be too similar to your other personal information.',
    validate: similarityComplaint,
  },
  {
    helpText: `Your password must contain at least ${MIN_LENGTH} characters.`,
    validate: (password) =>
      [...password].length < MIN_LENGTH
        ? `This password is too short. It must contain at least ${MIN_LENGTH} characters.`
        : null,
  },
  {
    helpText: 'Your password can’t be a commonly used password.',
    validate: async (password) =>
      (await isCommonPassword(password)) ? 'This password is too common.' : null,
  },
  {
    helpText: 'Your password can’t be entirely numeric.',
    validate: (password) => (ONLY_DIGITS.test(password) ? 'This password is entirely numeric.' : null),
  },
];

/** What a form says beside a new password. */
export const PASSWORD_HELP_TEXTS: readonly string[] = VALIDATORS.map((validator) => validator.helpText);

/**
 * Every complaint about a new password, in the words of Django's `password_validation.py`; none when it is good.
 *
 * @param owner whose password it will be; without one its likeness to a person is not looked at
 */
export async function validatePassword(password: string, owner: PasswordOwner = {}): Promise<string[]> {
  const complaints = await Promise.all(VALIDATORS.map((validator) => validator.validate(password, owner)));
  return complaints.filter((complaint) => complaint !== null);
}

function similarityComplaint(password: string, owner: PasswordOwner): string | null {
  const lowered = password.toLowerCase();
  for (const [field, label] of OWNER_FIELDS) {
    const value = owner[field]?.toLowerCase();
    if (!value) continue;
    const parts = [...value.split(/[^\p{L}\p{N}_]+/u), value];
    if (parts.some((part) => isTooSimilar(lowered, part)))
      return `The password is too similar to the ${label}.`;
  }
  return null;
}

function isTooSimilar(password: string, part: string): boolean {
  return !exceedsLengthRatio(password, part) && quickRatio(password, part) >= MAX_SIMILARITY;
}

/** Ten times as long as the part, a password cannot come near the limit: Django spares itself the comparison. */
function exceedsLengthRatio(password: string, part: string): boolean {
  const passwordLength = [...password].length;
  const partLength = [...part].length;
  return passwordLength >= 10 * partLength && partLength < (MAX_SIMILARITY / 2) * passwordLength;
}
