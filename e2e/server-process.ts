import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '../db/connect.ts';
import { makeTestDatabase, ON_POSTGRES, type TestDatabase } from '../db/database.fixture.ts';
import type { UserRow } from '../db/tables.ts';
import { hashPassword } from '../server/users/hashers.ts';
import { createUser, type NewUser } from '../server/users/users.ts';
import { settingsOf } from './settings-of.ts';

export const PROJECT_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** The compiled entry point: `tsc -b` makes it. */
export const MAIN_FILE = join(PROJECT_FOLDER, 'dist', 'server', 'main.js');

/**
 * The program and its first parameters, as it is run in tests. With SHORT_LIVED, V8 does not optimize: most processes of
 * the tests end before that is worth what it takes, a fifth of their start.
 */
export const PROGRAM = [
  process.execPath,
  ...(process.env.SHORT_LIVED ? ['--no-opt'] : []),
  MAIN_FILE,
] as const;

/** How long a server may take to be ready, and to end, in milliseconds. */
const PATIENCE = 30_000;

/** The cheapest bcrypt there is: what is tested is hardly ever the cost of a hash. */
const BCRYPT_ROUNDS = '4';

export interface ServerOptions {
  /** Settings by name, given as environment variables; nothing else of this process's environment is inherited. */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * The working folder, which then outlives the server, with its database, which is SQLite there. By default a fresh one
   * that goes with it.
   */
  readonly folder?: string;
  /** A program, with its parameters, that becomes the server once it is done: a limit of the system, for one. */
  readonly through?: readonly string[];
}

export interface Account extends Omit<NewUser, 'passwordHash'> {
  readonly password: string;
}

export interface ServerProcess {
  /** Where it listens, without a slash at the end: `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly pid: number;
  readonly folder: string;
  /** The path of the SQLite file, unless DATABASE_URL names another or the tests run on Postgres. */
  readonly database: string;
  /** Its database, as DATABASE_URL takes it. */
  readonly databaseUrl: string;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Adds an account to its database while it runs, by the project's own functions. Ids count from 1. */
  createUser(account: Account): Promise<UserRow>;
  /**
   * Ends it by SIGTERM and waits; a second call waits for the first. Removes the folder unless it was given.
   *
   * @throws AssertionError when it does not exit with 0
   */
  stop(): Promise<void>;
}

/**
 * Starts the compiled server on a free port and waits until it says that it is ready.
 *
 * @throws Error with everything that the process wrote when it ends or stays silent instead
 */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'jotgate-e2e-'));
  const database = join(folder, 'data', 'jotgate.sqlite3');
  const own = await ownDatabase(options);
  const databaseUrl = options.settings?.DATABASE_URL ?? own?.url ?? `sqlite:${database}`;
  const settings = {
    ...{ LOG_LEVEL: 'warn', BCRYPT_ROUNDS },
    ...(own === undefined ? {} : { DATABASE_URL: own.url }),
    ...options.settings,
    PORT: '0',
  };
  const [program = '', ...parameters] = [...(options.through ?? []), ...PROGRAM];
  const child = spawn(program, [...parameters, 'serve', '--migrate'], {
    cwd: folder,
    env: { ...inherited(), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const remains = { child, folder: options.folder === undefined ? folder : undefined };
  LEFT_BEHIND.add(remains);
  const exited = once(child, 'close');
  const output = collect(child);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= end(child, exited, output).finally(async () => {
      clear(remains);
      await own?.remove();
    });
    return stopped;
  };
  try {
    return {
      url: await ready(exited, output),
      pid: child.pid as number,
      folder,
      database,
      databaseUrl,
      stdout: () => output.stdout,
      stderr: () => output.stderr,
      createUser: (account) => insertUser(databaseUrl, account, settings.BCRYPT_ROUNDS),
      stop,
    };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

/** Where the tests run on Postgres, a database for a server that has neither a folder nor a database yet. */
async function ownDatabase({ folder, settings }: ServerOptions): Promise<TestDatabase | undefined> {
  const isPlaced = folder !== undefined || settings?.DATABASE_URL !== undefined;
  return ON_POSTGRES && !isPlaced ? makeTestDatabase() : undefined;
}

/** What every program needs of its surroundings: not the settings of whoever runs the tests. */
function inherited(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SYSTEMROOT'].map((name) => [name, process.env[name]]);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}

interface Output {
  stdout: string;
  stderr: string;
}

function collect(child: ChildProcess): Output {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return output;
}

async function ready(exited: Promise<unknown>, output: Output): Promise<string> {
  const deadline = performance.now() + PATIENCE;
  let ended = false;
  exited.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  while (!ended && performance.now() < deadline) {
    const url = /\bready at (http:\/\/\S+?)\/?\s/.exec(output.stdout)?.[1];
    if (url !== undefined) return url;
    await delay(5);
  }
  throw new Error(
    `The server ${ended ? 'ended' : 'was not ready in time'}:\n${output.stdout}${output.stderr}`,
  );
}

async function end(child: ChildProcess, exited: Promise<unknown>, output: Output): Promise<void> {
  child.kill('SIGTERM');
  const hurry = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  await exited;
  clearTimeout(hurry);
  assert.deepEqual(
    { code: child.exitCode, signal: child.signalCode },
    { code: 0, signal: null },
    `The server ended badly:\n${output.stdout}${output.stderr}`,
  );
}

async function insertUser(
  databaseUrl: string,
  { password, ...user }: Account,
  rounds: string,
): Promise<UserRow> {
  const db = connect(databaseUrl, { poolSize: 2 });
  try {
    const passwordHash = await hashPassword(password, settingsOf({ BCRYPT_ROUNDS: rounds }));
    return await createUser(db, { ...user, passwordHash }, new Date());
  } finally {
    await db.destroy();
  }
}

interface Remains {
  readonly child: ChildProcess;
  /** A folder of ours to remove. */
  readonly folder: string | undefined;
}

const LEFT_BEHIND = new Set<Remains>();

function clear(remains: Remains): void {
  const { child, folder } = remains;
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  LEFT_BEHIND.delete(remains);
}

// A test that fails, is aborted or runs out of time must not leave a server or a folder behind.
process.once('exit', () => LEFT_BEHIND.forEach(clear));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
