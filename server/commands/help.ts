import type { Command, CommandContext } from './command.ts';
import { findCommand, listCommands, unknownCommand } from './index.ts';

export const help: Command = {
  name: 'help',
  summary: 'Lists the commands, or explains one.',
  usage: `usage: jotgate help [command]

Lists the commands, or explains one.`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const [name] = args;
  if (name !== undefined) {
    const command = await findCommand(name);
    context[command ? 'stdout' : 'stderr'].write(`${command ? command.usage : unknownCommand(name)}\n`);
    return command ? 0 : 1;
  }
  const commands = await listCommands();
  const lines = commands.map(({ name, aliases = [], summary }) => {
    const names = [name, ...aliases].join(', ');
    return `  ${names.padEnd(20)}  ${summary}`;
  });
  context.stdout.write(
    `usage: jotgate <command> [options]\n\nCommands:\n${lines.join('\n')}\n\n` +
      "Type 'jotgate help <command>' for help on one of them.\n",
  );
  return 0;
}
