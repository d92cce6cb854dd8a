import type { Origin } from '../audit/record.ts';
import type { CommandContext } from './command.ts';
import { systemUsername } from './system-username.ts';

/** Who is behind what a command does, for the history: whoever is logged in to this machine. */
export function commandOrigin({ env }: CommandContext): Origin {
  return { via: 'command', actor: { id: null, name: systemUsername(env) } };
}
