import { Readable, Writable } from 'node:stream';
import { runCommandLine } from './command-line.ts';

export interface CommandRun {
  code: number;
  out: string;
  err: string;
}

export interface CommandSurroundings {
  folder: string;
  env: Readonly<Record<string, string>>;
  /** What is typed. */
  input?: string;
  isTTY?: boolean;
}

/** A process's stream, of which all that is written to it is kept. */
function keeper(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream, read: () => text };
}

/** Runs a command in this process, and gives what it said. */
export async function runCommand(
  args: readonly string[],
  { folder, env, input = '', isTTY = false }: CommandSurroundings,
): Promise<CommandRun> {
  const [out, err] = [keeper(isTTY), keeper(isTTY)];
  const stdin = Readable.from([input]) as NodeJS.ReadStream;
  const code = await runCommandLine(
    {
      stdin,
      stdout: out.stream,
      stderr: err.stream,
      env: { SECRET_KEY: 'x'.repeat(64), ...env },
      cwd: folder,
    },
    args,
  );
  return { code, out: out.read(), err: err.read() };
}
