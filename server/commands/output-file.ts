import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError } from './command.ts';

/** @throws CommandError when there is a file of that name */
export function refuseExisting(path: string): void {
  if (existsSync(path)) throw new CommandError(`${path} is there already; --force replaces it`);
}

/** @throws CommandError when there is something of that name, and no file that another could take the place of */
export function refuseOther(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) throw new CommandError(`${path} is no file`);
}

/**
 * Writes a file that nobody else may read, for it holds secrets. It has its name once it is whole, and then takes the
 * place of another of that name.
 *
 * @throws the error of the system or of the text
 */
export async function writeFile(path: string, text: AsyncIterable<string>): Promise<void> {
  const unfinished = `${path}.part`;
  rmSync(unfinished, { force: true });
  try {
    const output = createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(text), output);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
