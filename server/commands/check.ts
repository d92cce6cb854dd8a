import { existsSync } from 'node:fs';
import { sqlitePath } from '../../db/connect.ts';
import { listMigrations } from '../../db/migrate.ts';
import { describeSettings, SettingsError } from '../settings.ts';
import type { Command, CommandContext } from './command.ts';
import { explainFailure } from './failure.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';

/** Django's `check`, and every setting with where it comes from. */
export const check: Command = {
  name: 'check',
  summary: 'Shows every setting and checks for problems.',
  usage: `usage: jotgate check

Shows every setting with its value, secrets masked, and where it comes from, and checks settings and
database for problems.

options:${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { verbosity } = parseFlags(args, {});
  const problems = [...(await checkSettings(context, verbosity)), ...(await checkDatabase(context))];
  if (problems.length === 0) {
    if (verbosity >= 1) context.stdout.write('System check identified no issues (0 silenced).\n');
    return 0;
  }
  const issues = problems.length === 1 ? 'issue' : 'issues';
  const lines = problems.map((problem) => `?: ${problem}\n`).join('');
  context.stderr.write(
    `SystemCheckError: System check identified some issues:\n\nERRORS:\n${lines}\n` +
      `System check identified ${problems.length} ${issues} (0 silenced).\n`,
  );
  return 1;
}

async function checkSettings(context: CommandContext, verbosity: number): Promise<readonly string[]> {
  try {
    const loaded = await context.loadSettings();
    if (verbosity < 1) return [];
    const rows = describeSettings(loaded).map(({ name, value, origin }) => [name, value, origin]);
    context.stdout.write(`${formatTable([['Setting', 'Value', 'From'], ...rows])}\n`);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems;
  }
}

/** A database that is not there yet is no problem, and is not made. */
async function checkDatabase(context: CommandContext): Promise<string[]> {
  try {
    const { settings } = await context.loadSettings();
    if (!existsSync(sqlitePath(settings.DATABASE_URL))) return [];
    await listMigrations(await context.openDatabase());
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return [];
    const problem = await explainFailure(error);
    if (problem === null) throw error;
    return [problem];
  }
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(cell.length, widest[column] ?? 0)),
    [],
  );
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
