import type { SqlTime } from '../../../db/values.ts';
import {
  emailComplaints,
  lengthComplaints,
  nameComplaints,
  normalizeUsername,
  usernameComplaints,
} from '../fields.ts';
import { passwordFormat } from '../password-formats.ts';
import {
  type GroupReference,
  groupReference,
  type PermissionReference,
  permissionReference,
  splitNames,
} from './grant-references.ts';
import { isoToSqlTime } from './times.ts';

/** A value as it is stored, or why it cannot be; never with the value itself. */
export type Read<Value> = { value: Value } | { complaint: string };

/** Reads what stands in JSON or, as text, in a cell of CSV. What a dump says is taken if there is room for it. */
export type Reader<Value> = (value: unknown, isDump: boolean) => Read<Value>;

/** The lengths of Django's columns, in characters. */
const LENGTHS = { username: 150, email: 254, password: 128 };

/** As Django's BooleanField reads them, and as people write them. */
const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  '1': true,
  false: false,
  f: false,
  no: false,
  '0': false,
};

const NOT_TEXT = 'is no text';

export const readUsername: Reader<string> = (value, isDump) => {
  if (value === undefined) return { complaint: 'there is none' };
  if (typeof value !== 'string') return { complaint: NOT_TEXT };
  const username = normalizeUsername(value);
  if (!isDump) return checked(username, usernameComplaints(username));
  if (username.trim() === '') return { complaint: 'there is none' };
  // At a login, what is typed is trimmed.
  if (username.trim() !== username) return { complaint: 'has blanks around it, and could never log in' };
  return checked(username, storingComplaints(username, LENGTHS.username));
};

export const readPassword: Reader<string> = (value, isDump) => {
  if (typeof value !== 'string') return { complaint: NOT_TEXT };
  if (!isDump && passwordFormat(value) === 'unknown') {
    return {
      complaint:
        "is no hash of Django's; a password itself is not taken, but may be left out here and set later",
    };
  }
  return checked(value, storingComplaints(value, LENGTHS.password));
};

export const readName: Reader<string> = (value) =>
  typeof value === 'string' ? checked(value, nameComplaints(value)) : { complaint: NOT_TEXT };

export const readEmail: Reader<string> = (value, isDump) => {
  if (typeof value !== 'string') return { complaint: NOT_TEXT };
  return checked(value, isDump ? storingComplaints(value, LENGTHS.email) : emailComplaints(value));
};

export const readFlag: Reader<boolean> = (value) => {
  const word = String(value).trim().toLowerCase();
  const isWord = ['boolean', 'number', 'string'].includes(typeof value) && Object.hasOwn(FLAGS, word);
  return isWord ? { value: FLAGS[word] as boolean } : { complaint: 'is neither true nor false' };
};

export const readTime: Reader<SqlTime> = (value) => {
  const time = typeof value === 'string' ? isoToSqlTime(value) : null;
  return time === null ? { complaint: 'is no time such as 2026-03-04T05:06:07Z' } : { value: time };
};

export const readTimeOrNone: Reader<SqlTime | null> = (value, isDump) =>
  value === null || value === '' ? { value: null } : readTime(value, isDump);

export const readGroups: Reader<GroupReference[]> = (value) =>
  readList(
    value,
    groupReference,
    (reference) => typeof reference !== 'string' || nameComplaints(reference).length === 0,
  );

export const readPermissions: Reader<PermissionReference[]> = (value) =>
  readList(value, permissionReference, () => true);

/** A list of JSON, or the names in one cell. */
function readList<Item>(
  value: unknown,
  read: (item: unknown) => Item | null,
  fits: (item: Item) => boolean,
): Read<Item[]> {
  const items: unknown = typeof value === 'string' ? splitNames(value) : value;
  if (!Array.isArray(items)) return { complaint: 'is no list' };
  const found: Item[] = [];
  for (const item of items) {
    const one = read(item);
    if (one === null || !fits(one))
      return { complaint: `has an item ${found.length + 1} that is not understood` };
    found.push(one);
  }
  return { value: found };
}

/** What keeps a text from being stored as it is. */
function storingComplaints(text: string, limit: number): string[] {
  return [
    ...(text.includes('\0') ? ['Null characters are not allowed.'] : []),
    ...lengthComplaints(text, limit),
  ];
}

function checked(value: string, complaints: readonly string[]): Read<string> {
  const all = value.isWellFormed() ? complaints : [...complaints, 'Halves of characters are not allowed.'];
  return all.length === 0 ? { value } : { complaint: all.join(' ') };
}
