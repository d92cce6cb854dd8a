import { closeSync, openSync } from 'node:fs';
import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../../../db/statement.ts';
import type { Settings } from '../../settings.ts';
import { type Address, addressText, tryAddress, urlOf } from './address.ts';
import { Crew } from './crew.ts';
import { stopSignal } from './stop-signal.ts';
import { startUpkeep } from './upkeep.ts';
import { welcome } from './welcome.ts';

/** How long workers may take to end besides SHUTDOWN_DELAY, in milliseconds: longer than any request may take. */
const STOP_LIMIT = 20_000;

interface Surroundings {
  logger: FastifyBaseLogger;
  address: Address;
  say: (text: string) => void;
  stdin: NodeJS.ReadStream;
}

/**
 * Serves with WORKERS processes until it is told to stop. This one serves nothing itself: it looks after them, and
 * after the database.
 *
 * @returns the exit code
 * @throws CommandError when one does not even start
 */
export async function serveWithWorkers(
  db: Database,
  settings: Settings,
  { logger, address, say, stdin }: Surroundings,
): Promise<number> {
  const bound = await tryAddress(address);
  const crew = new Crew(settings.WORKERS, ['serve', addressText(bound)], logger);
  const started = crew.start();
  const stopped = Promise.race([
    stopSignal(),
    hangUps(stdin.isTTY === true, () => crew.replaceAll(), started),
  ]);
  try {
    await Promise.race([started, stopped]);
  } catch (error) {
    await crew.stop(0);
    throw error;
  }
  const endUpkeep = startUpkeep(db, settings, logger);
  started.then(
    async () => say(await welcome(db, urlOf(bound))),
    () => {},
  );
  await stopped;
  const limit = settings.SHUTDOWN_DELAY * 1000 + STOP_LIMIT;
  const [isClean] = await Promise.all([crew.stop(limit), endUpkeep()]);
  if (!isClean) logger.error('Workers that did not end in time were killed');
  return isClean ? 0 : 1;
}

/**
 * Restarts at each SIGHUP, one time after the other.
 *
 * @returns when SIGHUP says that the terminal is gone in which the server was started: nobody could stop it any more
 */
function hangUps(hasTerminal: boolean, restart: () => Promise<void>, started: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let restarting = started.catch(() => {});
    let isWaiting = false;
    process.on('SIGHUP', () => {
      if (hasTerminal && isTerminalGone()) return resolve();
      if (isWaiting) return;
      isWaiting = true;
      restarting = restarting.then(() => {
        isWaiting = false;
        return restart();
      });
    });
  });
}

function isTerminalGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
