import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import type { Settings } from '../settings.ts';
import { revokeTokensOf } from '../tokens/mass-revocation.ts';
import { passwordComplaints } from '../users/fields.ts';
import { hashPassword } from '../users/hashers.ts';
import { findUserByUsername, setPassword } from '../users/users.ts';
import { validatePassword } from '../users/validators.ts';
import { type Command, type CommandContext, CommandError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { systemUsername } from './system-username.ts';
import { Cancelled, Terminal } from './terminal.ts';

const MAX_TRIES = 3;

/** Follows django.contrib.auth's `changepassword`, its prompts and messages. */
export const changepassword: Command = {
  name: 'changepassword',
  summary: "Change a user's password.",
  usage: `usage: jotgate changepassword [--end-sessions] [username]

Change a user's password. Without a terminal the new password is read from two lines of the input.

positional arguments:
  username              Username to change password for; by default, it's the current username.

options:
  --end-sessions        Ends the user's sessions as well: every refresh token is revoked.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument } = parseFlags(args, { 'end-sessions': { type: 'boolean' } }, 'username');
  const { settings } = await context.loadSettings();
  const db = await openMigratedDatabase(context);
  const username = argument || systemUsername(context.env);
  const user = await findUserByUsername(db, username);
  if (user === null) throw new CommandError(`user '${username}' does not exist`);
  context.stdout.write(`Changing password for user '${user.username}'\n`);
  const password = await askPassword(context, user);
  if (password === null) return 1;
  const passwordHash = await hashPassword(password, settings);
  const endsSessions = flags['end-sessions'] === true;
  if (!(await storePassword(context, db, user, passwordHash, endsSessions ? settings : null)))
    throw new CommandError(`user '${user.username}' does not exist`);
  context.stdout.write(`Password changed successfully for user '${user.username}'\n`);
  return 0;
}

/**
 * Says whether the account still exists.
 *
 * @param endingBy the settings by which its sessions end as well; null where they go on
 */
function storePassword(
  context: CommandContext,
  db: Database,
  { id, username }: UserRow,
  passwordHash: string,
  endingBy: Settings | null,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    if (!(await setPassword(trx, id, passwordHash))) return false;
    const object = { type: 'user', id: String(id), name: username } as const;
    const changes = [{ field: 'Password', before: '********', after: '********' }];
    const event = { kind: 'password_changed', origin: commandOrigin(context), object, changes } as const;
    const now = new Date();
    await recordEvents(trx, [event], now);
    if (endingBy !== null) await revokeTokensOf(trx, endingBy, [id], now, event.origin, 'password');
    return true;
  });
}

/**
 * @returns null when the person gave up
 * @throws CommandError after three attempts
 */
async function askPassword(context: CommandContext, user: UserRow): Promise<string | null> {
  const terminal = new Terminal(context.stdin, context.stdout);
  try {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const password = await askNonEmpty(terminal, 'Password: ');
      if (password !== (await askNonEmpty(terminal, 'Password (again): '))) {
        context.stdout.write('Passwords do not match. Please try again.\n');
        continue;
      }
      const complaints = [...passwordComplaints(password), ...(await validatePassword(password, user))];
      if (complaints.length === 0) return password;
      context.stderr.write(`${complaints.join('\n')}\n`);
    }
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    context.stderr.write('\nOperation cancelled.\n');
    return null;
  } finally {
    terminal.close();
  }
  throw new CommandError(`Aborting password change for user '${user.username}' after ${MAX_TRIES} attempts`);
}

async function askNonEmpty(terminal: Terminal, question: string): Promise<string> {
  const answer = await terminal.askHidden(question);
  if (answer === '') throw new CommandError('aborted');
  return answer;
}
