import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { connect } from '../../../db/connect.ts';
import { type CopyProgress, copySqlite, isBroken, stateOf } from '../../../db/sqlite-copy.ts';
import { CommandError } from '../command.ts';

/**
 * Makes sure that a database may be replaced.
 *
 * @throws CommandError when a process has it open
 */
export function requireUnused(database: string): void {
  if (existsSync(database) && stateOf(database) === 'open') {
    throw new CommandError(`${database} is in use: stop the server, and whatever else has it open, first`);
  }
}

/**
 * Puts a draft in the place of a database, of which a copy is kept beside it. It is replaced in one transaction: whenever
 * this ends, it is either as it was or as it should be. One that is so broken that it cannot be opened is put aside.
 *
 * @returns the copy's path; null where there was no database
 */
export async function replaceDatabase(
  database: string,
  draft: string,
  onProgress: (progress: CopyProgress) => void,
): Promise<string | null> {
  const kept = existsSync(database) ? await keep(database) : null;
  // Makes the folder and an empty database where there is none.
  await connect(`sqlite:${database}`).destroy();
  requireUnused(database);
  await copySqlite(draft, database, onProgress);
  return kept;
}

async function keep(database: string): Promise<string> {
  const time = new Date().toISOString().replace(/[-:.]/g, '');
  const kept = `${database}.before-restore-${time}`;
  try {
    await copySqlite(database, kept);
  } catch (error) {
    if (!isBroken(error)) throw error;
    putAside(database, kept);
  }
  chmodSync(kept, 0o600);
  return kept;
}

function putAside(database: string, kept: string): void {
  renameSync(database, kept);
  if (existsSync(`${database}-wal`)) renameSync(`${database}-wal`, `${kept}-wal`);
  for (const suffix of ['-shm', '-journal']) rmSync(database + suffix, { force: true });
}
