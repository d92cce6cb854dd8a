import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import type { AccountFields } from './accounts.ts';
import { type Actor, type GroupGrant, may, type Permission } from './permissions.ts';

/** What somebody wants to do with an account. */
export type Deed = 'change' | 'delete' | 'activate' | 'deactivate' | 'set the password of';

/** Whom it is done to: the account as it is stored, with the keys of what it and its groups were granted. */
export interface Subject {
  user: UserRow;
  keys: ReadonlySet<string>;
}

interface Wish {
  actor: Actor;
  deed: Deed;
  subject: Subject;
}

/** Says what stands against a wish, or null. */
type Rule = (wish: Wish) => string | null;

const NEEDED: Readonly<Record<Deed, string>> = {
  change: 'auth.change_user',
  activate: 'auth.change_user',
  deactivate: 'auth.change_user',
  'set the password of': 'auth.change_user',
  delete: 'auth.delete_user',
};

/** What must not stand against anything that is done to an account, in the order in which it is told. */
const RULES: readonly Rule[] = [needsPermission, leavesSuperusersAlone, reachesNoHigher, sparesOneself];

/** Why somebody may not do something to an account; null when he may. */
export function findRefusal(actor: Actor, deed: Deed, subject: Subject): string | null {
  for (const rule of RULES) {
    const refusal = rule({ actor, deed, subject });
    if (refusal !== null) return refusal;
  }
  return null;
}

/** @throws AppError `forbidden` with the first reason there is */
export function requireDeed(actor: Actor, deed: Deed, subject: Subject): void {
  const refusal = findRefusal(actor, deed, subject);
  if (refusal !== null) throw forbidden(refusal);
}

/** Django lets nobody add users who may not change them, for what is added is filled in on the change form. */
export function requireAdding(actor: Actor): void {
  if (may(actor, 'auth.add_user') && may(actor, 'auth.change_user')) return;
  throw forbidden(
    'To add users, an account needs both the “Can add user” and the “Can change user” permission.',
  );
}

export function requireSuperuser(actor: Actor): void {
  if (!isSuperuser(actor)) throw forbidden('Only a superuser may make a superuser.');
}

function needsPermission({ actor, deed }: Wish): string | null {
  return may(actor, NEEDED[deed]) ? null : `You do not have the permission to ${deed} users.`;
}

function leavesSuperusersAlone({ actor, deed, subject }: Wish): string | null {
  if (subject.user.is_superuser !== 1 || isSuperuser(actor)) return null;
  return `Only a superuser may ${deed} a superuser.`;
}

/** Who can log in as somebody, or shape his account, has his permissions too. */
function reachesNoHigher({ actor, deed, subject }: Wish): string | null {
  const higher = [...subject.keys].filter((key) => !may(actor, key));
  if (higher.length === 0) return null;
  return `You may not ${deed} an account that has permissions you lack (${listed(higher)}).`;
}

/** Django lets one. Whoever shuts himself out seldom meant to, and somebody else can still do it. */
function sparesOneself({ actor, deed, subject }: Wish): string | null {
  if (actor.user.id !== subject.user.id || (deed !== 'delete' && deed !== 'deactivate')) return null;
  return `You cannot ${deed} your own account.`;
}

/** What an account's fields are before and after a change, and what can be granted at all. */
export interface Edit {
  actor: Actor;
  id: number;
  before: AccountFields;
  after: AccountFields;
  groups: readonly GroupGrant[];
  permissions: readonly Permission[];
}

/** Says what stands against the value of a field, or null. */
type FieldRule = (edit: Edit) => string | null;

const FIELD_RULES: Readonly<Partial<Record<keyof AccountFields, FieldRule>>> = {
  is_superuser: superusersMakeSuperusers,
  is_active: staysActive,
  groups: addsNoHigherGroup,
  user_permissions: grantsNoMore,
};

/** What stands against an edit, by field. */
export function fieldRefusals(edit: Edit): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(FIELD_RULES).flatMap(([field, rule]) => {
      const refusal = rule(edit);
      return refusal === null ? [] : [[field, [refusal]]];
    }),
  );
}

function superusersMakeSuperusers({ actor, before, after }: Edit): string | null {
  if (before.is_superuser === after.is_superuser || isSuperuser(actor)) return null;
  return 'Only a superuser may give superuser status or take it away.';
}

function staysActive({ actor, id, before, after }: Edit): string | null {
  if (actor.user.id !== id || after.is_active || !before.is_active) return null;
  return 'You cannot deactivate your own account.';
}

function addsNoHigherGroup({ actor, before, after, groups }: Edit): string | null {
  const higher = groups
    .filter(({ id }) => after.groups.includes(id) && !before.groups.includes(id))
    .filter((group) => !mayGrantGroup(actor, group))
    .map(({ name }) => `“${name}”`);
  if (higher.length === 0) return null;
  return `You may not add anybody to ${higher.join(', ')}: that would grant permissions you lack.`;
}

function grantsNoMore({ actor, before, after, permissions }: Edit): string | null {
  const higher = permissions
    .filter(({ id }) => after.user_permissions.includes(id) && !before.user_permissions.includes(id))
    .filter(({ key }) => !may(actor, key))
    .map(({ key }) => key);
  return higher.length === 0 ? null : `You may not grant permissions you lack (${listed(higher)}).`;
}

/** Whether somebody may put others into a group: nobody grants what he lacks. */
export function mayGrantGroup(actor: Actor, { keys }: GroupGrant): boolean {
  return [...keys].every((key) => may(actor, key));
}

/**
 * Looks, after a write and in its transaction, whether anybody is left who can log in and may do everything. The
 * transaction has the accounts to itself from its beginning (`freshActor`), so of two that would together leave
 * nobody one sees it.
 *
 * @throws AppError `forbidden`, upon which the transaction must be rolled back
 */
export async function requireSuperuserLeft(trx: Database): Promise<void> {
  const left = await trx
    .selectFrom('auth_user')
    .select('id')
    .where('is_superuser', '=', 1)
    .where('is_active', '=', 1)
    .where('is_staff', '=', 1)
    .where('password', 'not like', '!%')
    .limit(1)
    .executeTakeFirst();
  if (left !== undefined) return;
  throw forbidden(
    'This would leave no active superuser who can log in. Make another superuser first, then try again.',
  );
}

export function forbidden(reason: string): AppError {
  return new AppError('forbidden', { values: { reason } });
}

function isSuperuser({ user }: Actor): boolean {
  return user.is_active === 1 && user.is_superuser === 1;
}

/** A few of many keys. */
function listed(keys: readonly string[]): string {
  const shown = keys.toSorted().slice(0, 3).join(', ');
  return keys.length > 3 ? `${shown} and ${keys.length - 3} more` : shown;
}
