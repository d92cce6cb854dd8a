import type { Database } from '../../db/statement.ts';
import { findSession } from '../sessions/session-list.ts';
import type { Settings } from '../settings.ts';
import { revokeTokensOf } from '../tokens/mass-revocation.ts';
import { endSessions } from '../tokens/session-end.ts';
import { findUserByUsername } from '../users/users.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';

export const endsessions: Command = {
  name: 'endsessions',
  summary: 'Ends the sessions of a user, or one session.',
  usage: `usage: jotgate endsessions (username | --sid SID)

Ends every session of a user, or one session: their refresh tokens are revoked, and where CHECK_SESSION
is on, their access tokens die as well.

positional arguments:
  username              Whose sessions end.

options:
  --sid SID             Ends this session alone: the sid that the admin and tokens show.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument, verbosity } = parseFlags(args, { sid: { type: 'string' } }, 'username');
  if ((argument === undefined) === (flags.sid === undefined)) {
    throw new UsageError('one of the arguments username and --sid is required, and not both');
  }
  const { settings } = await context.loadSettings();
  const db = await openMigratedDatabase(context);
  const told =
    argument === undefined
      ? await endOne(context, db, flags.sid as string)
      : await endAll(context, db, settings, argument);
  if (verbosity >= 1) context.stdout.write(`${told}\n`);
  return 0;
}

async function endOne(context: CommandContext, db: Database, sid: string): Promise<string> {
  const now = new Date();
  const session = await findSession(db, sid, now);
  if (session === null) throw new CommandError(`session '${sid}' does not exist`);
  const ending = { reason: 'revoked', origin: commandOrigin(context) } as const;
  const count = await endSessions(db, [session.id], ending, now);
  return count === 1 ? '1 session ended.' : 'That session was over already.';
}

async function endAll(
  context: CommandContext,
  db: Database,
  settings: Settings,
  username: string,
): Promise<string> {
  const user = await findUserByUsername(db, username);
  if (user === null) throw new CommandError(`user '${username}' does not exist`);
  const count = await revokeTokensOf(db, settings, [user.id], new Date(), commandOrigin(context));
  return `${count} ${count === 1 ? 'token' : 'tokens'} of '${user.username}' revoked.`;
}
