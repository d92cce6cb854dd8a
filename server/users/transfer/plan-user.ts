import { isDeepStrictEqual } from 'node:util';
import { type Account, type AccountFields, FIELD_LABELS, fieldsOf } from '../accounts.ts';
import { type Grants, resolveGroups, resolvePermissions } from './file-grants.ts';
import type { ImportOptions } from './import-options.ts';
import type { GivenFields, UserRecord } from './user-record.ts';

/** What to do with a record. */
export type UserPlan =
  | { outcome: 'new'; record: UserRecord; after: AccountFields; password: string | null }
  | {
      outcome: 'changed';
      record: UserRecord;
      account: Account;
      before: AccountFields;
      after: AccountFields;
      /** Null where it stays. */
      password: string | null;
    }
  | { outcome: 'unchanged'; record: UserRecord }
  | { outcome: 'conflict'; record: UserRecord; reason: string };

/** What is known besides the record. */
export interface Surroundings {
  /** The account of that username; null where there is none. */
  account: Account | null;
  /** Who has the id of the record, if it is somebody else. */
  idOwner: string | null;
  grants: Grants;
  options: Pick<ImportOptions, 'update' | 'newIds'>;
  now: string;
}

/**
 * Compares a record with what is there. Only what the record says counts. A last login before the one that is stored
 * is no difference.
 */
export function planUser(record: UserRecord, surroundings: Surroundings): UserPlan {
  const { account, idOwner, grants, options, now } = surroundings;
  const { password = null } = record.given;
  if (account === null) {
    if (idOwner !== null && !options.newIds) {
      return {
        outcome: 'conflict',
        record,
        reason: `the id ${record.id} is that of ${JSON.stringify(idOwner)}`,
      };
    }
    const after = overlaid(newFields(record.username, now), record.given, grants);
    return { outcome: 'new', record, after, password };
  }
  const before = fieldsOf(account);
  const after = forwardOnly(before, overlaid(before, record.given, grants));
  const isOther = password !== null && password !== account.user.password;
  const labels = differingLabels(before, after).concat(isOther ? ['Password'] : []);
  if (labels.length === 0) return { outcome: 'unchanged', record };
  if (!options.update) return { outcome: 'conflict', record, reason: `differs in ${labels.join(', ')}` };
  return { outcome: 'changed', record, account, before, after, password: isOther ? password : null };
}

/** The references of a record that stand for nothing here. */
export function missingGrants({ given }: UserRecord, grants: Grants): string[] {
  return [
    ...resolveGroups(grants, given.groups ?? []).missing,
    ...resolvePermissions(grants, given.user_permissions ?? []).missing,
  ];
}

/** As Django's models have them by default. */
function newFields(username: string, now: string): AccountFields {
  return {
    username,
    first_name: '',
    last_name: '',
    email: '',
    is_active: true,
    is_staff: false,
    is_superuser: false,
    groups: [],
    user_permissions: [],
    last_login: null,
    date_joined: now,
  };
}

function overlaid(fields: AccountFields, given: GivenFields, grants: Grants): AccountFields {
  const { password: _, groups, user_permissions, ...columns } = given;
  return {
    ...fields,
    ...columns,
    ...(groups && { groups: resolveGroups(grants, groups).ids }),
    ...(user_permissions && { user_permissions: resolvePermissions(grants, user_permissions).ids }),
  };
}

function forwardOnly(before: AccountFields, after: AccountFields): AccountFields {
  const isLater = before.last_login !== null && (after.last_login ?? '') < before.last_login;
  return isLater ? { ...after, last_login: before.last_login } : after;
}

function differingLabels(before: AccountFields, after: AccountFields): string[] {
  const fields = Object.keys(FIELD_LABELS) as (keyof AccountFields)[];
  return fields
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => FIELD_LABELS[field]);
}
