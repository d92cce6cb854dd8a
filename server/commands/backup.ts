import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { hasTable } from '../../db/has-table.ts';
import { copySqlite, findDamage, gatherIntoOneFile } from '../../db/sqlite-copy.ts';
import { recordEvents } from '../audit/record.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { commandOrigin } from './origin.ts';
import { refuseExisting } from './output-file.ts';
import { progressBar } from './progress-bar.ts';
import { openProgressLine } from './progress-line.ts';
import { formatSize, requireSqliteFile, shell } from './sqlite-file.ts';
import { inWorkFolder } from './work-folder.ts';

export const backup: Command = {
  name: 'backup',
  summary: 'Copies the database into a file, also while the server runs.',
  usage: `usage: jotgate backup [--force] FILE

Copies the whole SQLite database into FILE as it is at this moment, also while the server runs, and checks
the copy. A plain copy of the file would not do: part of what is in the database may lie beside it. Nobody
but you may read FILE, for it holds password hashes.

The keys are not in it: SECRET_KEY, or data/secret_key, is to be kept as well, in another place.

positional arguments:
  FILE                  What to write. One that is there already is refused.

options:
  --force               Replace FILE if it is there already.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, argument, verbosity } = parseFlags(args, { force: { type: 'boolean' } }, 'FILE');
  if (argument === undefined) throw new UsageError('the following arguments are required: FILE');
  const { settings } = await context.loadSettings();
  const database = requireSqliteFile(
    settings.DATABASE_URL,
    (name) => `pg_dump --format=custom --file=${shell(argument)} ${name}`,
  );
  if (!existsSync(database)) throw new CommandError(`There is no database at ${database}`);
  const file = resolve(context.cwd, argument);
  refuseOwnFiles(file, database);
  if (!flags.force) refuseExisting(file);
  if (!existsSync(dirname(file))) throw new CommandError(`There is no folder ${dirname(file)}`);
  await record(context, file);
  await inWorkFolder(dirname(file), async (folder) => {
    const draft = join(folder, 'backup.sqlite3');
    await copy(context, database, draft);
    putInPlace(draft, file, flags.force === true);
  });
  if (verbosity >= 1) {
    context.stdout.write(
      `Backed up ${formatSize(statSync(file).size)} to ${file}\n` +
        'The keys are not in it: keep SECRET_KEY, or data/secret_key, as well, in another place.\n',
    );
  }
  return 0;
}

/**
 * So that the history says who has a copy of all passwords' hashes. A database that cannot be written to, because the
 * disk is full for one, can be copied all the same; one that lacks migrations has no history yet.
 */
async function record(context: CommandContext, file: string): Promise<void> {
  try {
    const db = await context.openDatabase();
    if (!(await hasTable(db, 'jotgate_event'))) return;
    const reason = `the whole database, to ${basename(file).slice(0, 80)}`;
    await recordEvents(db, [{ kind: 'exported', origin: commandOrigin(context), reason }], new Date());
  } catch (error) {
    context.stderr.write(`The history will not mention this backup: ${(error as Error).message}\n`);
  }
}

/** @throws CommandError when the file is the database, or lies beside it under a name that is SQLite's */
function refuseOwnFiles(file: string, database: string): void {
  if (existsSync(file) && statSync(file).isDirectory()) throw new CommandError(`${file} is a folder`);
  const own = ['', '-wal', '-shm', '-journal'].map((suffix) => database + suffix);
  const names = existsSync(file) ? [file, realpathSync(file)] : [file];
  if (names.some((name) => own.includes(name) || own.map(realPath).includes(name))) {
    throw new CommandError(`${file} is the database itself`);
  }
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

async function copy(context: CommandContext, database: string, draft: string): Promise<void> {
  const line = openProgressLine(context.stdout);
  try {
    await copySqlite(database, draft, ({ copied, total }) =>
      line.show(progressBar(copied, total, `of ${formatSize(total)} copied`)),
    );
    gatherIntoOneFile(draft);
    line.end();
    line.show('Checking the copy …');
    const damage = findDamage(draft);
    if (damage.length > 0) {
      throw new CommandError(`The database is damaged, and was not backed up: ${damage.join('; ')}`);
    }
  } finally {
    line.end();
  }
}

/** Gives the file its name once all of it is on the disk. */
function putInPlace(draft: string, file: string, isForced: boolean): void {
  chmodSync(draft, 0o600);
  sync(draft);
  if (isForced) renameSync(draft, file);
  else linkUnlessThere(draft, file);
  sync(dirname(file));
}

/** Unlike renaming it, linking a file never replaces another that came meanwhile. */
function linkUnlessThere(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch (error) {
    // Not every file system has links.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(file)) refuseExisting(file);
    renameSync(draft, file);
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
