import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './command.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Flags that most of Django's commands take. */
const COMMON_OPTIONS = {
  database: { type: 'string', default: 'default' },
  verbosity: { type: 'string', short: 'v', default: '1' },
} as const satisfies Options;

/** Their lines of a help text. */
export const COMMON_FLAGS_HELP = `
  --database DATABASE   Specifies the database to use. There is one, "default".
  -v, --verbosity {0,1,2,3}
                        0 says nothing but errors. Default is 1.
  -h, --help            Show this help message and exit.`;

/**
 * Reads the flags of a command, those that most commands take among them.
 *
 * @param argument the name of the one argument that may stand without a flag; without a name none may
 * @throws UsageError in the words of Python's argparse
 */
export function parseFlags<Own extends Options>(args: readonly string[], own: Own, argument?: string) {
  const options = { ...COMMON_OPTIONS, ...own };
  const { values, positionals } = parse(args, options);
  if (positionals.length > (argument === undefined ? 0 : 1)) {
    throw new UsageError(
      `unrecognized arguments: ${positionals.slice(argument === undefined ? 0 : 1).join(' ')}`,
    );
  }
  const common = values as { database: string; verbosity: string };
  refuseOther('--database', common.database, ['default']);
  refuseOther('-v/--verbosity', common.verbosity, ['0', '1', '2', '3']);
  return { flags: values, argument: positionals[0], verbosity: Number(common.verbosity) };
}

function parse<All extends Options>(args: readonly string[], options: All) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The rest of the message explains `--` to programmers.
    throw new UsageError(error.message.split(/\.\s/)[0] ?? error.message);
  }
}

function refuseOther(flag: string, value: string, choices: readonly string[]): void {
  if (choices.includes(value)) return;
  throw new UsageError(`argument ${flag}: invalid choice: '${value}' (choose from ${choices.join(', ')})`);
}
