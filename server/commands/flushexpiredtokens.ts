import { recordEvents } from '../audit/record.ts';
import { flushExpired } from '../tokens/flush.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { openProgressLine } from './progress-line.ts';

/** SimpleJWT's command of this name. */
export const flushexpiredtokens: Command = {
  name: 'flushexpiredtokens',
  summary: 'Flushes any expired tokens in the outstanding token list.',
  usage: `usage: jotgate flushexpiredtokens

Flushes any expired tokens in the outstanding token list, and their entries in the blacklist; with them
the admin sessions and set-up keys whose time is over. It works in small batches, so a running server
is not held up. A running server does it by itself (FLUSH_INTERVAL).

options:${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { verbosity } = parseFlags(args, {});
  const { settings } = await context.loadSettings();
  const db = await openMigratedDatabase(context);
  const now = new Date();
  const line = openProgressLine(context.stdout);
  const onProgress = (count: number) => verbosity >= 1 && line.show(`${count} expired tokens flushed …`);
  const count = await flushExpired(db, settings, now, { onProgress }).finally(() => line.end());
  const reason = `${count} expired ${count === 1 ? 'token' : 'tokens'}`;
  await recordEvents(db, [{ kind: 'tokens_flushed', origin: commandOrigin(context), reason }], now);
  if (verbosity >= 1) context.stdout.write(`${reason} flushed.\n`);
  return 0;
}
