import { migrate as applyMigrations, listMigrations } from '../../db/migrate.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';

/** Django's `migrate`, and with --list its `showmigrations`. */
export const migrate: Command = {
  name: 'migrate',
  summary: 'Updates database schema.',
  usage: `usage: jotgate migrate [--list | --check]

Updates database schema. A database that Django made is taken as it is.

options:
  -l, --list            Shows all migrations and which are applied, and applies none.
  --check               Exits with a non-zero status if unapplied migrations exist and does not
                        actually apply migrations.
  --noinput, --no-input Accepted as Django does; nothing is ever asked.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, verbosity } = parseFlags(args, {
    list: { type: 'boolean', short: 'l' },
    check: { type: 'boolean' },
    noinput: { type: 'boolean' },
    'no-input': { type: 'boolean' },
  });
  const db = await context.openDatabase();
  const say = (line: string) => verbosity >= 1 && context.stdout.write(`${line}\n`);
  const migrations = await listMigrations(db);
  const isComplete = migrations.every((migration) => migration.applied);
  if (flags.list || flags.check) {
    for (const { name, applied } of migrations) {
      if (flags.list || !applied) say(` [${applied ? 'X' : ' '}] ${name}`);
    }
    return flags.check && !isComplete ? 1 : 0;
  }
  say('Operations to perform:');
  say('  Apply all migrations');
  say('Running migrations:');
  let count = 0;
  await applyMigrations(db, (name) => {
    count += 1;
    say(`  Applying ${name}... OK`);
  });
  if (count === 0) say('  No migrations to apply.');
  return 0;
}
