import { fromSqlTime } from '../../db/values.ts';
import type { Change } from '../audit/record.ts';
import { type AccountFields, FIELD_LABELS, FLAG_FIELDS, SET_FIELDS } from './accounts.ts';

/** What groups and permissions are called, by id. */
export interface GrantNames {
  groups: ReadonlyMap<number, string>;
  user_permissions: ReadonlyMap<number, string>;
}

/** How one field differs, for people. A group or permission that came or went is a difference of its own. */
export interface Difference {
  field: keyof AccountFields;
  before: string | null;
  after: string | null;
}

type SetField = (typeof SET_FIELDS)[number];
type PlainField = Exclude<keyof AccountFields, SetField>;

const PLAIN_FIELDS = Object.keys(FIELD_LABELS).filter((field) => !isSetField(field)) as PlainField[];

/** How an account came from one state to another, in the order of Django's form. */
export function differencesBetween(
  before: AccountFields,
  after: AccountFields,
  names: GrantNames,
): Difference[] {
  return (Object.keys(FIELD_LABELS) as (keyof AccountFields)[]).flatMap((field) => {
    if (isSetField(field)) return membershipDifferences(field, before[field], after[field], names[field]);
    if (before[field] === after[field]) return [];
    return [{ field, before: told(field, before[field]), after: told(field, after[field]) }];
  });
}

/** Differences as the history keeps them. */
export function changesOf(differences: readonly Difference[]): Change[] {
  return differences.map(({ field, before, after }) => ({ field: FIELD_LABELS[field], before, after }));
}

/**
 * What becomes of a form that was filled from one state and is sent when there is another: where the person changed
 * nothing, what others made of it; else what he entered. Of groups and permissions each is looked at by itself.
 */
export function mergeFields(
  expected: AccountFields,
  entered: AccountFields,
  stored: AccountFields,
): AccountFields {
  const untouched = PLAIN_FIELDS.filter((field) => entered[field] === expected[field]);
  const theirs = Object.fromEntries(untouched.map((field) => [field, stored[field]]));
  const sets = SET_FIELDS.map((field) => [field, mergeSets(expected[field], entered[field], stored[field])]);
  return { ...entered, ...theirs, ...Object.fromEntries(sets) };
}

/** Ids in order, each once. */
export function ascending(ids: Iterable<number>): number[] {
  return [...new Set(ids)].sort((a, b) => a - b);
}

export function isFlagField(field: string): field is (typeof FLAG_FIELDS)[number] {
  return (FLAG_FIELDS as readonly string[]).includes(field);
}

export function isSetField(field: string): field is SetField {
  return (SET_FIELDS as readonly string[]).includes(field);
}

function mergeSets(expected: readonly number[], entered: readonly number[], stored: readonly number[]) {
  const added = entered.filter((id) => !expected.includes(id));
  const kept = stored.filter((id) => entered.includes(id) || !expected.includes(id));
  return ascending([...kept, ...added]);
}

function membershipDifferences(
  field: SetField,
  before: readonly number[],
  after: readonly number[],
  names: ReadonlyMap<number, string>,
): Difference[] {
  const nameOf = (id: number) => names.get(id) ?? `(deleted, id ${id})`;
  const gone = before.filter((id) => !after.includes(id));
  const come = after.filter((id) => !before.includes(id));
  return [
    ...gone.map((id) => ({ field, before: nameOf(id), after: null })),
    ...come.map((id) => ({ field, before: null, after: nameOf(id) })),
  ];
}

function told(field: PlainField, value: string | boolean | null): string | null {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null || (field !== 'last_login' && field !== 'date_joined')) return value;
  const moment = fromSqlTime(value);
  // Another program may have written what is no time.
  return Number.isNaN(moment.getTime())
    ? value
    : `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
