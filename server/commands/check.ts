import { existsSync } from 'node:fs';
import { isPostgresUrl, sqlitePath } from '../../db/connect.ts';
import { hasTable } from '../../db/has-table.ts';
import { listMigrations } from '../../db/migrate.ts';
import type { Weakness } from '../settings/weaknesses.ts';
import { describeSettings, SettingsError } from '../settings.ts';
import { checkKeyRing } from '../tokens/keys/ring.ts';
import { deployReport, findDeployWarnings } from './check-deploy.ts';
import { describePasswords } from './check-passwords.ts';
import { type Command, type CommandContext, UsageError } from './command.ts';
import { explainFailure } from './failure.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { formatTable } from './text-table.ts';

/** Django's `check`, and every setting with where it comes from. */
export const check: Command = {
  name: 'check',
  summary: 'Shows every setting and checks for problems.',
  usage: `usage: jotgate check [--deploy] [--fail-level {WARNING,ERROR}]

Shows every setting with its value, secrets masked, and where it comes from, counts the users by how
their passwords are hashed, and checks settings and database for problems.

options:
  --deploy              Also reads the settings as a reviewer would: what is weak, why, and what mends it.
  --fail-level {WARNING,ERROR}
                        From what on the exit status is 1. Default is ERROR.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, verbosity } = parseFlags(args, {
    deploy: { type: 'boolean' },
    'fail-level': { type: 'string', default: 'ERROR' },
  });
  const failLevel = flags['fail-level'] as string;
  if (!['WARNING', 'ERROR'].includes(failLevel)) {
    throw new UsageError(
      `argument --fail-level: invalid choice: '${failLevel}' (choose from WARNING, ERROR)`,
    );
  }
  const problems = [
    ...(await checkSettings(context, verbosity)),
    ...(await checkDatabase(context, verbosity)),
  ];
  const warnings =
    problems.length > 0
      ? []
      : [...(await findOpenFiles(context)), ...(flags.deploy ? await findDeployWarnings(context) : [])];
  if (warnings.length > 0) {
    context.stderr.write(deployReport(warnings));
    return failLevel === 'WARNING' ? 1 : 0;
  }
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

/** Files of keys that more people can read than should. */
async function findOpenFiles(context: CommandContext): Promise<Weakness[]> {
  const { warnings } = await context.loadSettings();
  return warnings.map((warning) => ({ id: 'jotgate.W102', ...warning }));
}

/** A server that is not there is a problem; a file is made when it is needed first. */
function isThere(url: string): boolean {
  return isPostgresUrl(url) || existsSync(sqlitePath(url));
}

/** A file that is not there yet is no problem, and is not made. */
async function checkDatabase(context: CommandContext, verbosity: number): Promise<string[]> {
  try {
    const { settings } = await context.loadSettings();
    if (!isThere(settings.DATABASE_URL)) return [];
    const db = await context.openDatabase();
    await listMigrations(db);
    await checkKeyRing(db, settings);
    if (verbosity >= 1 && (await hasTable(db, 'auth_user'))) {
      const passwords = await describePasswords(db, settings);
      if (passwords !== '') context.stdout.write(`${passwords}\n`);
    }
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return [];
    const problem = await explainFailure(error);
    if (problem === null) throw error;
    return [problem];
  }
}
