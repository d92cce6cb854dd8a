import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../../db/statement.ts';
import type { LoadedSettings } from '../settings.ts';
import type { CommandContext } from './command.ts';

/** What a process gives to the commands it runs. */
export type World = Pick<CommandContext, 'stdin' | 'stdout' | 'stderr' | 'env' | 'cwd'>;

/** A context, and `close` to call when the command has ended. */
export function makeContext(world: World): CommandContext & { close(): Promise<void> } {
  let settings: Promise<LoadedSettings> | undefined;
  let database: Promise<Database> | undefined;
  const loadSettings = () => {
    settings ??= readSettings(world);
    return settings;
  };
  const openDatabase = () => {
    database ??= loadSettings().then(connectTo);
    return database;
  };
  const close = async () => {
    const db = await database?.catch(() => undefined);
    await db?.destroy();
  };
  return { ...world, loadSettings, openDatabase, close };
}

async function readSettings({ env, cwd }: World): Promise<LoadedSettings> {
  const { loadSettings } = await import('../settings.ts');
  const { readOrMakeSecretKey } = await import('../settings/secret-key.ts');
  return loadSettings({ env, dotenv: readIfThere(join(cwd, '.env')), readOrMakeSecretKey });
}

async function connectTo({ settings }: LoadedSettings): Promise<Database> {
  const { connect } = await import('../../db/connect.ts');
  return connect(settings.DATABASE_URL, { poolSize: settings.DATABASE_POOL_SIZE });
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
