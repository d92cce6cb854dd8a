import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import type { Settings } from '../settings.ts';
import { authenticate, type Credentials } from './authenticate.ts';
import { forgiveAccount, recordFailure, requireAttempt } from './login-failures.ts';

/**
 * The active user whom a username and password belong to, or null, as `authenticate`, but not more often than the
 * limits on failures let anyone try. They are looked at when the turn to hash has come, so that of many attempts at
 * the same time no more get through than are hashed at once.
 *
 * @param address from where somebody tries
 * @throws AppError `throttled`, 429, or `busy`, 503
 */
export async function logIn(
  db: Database,
  settings: Settings,
  credentials: Credentials,
  address: string,
  now: Date,
): Promise<UserRow | null> {
  const attempt = { username: credentials.username, address };
  const user = await authenticate(db, credentials, settings, (found) => ({
    admit: () => requireAttempt(db, settings, attempt, now),
    refused: () => recordFailure(db, settings, { ...attempt, isKnown: found !== null }, now),
  }));
  if (user !== null) await forgiveAccount(db, settings, attempt.username);
  return user;
}
