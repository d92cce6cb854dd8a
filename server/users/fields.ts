import { isIP } from 'node:net';
import { PASSWORD_MAX_LENGTH } from './hashers.ts';

const USERNAME_MAX_LENGTH = 150;
const NAME_MAX_LENGTH = 150;
const EMAIL_MAX_LENGTH = 254;

const USERNAME = /^[\p{L}\p{N}_.@+-]+$/u;

const EMAIL_USER =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 5322 allows them in a quoted local part.
  /^(?:[-!#$%&'*+/=?^_`{}|~0-9a-z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9a-z]+)*|"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*")$/i;

const EMAIL_DOMAIN =
  /^[a-z\u00a1-\uffff0-9](?:[a-z\u00a1-\uffff0-9-]{0,61}[a-z\u00a1-\uffff0-9])?(?:\.(?!-)[a-z\u00a1-\uffff0-9-]{1,63}(?<!-))*\.(?!-)(?:[a-z\u00a1-\uffff-]{2,63}|xn--[a-z0-9]{1,59})(?<!-)$/i;

/** One spelling of each name, as Django's `AbstractBaseUser.normalize_username`. */
export function normalizeUsername(username: string): string {
  return username.normalize('NFKC');
}

/** Lower-cases the domain, which alone is sure to ignore case, as Django's `BaseUserManager.normalize_email`. */
export function normalizeEmail(email: string): string {
  const trimmed = email.trim();
  const at = trimmed.lastIndexOf('@');
  return at < 0 ? email : trimmed.slice(0, at + 1) + trimmed.slice(at + 1).toLowerCase();
}

/** Complaints about a normalized username, in Django's words; none when it is good. */
export function usernameComplaints(username: string): string[] {
  if (username === '') return ['This field cannot be blank.'];
  return [
    ...(USERNAME.test(username)
      ? []
      : ['Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.']),
    ...lengthComplaints(username, USERNAME_MAX_LENGTH),
  ];
}

/** Complaints about a first or last name, in Django's words. None is required. */
export function nameComplaints(name: string): string[] {
  return [
    ...(name.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...lengthComplaints(name, NAME_MAX_LENGTH),
  ];
}

/** Complaints about an e-mail address, in Django's words. None is required, so an empty one is good. */
export function emailComplaints(email: string): string[] {
  if (email === '') return [];
  return [
    ...(isEmail(email) ? [] : ['Enter a valid email address.']),
    ...lengthComplaints(email, EMAIL_MAX_LENGTH),
  ];
}

/** Complaints about a password that no hasher should be given; whether it is a good one, the validators say. */
export function passwordComplaints(password: string): string[] {
  return [
    ...(password.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...lengthComplaints(password, PASSWORD_MAX_LENGTH),
  ];
}

/** Complaints about a text of more characters than a column holds, in Django's words. */
export function lengthComplaints(value: string, limit: number): string[] {
  const length = [...value].length;
  return length > limit ? [`Ensure this value has at most ${limit} characters (it has ${length}).`] : [];
}

/** Django's `EmailValidator`. */
function isEmail(email: string): boolean {
  const at = email.lastIndexOf('@');
  if (at < 0 || email.length > 320) return false;
  const domain = email.slice(at + 1);
  if (!EMAIL_USER.test(email.slice(0, at))) return false;
  return domain === 'localhost' || EMAIL_DOMAIN.test(domain) || isAddressLiteral(domain);
}

function isAddressLiteral(domain: string): boolean {
  const address = /^\[([a-f0-9:.]+)\]$/i.exec(domain)?.[1];
  return address !== undefined && isIP(address) !== 0;
}
