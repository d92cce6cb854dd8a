import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../../../db/statement.ts';
import type { Settings } from '../../settings.ts';
import type { Address } from './address.ts';
import { startServing } from './serving.ts';
import { stopSignal } from './stop-signal.ts';
import { DOOR_CLOSED, END, HAND_OVER, STOP } from './worker-messages.ts';

/** How long a worker that stops waits for the others, in milliseconds. */
const OTHERS_LIMIT = 2_000;

/** Serves as one of several processes, until it is told to stop or that another is in its place. */
export async function serveAsWorker(
  db: Database,
  settings: Settings,
  { logger, address }: { logger: Logger; address: Address },
): Promise<void> {
  endWithOneLine(logger);
  // It is for the process above to restart; to a terminal that closes, all of them are one.
  process.on('SIGHUP', () => {});
  const stopped = Promise.race([stopSignal(), message(STOP)]);
  const replaced = message(HAND_OVER);
  const serving = await startServing(db, settings, logger, address);
  const isReplaced = await Promise.race([stopped.then(() => false), replaced.then(() => true)]);
  if (isReplaced) await Promise.race([serving.handOver(), stopped]);
  else await serving.announceEnd();
  serving.refuseMore();
  process.send?.(DOOR_CLOSED);
  if (!isReplaced) await Promise.race([message(END), pause(OTHERS_LIMIT, undefined, { ref: false })]);
  await serving.end();
}

function message(wanted: string): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (text) => {
      if (text === wanted) resolve();
    });
  });
}

/** A fault of the program ends the worker, which is replaced: whoever reads the log needs to know why. */
function endWithOneLine(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'A worker failed');
    logger.flush(() => process.exit(1));
  });
}
