import { basename } from 'node:path';
import { BrokenFileError } from '../users/transfer/file-record.ts';
import type { ImportReport } from '../users/transfer/import-report.ts';
import { importUsers } from '../users/transfer/import-users.ts';
import type { Problem } from '../users/transfer/outcomes.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { describeImport, showProblem } from './import-text.ts';
import { openInput } from './input-file.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { progressBar } from './progress-bar.ts';
import { openProgressLine, type ProgressLine } from './progress-line.ts';
import { stopSignal } from './serve/stop-signal.ts';
import { formatCount } from './text-table.ts';
import { transferFormat } from './transfer-format.ts';

/** Of the records that are not taken, so many are told where nobody asks for all. */
const MOST_TOLD = 20;

/** Takes users from another program, Django above all. */
export const importusers: Command = {
  name: 'importusers',
  summary: 'Takes users and groups from a file, with their password hashes.',
  usage: `usage: jotgate importusers [--format {json,jsonl,csv}] [--dry-run] [--update] [--new-ids] FILE

Takes users and groups from a file, with their password hashes. Users are matched by username, so a
second run does what the first left undone, and nothing twice. Each 1,000 users are taken together or
not at all. A user who is there already and differs is reported and left alone, unless --update is given.
The exit code is 1 where a record was not taken.

positional arguments:
  FILE                  What manage.py dumpdata auth.user auth.group --natural-foreign wrote, as JSON or
                        as JSON Lines; or JSON Lines or CSV with the names of the fields: username, and
                        any of id, password (a hash), email, first_name, last_name, is_active, is_staff,
                        is_superuser, date_joined, last_login, groups, user_permissions. - is the input.

options:
  --format FORMAT       json, jsonl or csv. By default what the name of the file ends with.
  --dry-run             Says what would happen, and changes nothing.
  --update              Users and groups who are there already become as the file has them.
  --new-ids             New users get ids of their own. By default they keep those of the file, and one
                        whose id somebody else has is a conflict: tokens name users by their ids.${COMMON_FLAGS_HELP}
                        2 tells of every record that is not taken, not of the first ${MOST_TOLD} alone.`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument, verbosity } = parseFlags(
    args,
    {
      format: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      'new-ids': { type: 'boolean', default: false },
    },
    'FILE',
  );
  if (argument === undefined) throw new UsageError('the following arguments are required: FILE');
  const format = transferFormat(flags.format, argument);
  const options = { dryRun: flags['dry-run'], update: flags.update, newIds: flags['new-ids'] };
  const { settings } = await context.loadSettings();
  const db = await openMigratedDatabase(context);
  const input = await openInput(argument, context);
  const telling = new Telling(context, verbosity, input.size);
  try {
    const report = await importUsers(db, {
      ...{ path: input.path, name: basename(argument), format, options, settings },
      ...{ origin: commandOrigin(context), now: new Date(), signal: telling.signal },
      onRead: (step, bytes) => telling.read(step, bytes),
      onProblem: (problem) => telling.problem(problem),
    });
    telling.conclude(describeImport(report, options));
    return isComplete(report) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BrokenFileError)) throw error;
    throw new CommandError(`${error.message}.${telling.isImporting ? '' : ' Nothing was changed.'}`);
  } finally {
    telling.end();
    input.remove();
  }
}

function isComplete({ users, groups, isStopped }: ImportReport): boolean {
  return !isStopped && users.conflict + users.refused + groups.conflict + groups.refused === 0;
}

/** What the person is told while it goes on, and how he stops it. */
class Telling {
  /** Whether users are being taken: before, the file is looked through. */
  isImporting = false;
  readonly #context: CommandContext;
  readonly #verbosity: number;
  readonly #size: number;
  readonly #line: ProgressLine;
  readonly #abort = new AbortController();
  #bytes = 0;
  #problems = 0;

  constructor(context: CommandContext, verbosity: number, size: number) {
    this.#context = context;
    this.#verbosity = verbosity;
    this.#size = size;
    this.#line = openProgressLine(context.stderr);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  read(step: 'check' | 'import', bytes: number): void {
    if (step === 'import' && !this.isImporting) this.#beginImport();
    this.#bytes += bytes;
    const text = this.isImporting ? 'of the users taken' : 'of the file looked through';
    this.#line.show(progressBar(this.#bytes, this.#size, text));
  }

  problem(problem: Problem): void {
    this.#problems += 1;
    if (this.#verbosity < 1 || (this.#problems > MOST_TOLD && this.#verbosity < 2)) return;
    this.#line.end();
    this.#context.stdout.write(showProblem(problem));
  }

  conclude(report: string): void {
    this.#line.end();
    if (this.#verbosity < 1) return;
    const untold = this.#verbosity < 2 ? this.#problems - MOST_TOLD : 0;
    if (untold > 0) this.#context.stdout.write(`and ${formatCount(untold)} more; -v 2 tells of all\n`);
    this.#context.stdout.write(`${this.#problems > 0 ? '\n' : ''}${report}`);
  }

  end(): void {
    this.#line.end();
  }

  /** From now on a first Ctrl-C waits for the batch to end; before there is nothing that it could interrupt. */
  #beginImport(): void {
    this.isImporting = true;
    this.#bytes = 0;
    stopSignal().then(() => this.#abort.abort());
  }
}
