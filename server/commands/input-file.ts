import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type CommandContext, CommandError } from './command.ts';

export interface InputFile {
  path: string;
  /** In bytes. */
  size: number;
  /** Removes what was made for it; a file of the person's own stays. */
  remove(): void;
}

/**
 * A file that can be read more than once: the one that is named, or for `-` a copy of the input, which nobody else can
 * read.
 *
 * @throws CommandError when it is no file; else the error of the system
 */
export async function openInput(
  name: string,
  { stdin, cwd }: Pick<CommandContext, 'stdin' | 'cwd'>,
): Promise<InputFile> {
  if (name !== '-') {
    const path = resolve(cwd, name);
    const stats = statSync(path);
    if (!stats.isFile()) throw new CommandError(`${name} is no file; - reads the input`);
    return { path, size: stats.size, remove: () => {} };
  }
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'input');
    await pipeline(stdin, createWriteStream(path, { mode: 0o600 }));
    return { path, size: statSync(path).size, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
