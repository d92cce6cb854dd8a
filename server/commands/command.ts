import type { Database } from '../../db/statement.ts';
import type { LoadedSettings } from '../settings.ts';

/** What a command has to do with the world. */
export interface CommandContext {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Read once. @throws SettingsError */
  loadSettings(): Promise<LoadedSettings>;
  /** Opened once, as it is, and closed when the command ends. @throws SettingsError or the driver's error */
  openDatabase(): Promise<Database>;
}

export interface Command {
  name: string;
  aliases?: readonly string[];
  /** One line for the list of commands. */
  summary: string;
  /** The help text. Its first paragraph, which begins with `usage: `, is shown with a complaint about flags too. */
  usage: string;
  /**
   * @returns the exit code
   * @throws UsageError, CommandError and what else `explainFailure` knows
   */
  run(context: CommandContext, args: string[]): Promise<number>;
}

/** A command cannot do what it is asked to. The message is one line for people. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** The flags and arguments are none that the command takes. The message is one line for people. */
export class UsageError extends Error {
  override name = 'UsageError';
}
