import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command, CommandContext } from './command.ts';

export const version: Command = {
  name: 'version',
  summary: 'Shows the version of Jotgate.',
  usage: `usage: jotgate version

Shows the version of Jotgate.`,
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { version } = JSON.parse(readFileSync(findManifest(import.meta.dirname), 'utf8')) as {
    version: string;
  };
  context.stdout.write(`${version}\n`);
  return 0;
}

/** The nearest package.json: sources and compiled files lie at different depths below it. */
function findManifest(folder: string): string {
  const path = join(folder, 'package.json');
  return existsSync(path) || dirname(folder) === folder ? path : findManifest(dirname(folder));
}
