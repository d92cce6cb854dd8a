import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PROGRAM } from '../server-process.ts';

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** In milliseconds. */
  readonly took: number;
}

/** How long a command that should fail may take, in milliseconds. */
const PATIENCE = 20_000;

/** Runs the compiled program until it ends by itself. A server that starts although it should not is ended. */
export async function run(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  parameters = ['serve', '--migrate'],
): Promise<Ending> {
  const started = performance.now();
  const [program, ...first] = PROGRAM;
  const child = spawn(program, [...first, ...parameters], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, PORT: '0', BCRYPT_ROUNDS: '4', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  const output = { stdout: '', stderr: '' };
  collect(child, output);
  await once(child, 'close');
  clearTimeout(patience);
  return { code: child.exitCode, took: performance.now() - started, ...output };
}

function collect(child: ChildProcess, output: { stdout: string; stderr: string }): void {
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    if (/\bready at http/.test(output.stdout)) child.kill('SIGTERM');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
}
