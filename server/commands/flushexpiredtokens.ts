import { recordEvents } from '../audit/record.ts';
import { flushExpiredTokens } from '../tokens/store.ts';
import type { Command, CommandContext } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';

/** SimpleJWT's command of this name. */
export const flushexpiredtokens: Command = {
  name: 'flushexpiredtokens',
  summary: 'Flushes any expired tokens in the outstanding token list.',
  usage: `usage: jotgate flushexpiredtokens

Flushes any expired tokens in the outstanding token list, and their entries in the blacklist.

options:${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { verbosity } = parseFlags(args, {});
  const db = await openMigratedDatabase(context);
  const now = new Date();
  const flushed = await db.transaction().execute(async (trx) => {
    const count = await flushExpiredTokens(trx, now);
    const reason = `${count} expired ${count === 1 ? 'token' : 'tokens'}`;
    await recordEvents(trx, [{ kind: 'tokens_flushed', origin: commandOrigin(context), reason }], now);
    return reason;
  });
  if (verbosity >= 1) context.stdout.write(`${flushed} flushed.\n`);
  return 0;
}
