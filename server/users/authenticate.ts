import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { type AttemptGuard, checkPassword, type HashingSettings, hashPassword } from './hashers.ts';
import { findUserById, findUserByUsername, replacePassword } from './users.ts';

export interface Credentials {
  /** In any Unicode form; case matters. */
  username: string;
  password: string;
}

/** How often a password is checked again because its hash was replaced meanwhile, by another login for one. */
const MAX_CHECKS = 3;

/**
 * The active user whom a username and password belong to, as Django's ModelBackend finds it, or null. Every null
 * costs the same work. A right password whose hash is of another algorithm, or has other parameters, than a new one
 * would is hashed anew.
 *
 * @param guardFor what bounds the attempts, by the account that was found
 * @throws AppError `busy` when too many passwords wait to be hashed; what the guard throws
 */
export async function authenticate(
  db: Database,
  { username, password }: Credentials,
  settings: HashingSettings,
  guardFor: (user: UserRow | null) => AttemptGuard | undefined = () => undefined,
): Promise<UserRow | null> {
  let user = await findUserByUsername(db, username);
  for (let checks = 0; checks < MAX_CHECKS; checks += 1) {
    const stored = user?.is_active ? user.password : null;
    const { matches, mustUpdate } = await checkPassword(password, stored, settings, guardFor(user));
    if (user === null || !matches) return null;
    const expected = mustUpdate ? await upgraded(db, user, password, settings) : user.password;
    // Hashing takes long enough for the password to be changed or the account to be closed meanwhile.
    user = await findUserById(db, user.id);
    if (!user?.is_active) return null;
    if (user.password === expected) return user;
  }
  return null;
}

/** Hashes a password anew, stores it unless the stored hash was replaced meanwhile, and gives the new hash. */
async function upgraded(
  db: Database,
  user: UserRow,
  password: string,
  settings: HashingSettings,
): Promise<string> {
  const passwordHash = await hashPassword(password, settings);
  await replacePassword(db, user, passwordHash);
  return passwordHash;
}
