import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import { type Account, MAIN_FILE, type ServerProcess } from '../server-process.ts';

const run = promisify(execFile);

/**
 * Creates a superuser as one does at a terminal, while the server runs.
 *
 * @returns what the command wrote
 * @throws Error when the command does not exit with 0
 */
export async function createSuperuser(server: ServerProcess, account: Account): Promise<string> {
  const { stdout } = await run(process.execPath, [MAIN_FILE, 'createsuperuser', '--noinput'], {
    cwd: server.folder,
    env: {
      PATH: process.env.PATH,
      BCRYPT_ROUNDS: '4',
      DJANGO_SUPERUSER_USERNAME: account.username,
      DJANGO_SUPERUSER_EMAIL: account.email ?? '',
      DJANGO_SUPERUSER_PASSWORD: account.password,
    },
  });
  return stdout;
}

/** Puts into the database what no command would let in, but an older one may hold. */
export function overwriteUser(
  server: ServerProcess,
  username: string,
  values: { username: string; email: string },
): void {
  const database = new SqliteDatabase(server.database, { timeout: 5_000 });
  try {
    database
      .prepare('UPDATE auth_user SET username = ?, email = ? WHERE username = ?')
      .run(values.username, values.email, username);
  } finally {
    database.close();
  }
}
