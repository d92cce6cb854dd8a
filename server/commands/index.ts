import { nearestName } from '../settings/nearest-name.ts';
import type { Command } from './command.ts';

/** Loaded one by one: a command should not wait for what another needs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serve,
  migrate: async () => (await import('./migrate.ts')).migrate,
  createsuperuser: async () => (await import('./createsuperuser.ts')).createsuperuser,
  changepassword: async () => (await import('./changepassword.ts')).changepassword,
  flushexpiredtokens: async () => (await import('./flushexpiredtokens.ts')).flushexpiredtokens,
  endsessions: async () => (await import('./endsessions.ts')).endsessions,
  importusers: async () => (await import('./importusers.ts')).importusers,
  exportusers: async () => (await import('./exportusers.ts')).exportusers,
  rotatekeys: async () => (await import('./rotatekeys.ts')).rotatekeys,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
  check: async () => (await import('./check.ts')).check,
  help: async () => (await import('./help.ts')).help,
  version: async () => (await import('./version.ts')).version,
};

const ALIASES: Readonly<Record<string, string>> = {
  runserver: 'serve',
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
};

export async function findCommand(name: string): Promise<Command | null> {
  const canonical = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  return Object.hasOwn(COMMANDS, canonical) ? ((await COMMANDS[canonical]?.()) ?? null) : null;
}

/** Every command, in the order in which a newcomer needs them. */
export function listCommands(): Promise<Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** What is said to a name that no command has. */
export function unknownCommand(name: string): string {
  const nearest = nearestName(name, Object.keys(COMMANDS));
  const guess = nearest ? ` Did you mean ${nearest}?` : '';
  return `Unknown command: '${name}'.${guess} Type 'jotgate help' for usage.`;
}
