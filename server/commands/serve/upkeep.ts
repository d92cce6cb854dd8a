import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../../../db/statement.ts';
import { recordEvents } from '../../audit/record.ts';
import type { Settings } from '../../settings.ts';
import { flushExpired } from '../../tokens/flush.ts';

/** How long after the start the first flush comes, in milliseconds: those who wait for the server come first. */
const FIRST_FLUSH = 10_000;

/** The longest time that a timer takes, in milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

type Logger = Pick<FastifyBaseLogger, 'error'>;

/**
 * Deletes what is over from time to time, as FLUSH_INTERVAL says. Several at the same time do no harm, but one is
 * enough for a machine.
 *
 * @returns a function that ends it, and resolves when nothing is being done any more
 */
export function startUpkeep(db: Database, settings: Settings, logger: Logger): () => Promise<void> {
  if (settings.FLUSH_INTERVAL === 0) return async () => {};
  const interval = Math.min(settings.FLUSH_INTERVAL * 1000, LONGEST_TIMER);
  let isOver = false;
  let flushing = Promise.resolve();
  let timer: NodeJS.Timeout;
  const schedule = (pause: number) => {
    timer = setTimeout(() => {
      flushing = flush(db, settings, () => isOver)
        .catch((error: unknown) => logger.error({ err: error }, 'Expired tokens could not be flushed'))
        .then(() => {
          if (!isOver) schedule(interval);
        });
    }, pause).unref();
  };
  schedule(Math.min(FIRST_FLUSH, interval));
  return async () => {
    isOver = true;
    clearTimeout(timer);
    await flushing;
  };
}

async function flush(db: Database, settings: Settings, isOver: () => boolean): Promise<void> {
  const now = new Date();
  const count = await flushExpired(db, settings, now, { isOver });
  if (count === 0) return;
  const reason = `${count} expired ${count === 1 ? 'token' : 'tokens'}`;
  await recordEvents(db, [{ kind: 'tokens_flushed', origin: { via: 'command', actor: null }, reason }], now);
}
