import { existsSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Settings } from '../settings.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { commandOrigin } from './origin.ts';
import { progressBar } from './progress-bar.ts';
import { openProgressLine } from './progress-line.ts';
import { type Contents, disarm, draftOf } from './restore/draft.ts';
import { replaceDatabase, requireUnused } from './restore/replacement.ts';
import { formatSize, requireSqliteFile, shell } from './sqlite-file.ts';
import { Cancelled, Terminal } from './terminal.ts';
import { formatCount } from './text-table.ts';
import { inWorkFolder } from './work-folder.ts';

export const restore: Command = {
  name: 'restore',
  summary: 'Puts a backup in the place of the database.',
  usage: `usage: jotgate restore [--blacklist-all] [--noinput] FILE

Puts a backup in the place of the SQLite database, after it was checked. The server must be stopped. The
old database is kept beside it.

What happened after the backup is forgotten, revocations too: tokens that were revoked since then work
again until they expire. Log-ins to the admin are ended in any case.

positional arguments:
  FILE                  What \`backup\` wrote, or a database that Django with SimpleJWT made.

options:
  --blacklist-all       Revoke every refresh token of the backup: everybody logs in again.
  --noinput, --no-input Do not ask.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument, verbosity } = parseFlags(
    args,
    {
      'blacklist-all': { type: 'boolean', default: false },
      noinput: { type: 'boolean' },
      'no-input': { type: 'boolean' },
    },
    'FILE',
  );
  if (argument === undefined) throw new UsageError('the following arguments are required: FILE');
  const { settings } = await context.loadSettings();
  const database = requireSqliteFile(
    settings.DATABASE_URL,
    (name) => `pg_restore --clean --if-exists --single-transaction --dbname=${name} ${shell(argument)}`,
  );
  const file = resolve(context.cwd, argument);
  requireFile(file, database);
  requireUnused(database);
  const isRevoking = flags['blacklist-all'];
  return inWorkFolder(existsSync(dirname(database)) ? dirname(database) : tmpdir(), async (folder) => {
    const draft = join(folder, 'draft.sqlite3');
    const contents = await draftOf(file, draft, settings);
    if (verbosity >= 1) context.stdout.write(describe({ file, database, contents }, settings, isRevoking));
    if (!flags.noinput && !flags['no-input'] && !(await isConfirmed(context))) {
      throw new CommandError('Restore cancelled.');
    }
    const revoked = await disarm(draft, settings, {
      isRevoking,
      origin: commandOrigin(context),
      name: basename(file).slice(0, 80),
    });
    const kept = await replace(context, database, draft);
    if (verbosity >= 1) context.stdout.write(report(database, { kept, revoked, missing: contents.missing }));
    return 0;
  });
}

/** @throws CommandError when there is no such file, or it is the database itself */
function requireFile(file: string, database: string): void {
  if (!existsSync(file)) throw new CommandError(`There is no file ${file}`);
  if (!statSync(file).isFile()) throw new CommandError(`${file} is no file`);
  if (existsSync(database) && realpathSync(file) === realpathSync(database)) {
    throw new CommandError(`${file} is the database itself`);
  }
}

function describe(
  { file, database, contents }: { file: string; database: string; contents: Contents },
  { KEY_RING }: Settings,
  isRevoking: boolean,
): string {
  const { users, liveTokens, lastToken } = contents;
  const since = lastToken === null ? '' : `; the last token was given out ${lastToken.slice(0, 19)} UTC`;
  const old = existsSync(database) ? ', which is kept beside it' : ', where there is none';
  const warning = isRevoking
    ? 'Every refresh token of it will be revoked: everybody logs in again.'
    : 'Revocations are forgotten as well: tokens revoked since then work again until they expire.\n' +
      'With --blacklist-all every refresh token of the backup is revoked instead.';
  const keys = KEY_RING
    ? 'Signing keys withdrawn since then are good again; `jotgate rotatekeys --new-ring` ends all keys, and all tokens.\n'
    : '';
  return (
    `The backup ${file} is sound.\n` +
    `Users: ${formatCount(users)}; live refresh tokens: ${formatCount(liveTokens)}${since}\n` +
    `It takes the place of ${database}${old}.\n\n` +
    `WARNING: What happened after the backup is forgotten.\n${warning}\n${keys}\n`
  );
}

/** No answer is no. */
async function isConfirmed(context: CommandContext): Promise<boolean> {
  const terminal = new Terminal(context.stdin, context.stdout);
  try {
    return /^y(es)?$/i.test((await terminal.ask('Restore it? [y/N]: ')).trim());
  } catch (error) {
    if (error instanceof Cancelled) return false;
    throw error;
  } finally {
    terminal.close();
  }
}

async function replace(context: CommandContext, database: string, draft: string): Promise<string | null> {
  const line = openProgressLine(context.stdout);
  return replaceDatabase(database, draft, ({ copied, total }) =>
    line.show(progressBar(copied, total, `of ${formatSize(total)} restored`)),
  ).finally(() => line.end());
}

function report(
  database: string,
  { kept, revoked, missing }: { kept: string | null; revoked: number | null; missing: readonly string[] },
): string {
  const lines = [`Restored ${database}`];
  if (kept !== null) lines.push(`The old database is ${kept}`);
  if (revoked !== null) lines.push(`Tokens revoked: ${formatCount(revoked)}`);
  lines.push('Log-ins to the admin were ended.');
  if (missing.length > 0)
    lines.push('It is of an older version: run `jotgate migrate`, or `npm run migrate`.');
  return `${lines.join('\n')}\n`;
}
