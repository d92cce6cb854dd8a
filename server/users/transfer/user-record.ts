import type { AccountFields } from '../accounts.ts';
import { normalizeUsername } from '../fields.ts';
import type { UserEntry } from './entries.ts';
import {
  type Reader,
  readEmail,
  readFlag,
  readGroups,
  readName,
  readPassword,
  readPermissions,
  readTime,
  readTimeOrNone,
  readUsername,
} from './field-readers.ts';
import { type GroupReference, isId, type PermissionReference } from './grant-references.ts';
import type { Refusal } from './group-record.ts';

/** What a file may say of a user, besides the username. */
export interface GivenFields
  extends Partial<Omit<AccountFields, 'username' | 'groups' | 'user_permissions'>> {
  password?: string;
  groups?: readonly GroupReference[];
  user_permissions?: readonly PermissionReference[];
}

/** A user as the file has it. */
export interface UserRecord {
  place: string;
  /** The file's; null where there is none. */
  id: number | null;
  /** Normalized. */
  username: string;
  /** Only what the file says. */
  given: GivenFields;
  /** Names of what it says that no user has. */
  unknown: readonly string[];
}

/** The largest id that Django's column holds. */
const LARGEST_ID = 2 ** 31 - 1;

const READERS: { readonly [Field in keyof Required<GivenFields>]: Reader<Required<GivenFields>[Field]> } = {
  password: readPassword,
  first_name: readName,
  last_name: readName,
  email: readEmail,
  is_active: readFlag,
  is_staff: readFlag,
  is_superuser: readFlag,
  groups: readGroups,
  user_permissions: readPermissions,
  last_login: readTimeOrNone,
  date_joined: readTime,
};

/**
 * Reads a user. What a dump says was in a database once, and is taken as `loaddata` takes it, if there is room for
 * it here; what people wrote themselves is checked as a form is.
 */
export function userRecordOf({ place, id, fields, isDump }: UserEntry): UserRecord | Refusal {
  const complaints: string[] = [];
  const read = <Value>(field: string, value: unknown, reader: Reader<Value>): Value | undefined => {
    const result = reader(value, isDump);
    if ('value' in result) return result.value;
    complaints.push(`${field}: ${result.complaint}`);
    return undefined;
  };
  const username = read('username', fields.get('username'), readUsername) ?? '';
  const given: Record<string, unknown> = {};
  for (const [field, reader] of Object.entries(READERS)) {
    if (fields.has(field)) given[field] = read<unknown>(field, fields.get(field), reader);
  }
  const number = readId(id);
  if (number === undefined) complaints.push('id: is none that a user can have');
  if (complaints.length > 0) {
    const name = fields.get('username');
    return { place, name: typeof name === 'string' ? name : '', problem: complaints.join('; ') };
  }
  const unknown = [...fields.keys()].filter((name) => name !== 'username' && !Object.hasOwn(READERS, name));
  return { place, id: number ?? null, username: normalizeUsername(username), given, unknown };
}

/** Null where there is none; undefined for one that cannot be. */
function readId(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  return isId(number) && number <= LARGEST_ID ? number : undefined;
}
