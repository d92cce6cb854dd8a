import { basename, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Database } from '../../db/statement.ts';
import { recordEvents } from '../audit/record.ts';
import { type ExportProgress, exportUsers } from '../users/transfer/export-users.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { refuseExisting, refuseOther, writeFile } from './output-file.ts';
import { progressBar } from './progress-bar.ts';
import { openProgressLine } from './progress-line.ts';
import { formatCount } from './text-table.ts';
import { transferFormat } from './transfer-format.ts';

/** Gives users to another program, Django above all. */
export const exportusers: Command = {
  name: 'exportusers',
  summary: 'Writes users and groups to a file, with their password hashes.',
  usage: `usage: jotgate exportusers [--format {json,jsonl,csv}] [--force] [FILE]

Writes users and groups to a file, with their password hashes, for importusers or Django's loaddata. The
file is readable for its owner alone.

positional arguments:
  FILE                  By default the output.

options:
  --format FORMAT       json or jsonl for loaddata, or csv, which has users alone. By default what the
                        name of the file ends with, or json.
  --force               Replaces the file if there is one.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument, verbosity } = parseFlags(
    args,
    { format: { type: 'string' }, force: { type: 'boolean', default: false } },
    'FILE',
  );
  const format = transferFormat(
    flags.format ?? (argument === undefined ? 'json' : undefined),
    argument ?? '',
  );
  const db = await openMigratedDatabase(context);
  const file = argument === undefined ? null : resolve(context.cwd, argument);
  if (file !== null) (flags.force ? refuseOther : refuseExisting)(file);
  const total = await countUsers(db);
  const where = file === null ? 'the output' : basename(file).slice(0, 80);
  const reason = `${counted(total, 'user')}, with password hashes, to ${where}`;
  // Before: a part of a file, too, holds secrets.
  await recordEvents(db, [{ kind: 'exported', origin: commandOrigin(context), reason }], new Date());
  const line = openProgressLine(context.stderr);
  let done: ExportProgress = { users: 0, groups: 0 };
  const text = exportUsers(db, format, (progress) => {
    done = progress;
    line.show(progressBar(progress.users, total, `${formatCount(progress.users)} users`));
  });
  const written =
    file === null ? pipeline(Readable.from(text), context.stdout, { end: false }) : writeFile(file, text);
  await written.finally(() => line.end());
  if (verbosity >= 1 && file !== null) {
    context.stdout.write(`${counted(done.users, 'user')} and ${counted(done.groups, 'group')} written.\n`);
  }
  return 0;
}

async function countUsers(db: Database): Promise<number> {
  const row = await db
    .selectFrom('auth_user')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
