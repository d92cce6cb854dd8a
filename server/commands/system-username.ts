import { userInfo } from 'node:os';

/** Who runs the command, as Python's `getpass.getuser` finds it; empty when nobody knows. */
export function systemUsername(env: Readonly<Record<string, string | undefined>>): string {
  const named = env.LOGNAME || env.USER || env.LNAME || env.USERNAME;
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    // A user id without an account, as containers have them.
    return '';
  }
}
