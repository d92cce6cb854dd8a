/** One thing that may be told of a stored hash: what it is, and its value. */
export interface PasswordDetail {
  label: string;
  value: string;
}

/** What may be told of a stored password. Where there is nothing to tell, the message says why. */
export interface PasswordSummary {
  /** Whether anybody can log in with a password. */
  usable: boolean;
  details: readonly PasswordDetail[];
  message: string | null;
}

/** The salt and the hash itself, which are told in part only. */
const MASKED: ReadonlySet<string> = new Set(['salt', 'hash', 'checksum']);

/** What a part is that a hash may leave out: before Argon2 had a version 19, it did not tell its version. */
const NOT_TOLD: Readonly<Record<string, string>> = { version: '16' };

/** How many characters of a masked part are shown. */
const SHOWN = 6;

/** The formats of Django's hashers, the parts named and in the order of its `safe_summary`. */
const FORMATS: readonly { labels: readonly string[]; pattern: RegExp }[] = [
  {
    labels: ['algorithm', 'iterations', 'salt', 'hash'],
    pattern:
      /^(?<algorithm>pbkdf2_sha256|pbkdf2_sha1)\$(?<iterations>\d+)\$(?<salt>[^$]+)\$(?<hash>[A-Za-z0-9+/=]+)$/,
  },
  {
    labels: ['algorithm', 'variety', 'version', 'memory cost', 'time cost', 'parallelism', 'salt', 'hash'],
    pattern:
      /^(?<algorithm>argon2)\$(?<variety>argon2\w+)\$(?:v=(?<version>\d+)\$)?m=(?<memory_cost>\d+),t=(?<time_cost>\d+),p=(?<parallelism>\d+)\$(?<salt>[A-Za-z0-9+/=]+)\$(?<hash>[A-Za-z0-9+/=]+)$/,
  },
  {
    labels: ['algorithm', 'work factor', 'salt', 'checksum'],
    pattern:
      /^(?<algorithm>bcrypt_sha256|bcrypt)\$\$2[aby]\$(?<work_factor>\d\d)\$(?<salt>[./A-Za-z0-9]{22})(?<checksum>[./A-Za-z0-9]{31})$/,
  },
  {
    labels: ['algorithm', 'work factor', 'block size', 'parallelism', 'salt', 'hash'],
    pattern:
      /^(?<algorithm>scrypt)\$(?<work_factor>\d+)\$(?<salt>[^$]+)\$(?<block_size>\d+)\$(?<parallelism>\d+)\$(?<hash>[A-Za-z0-9+/=]+)$/,
  },
];

/** What Django's change form shows of a stored password: never enough to try others on. */
export function summarizePassword(stored: string): PasswordSummary {
  if (!isUsablePassword(stored)) return { usable: false, details: [], message: 'No password set.' };
  for (const { labels, pattern } of FORMATS) {
    const parts = pattern.exec(stored)?.groups;
    if (parts === undefined) continue;
    return { usable: true, details: labels.map((label) => detail(label, parts)), message: null };
  }
  const message = 'Invalid password format or unknown hashing algorithm.';
  return { usable: true, details: [], message };
}

/** Whether a stored password is none: Django's mark of an unusable one, or nothing at all. */
export function isUsablePassword(stored: string): boolean {
  return stored !== '' && !stored.startsWith('!');
}

function detail(label: string, parts: Readonly<Record<string, string>>): PasswordDetail {
  const part = parts[label.replace(' ', '_')] ?? NOT_TOLD[label] ?? '';
  return { label, value: MASKED.has(label) ? masked(part) : part };
}

/** Django's `mask_hash`. */
function masked(text: string): string {
  return text.slice(0, SHOWN) + '*'.repeat(Math.max(0, text.length - SHOWN));
}
