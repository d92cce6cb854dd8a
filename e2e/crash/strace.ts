import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** One call that makes the system write to the disk what is in its memory. Times are in milliseconds since the epoch. */
export interface Sync {
  readonly path: string;
  readonly began: number;
  readonly ended: number;
}

export interface Trace {
  /** Lets the process go on untraced. */
  stop(): Promise<readonly Sync[]>;
}

/** How long strace may take to get hold of a process, in milliseconds. */
const PATIENCE = 15_000;

/** How long a package manager may take, in milliseconds. */
const INSTALL_LIMIT = 300_000;

/**
 * The path of strace: what a server asks of the system cannot be seen from outside otherwise. It is installed where
 * that can be done.
 *
 * @throws Error that says what to install
 */
export function findStrace(): string {
  const found = onPath();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    for (const parameters of [['update'], ['install', '-y', '--no-install-recommends', 'strace']]) {
      execFileSync('apt-get', parameters, { stdio: 'ignore', timeout: INSTALL_LIMIT });
    }
  }
  const installed = onPath();
  if (installed === undefined) {
    throw new Error('Counting what is written to the disk needs strace: apt-get install strace');
  }
  return installed;
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'strace')).find(existsSync);
}

/** Records every fsync and fdatasync of a process that runs. */
export async function traceSyncs(pid: number): Promise<Trace> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-strace-'));
  const file = join(folder, 'trace');
  const child = await attach(pid, ['-y', '-ttt', '-T', '-e', 'trace=fsync,fdatasync', '-o', file]);
  return {
    async stop() {
      const exited = once(child, 'close');
      child.kill('SIGINT');
      await exited;
      const syncs = readSyncs(readFileSync(file, 'utf8'));
      rmSync(folder, { recursive: true });
      return syncs;
    },
  };
}

/** Kills a process that runs with SIGKILL at its nth call of any of these, before it is carried out. */
export async function killAt(pid: number, calls: string, nth: number): Promise<void> {
  const inject = `inject=${calls}:signal=SIGKILL:when=${nth}`;
  await attach(pid, ['-e', `trace=${calls}`, '-e', inject, '-o', '/dev/null']);
}

/** The command line that runs another, and kills it at its nth call of any of these. */
export function killedAt(calls: string, nth: number): [program: string, ...parameters: string[]] {
  const inject = `inject=${calls}:signal=SIGKILL:when=${nth}`;
  return [findStrace(), '-f', '-qq', '-e', `trace=${calls}`, '-e', inject, '-o', '/dev/null'];
}

/** Resolves once every thread of the process is traced. */
async function attach(pid: number, parameters: readonly string[]): Promise<ChildProcess> {
  const child = spawn(findStrace(), ['-f', '-p', String(pid), ...parameters], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const deadline = performance.now() + PATIENCE;
  while (!/: Process \d+ attached/.test(said)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`strace cannot look at the server (is ptrace allowed here?): ${said}`);
    }
    await delay(5);
  }
  return child;
}

/** Lines such as `25179 1795524855.567013 fsync(19</a/db-wal>) = 0 <0.011199>`, or in two parts. */
function readSyncs(trace: string): Sync[] {
  const open = new Map<string, { path: string; began: number }>();
  const syncs: Sync[] = [];
  for (const line of trace.split('\n')) {
    const [, pid = '', seconds = '', rest = ''] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line) ?? [];
    const at = Number(seconds) * 1000;
    const path = /^(?:fsync|fdatasync)\(\d+<(.*)>/.exec(rest)?.[1];
    const took = Number(/= 0 <(\d+\.\d+)>$/.exec(rest)?.[1]) * 1000;
    if (path !== undefined && Number.isNaN(took)) open.set(pid, { path, began: at });
    else if (path !== undefined) syncs.push({ path, began: at, ended: at + took });
    const begun = open.get(pid);
    if (begun === undefined || !/resumed>.*= 0/.test(rest)) continue;
    open.delete(pid);
    syncs.push({ ...begun, ended: at });
  }
  return syncs;
}
