import { type Command, type CommandContext, UsageError } from './command.ts';
import { makeContext, type World } from './context.ts';
import { explainFailure } from './failure.ts';
import { findCommand, unknownCommand } from './index.ts';

/**
 * Runs the command that the arguments name; without arguments, `help`.
 *
 * @returns the exit code: 1 when the command failed, 2 when it takes no such flags, as Django's commands do
 */
export async function runCommandLine(
  world: World,
  [name = 'help', ...args]: readonly string[],
): Promise<number> {
  const command = await findCommand(name);
  if (command === null) {
    world.stderr.write(`${unknownCommand(name)}\n`);
    return 1;
  }
  if (asksForHelp(args)) {
    world.stdout.write(`${command.usage}\n`);
    return 0;
  }
  const context = makeContext(world);
  try {
    return await runCommand(command, context, args);
  } finally {
    await context.close();
  }
}

async function runCommand(command: Command, context: CommandContext, args: string[]): Promise<number> {
  try {
    return await command.run(context, args);
  } catch (error) {
    if (error instanceof UsageError) {
      const [usage] = command.usage.split('\n\n');
      context.stderr.write(`${usage}\njotgate ${command.name}: error: ${error.message}\n`);
      return 2;
    }
    const explanation = await explainFailure(error);
    if (explanation === null) throw error;
    context.stderr.write(`${explanation}\n`);
    return 1;
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}
