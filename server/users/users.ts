import { inBatches } from '../../db/batches.ts';
import { keepingRows } from '../../db/locks.ts';
import type { Database } from '../../db/statement.ts';
import { statement } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { toSqlBoolean, toSqlTime } from '../../db/values.ts';
import { AppError } from '../errors.ts';
import { emailComplaints, normalizeEmail, normalizeUsername, usernameComplaints } from './fields.ts';

/** What an account is made of. Fields left out are as Django's `create_user` leaves them. */
export interface NewUser {
  username: string;
  /** From `hashPassword` or `unusablePassword`: hashing takes too long for a transaction. */
  passwordHash: string;
  email?: string;
  first_name?: string;
  last_name?: string;
  is_active?: boolean;
  is_staff?: boolean;
  is_superuser?: boolean;
}

/** What a token needs to know of whose it is. */
export type TokenOwner = Pick<UserRow, (typeof OWNER_COLUMNS)[number]>;

const OWNER_COLUMNS = ['id', 'username', 'password', 'is_active'] as const;

/** What is said of a username that somebody else has. */
export const TAKEN = 'A user with that username already exists.';

const NO_VALUE = '';

const byId = statement((db) => db.selectFrom('auth_user').selectAll().where('id', '=', 0));
const byUsername = statement((db) => db.selectFrom('auth_user').selectAll().where('username', '=', NO_VALUE));
const selectOwner = (db: Database) => db.selectFrom('auth_user').select(OWNER_COLUMNS);
const ownerById = statement((db) => selectOwner(db).where('id', '=', 0));
const ownerByUsername = statement((db) => selectOwner(db).where('username', '=', NO_VALUE));
const keptOwnerById = statement((db) => keepingRows(db, selectOwner(db).where('id', '=', 0)));
const keptOwnerByUsername = statement((db) =>
  keepingRows(db, selectOwner(db).where('username', '=', NO_VALUE)),
);
const lastLogin = statement((db) =>
  db.updateTable('auth_user').set({ last_login: NO_VALUE }).where('id', '=', 0),
);
const groupNamesOf = statement((db) =>
  db
    .selectFrom('auth_user_groups')
    .innerJoin('auth_group', 'auth_group.id', 'auth_user_groups.group_id')
    .select('auth_group.name')
    .where('auth_user_groups.user_id', '=', 0)
    .orderBy('auth_group.name'),
);

export async function findUserById(db: Database, id: number): Promise<UserRow | null> {
  return (await byId(db, id)).rows[0] ?? null;
}

/** Finds an account by its name in any Unicode form. Case matters. */
export async function findUserByUsername(db: Database, username: string): Promise<UserRow | null> {
  return (await byUsername(db, normalizeUsername(username))).rows[0] ?? null;
}

/**
 * As `findUserById`, for a token: less is read, for this is asked at each refresh. In a transaction the account stays as
 * it is until the end: whoever switches it off or takes its tokens away waits, and then sees what was given out.
 */
export async function findOwnerById(db: Database, id: number): Promise<TokenOwner | null> {
  return (await (db.isTransaction ? keptOwnerById : ownerById)(db, id)).rows[0] ?? null;
}

/** As `findUserByUsername`, for a token. */
export async function findOwnerByUsername(db: Database, username: string): Promise<TokenOwner | null> {
  const find = db.isTransaction ? keptOwnerByUsername : ownerByUsername;
  return (await find(db, normalizeUsername(username))).rows[0] ?? null;
}

/** The names of a user's groups, sorted. */
export async function groupNames(db: Database, userId: number): Promise<string[]> {
  return (await groupNamesOf(db, userId)).rows.map((group) => group.name);
}

/** The names of users by their ids. */
export async function namesOfUsers(db: Database, ids: readonly number[]): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  for (const batch of inBatches(ids)) {
    const rows = await db
      .selectFrom('auth_user')
      .select(['id', 'username'])
      .where('id', 'in', batch)
      .execute();
    for (const { id, username } of rows) names.set(id, username);
  }
  return names;
}

/** Superusers who can log in. */
export async function countSuperusers(db: Database): Promise<number> {
  const row = await db
    .selectFrom('auth_user')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('is_superuser', '=', 1)
    .where('is_active', '=', 1)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/**
 * Makes an account. Of two that take one name at the same time, in whatever process, one is told so.
 *
 * @param now becomes `date_joined`
 * @throws AppError `invalid` with the complaints by field, in Django's words
 */
export async function createUser(db: Database, user: NewUser, now: Date): Promise<UserRow> {
  const username = normalizeUsername(user.username);
  const email = normalizeEmail(user.email ?? '');
  refuseInvalid({ username: usernameComplaints(username), email: emailComplaints(email) });
  const row = await db
    .insertInto('auth_user')
    .values({
      username,
      email,
      password: user.passwordHash,
      first_name: user.first_name ?? '',
      last_name: user.last_name ?? '',
      is_active: toSqlBoolean(user.is_active ?? true),
      is_staff: toSqlBoolean(user.is_staff ?? false),
      is_superuser: toSqlBoolean(user.is_superuser ?? false),
      last_login: null,
      date_joined: toSqlTime(now),
    })
    .onConflict((conflict) => conflict.column('username').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw invalid({ username: [TAKEN] });
  return row;
}

/** Makes an account that may do everything. Otherwise as `createUser`. */
export function createSuperuser(
  db: Database,
  user: Omit<NewUser, 'is_staff' | 'is_superuser'>,
  now: Date,
): Promise<UserRow> {
  return createUser(db, { ...user, is_staff: true, is_superuser: true }, now);
}

/** Gives an account another password hash. Says whether the account (still) exists. */
export async function setPassword(db: Database, userId: number, passwordHash: string): Promise<boolean> {
  const result = await db
    .updateTable('auth_user')
    .set({ password: passwordHash })
    .where('id', '=', userId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** As `setPassword`, but only where the stored hash is still the one that was read. */
export async function replacePassword(
  db: Database,
  user: Pick<UserRow, 'id' | 'password'>,
  passwordHash: string,
): Promise<boolean> {
  const result = await db
    .updateTable('auth_user')
    .set({ password: passwordHash })
    .where('id', '=', user.id)
    .where('password', '=', user.password)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function updateLastLogin(db: Database, userId: number, now: Date): Promise<void> {
  await lastLogin(db, toSqlTime(now), userId);
}

function refuseInvalid(complaints: Readonly<Record<string, readonly string[]>>): void {
  const found = Object.fromEntries(Object.entries(complaints).filter(([, texts]) => texts.length > 0));
  if (Object.keys(found).length > 0) throw invalid(found);
}

function invalid(members: Readonly<Record<string, readonly string[]>>): AppError {
  return new AppError('invalid', { members });
}
