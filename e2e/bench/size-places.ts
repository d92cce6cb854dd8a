import { constants, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '../postgres.ts';
import { databaseOf, sizedFolder } from './size-database.ts';
import { temporaryFolder } from './size-folder.ts';
import { fillPostgres, makePostgres } from './size-postgres.ts';
import type { Size } from './size-rows.ts';

const EMPTY: Size = { users: 0, tokens: 0 };

/** A database, and a working folder for a server with it. */
export interface Place {
  folder: string;
  /** As DATABASE_URL takes it. */
  url: string;
}

/** A full database and an empty one, of the same kind. */
export interface Places {
  full: Place;
  empty: Place;
  /** Removes what is not kept for the next time. */
  close(): Promise<void>;
}

/** Files that are kept, for it takes minutes to make the full one: what is done to it should not change its size. */
export async function keptOnSqlite(size: Size): Promise<Places> {
  const place = async (some: Size): Promise<Place> => {
    const folder = await sizedFolder(some);
    console.log(`${some.users} users and ${some.tokens} tokens: ${folder}`);
    return { folder, url: `sqlite:${databaseOf(folder)}` };
  };
  return { full: await place(size), empty: await place(EMPTY), close: async () => {} };
}

/** The same as copies, for what adds and deletes rows. */
export function copiedOnSqlite(kept: Places): Places {
  const root = temporaryFolder('jotgate-size-copy-');
  const copy = (name: 'full' | 'empty'): Place => {
    const folder = join(root.path, name);
    mkdirSync(join(folder, 'data'), { recursive: true });
    copyFileSync(databaseOf(kept[name].folder), databaseOf(folder), constants.COPYFILE_FICLONE);
    return { folder, url: `sqlite:${databaseOf(folder)}` };
  };
  return { full: copy('full'), empty: copy('empty'), close: async () => root.remove() };
}

/**
 * Two databases of one Postgres server of their own, on the disk and with the server's own settings for crashes; the
 * full one with the rows that the one on SQLite has.
 */
export async function onPostgres(size: Size): Promise<Places> {
  const source = databaseOf(await sizedFolder(size));
  const server = await startPostgres({ isDurable: true });
  const root = temporaryFolder('jotgate-size-folders-');
  const close = async () => {
    await server.remove();
    root.remove();
  };
  try {
    console.log(`Postgres ${server.version}`);
    const place = async (name: string): Promise<Place> => {
      const folder = join(root.path, name);
      mkdirSync(folder);
      return { folder, url: await makePostgres(server.url, `jotgate_${name}`) };
    };
    const [full, empty] = [await place('full'), await place('empty')];
    await fillPostgres(full.url, source);
    return { full, empty, close };
  } catch (error) {
    await close();
    throw error;
  }
}
