import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work in a folder of its own that nobody else may look into, and removes it afterwards, also when the command is
 * interrupted.
 *
 * @param place the folder to make it in
 * @throws what the work threw, or the system's error
 */
export async function inWorkFolder<Result>(
  place: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(place, '.jotgate-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const interrupted = (signal: NodeJS.Signals) => {
    remove();
    // Ends as if there were no such listener.
    for (const name of SIGNALS) process.off(name, interrupted);
    process.kill(process.pid, signal);
  };
  for (const name of SIGNALS) process.on(name, interrupted);
  try {
    return await work(folder);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupted);
    remove();
  }
}
