import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../../../db/statement.ts';
import type { Settings } from '../../settings.ts';
import { type Address, urlOf } from './address.ts';
import { startServing } from './serving.ts';
import { stopSignal } from './stop-signal.ts';
import { startUpkeep } from './upkeep.ts';
import { welcome } from './welcome.ts';

/** Serves in this process until it is told to stop. */
export async function serveAlone(
  db: Database,
  settings: Settings,
  { logger, address, say }: { logger: FastifyBaseLogger; address: Address; say: (text: string) => void },
): Promise<void> {
  const stopped = stopSignal();
  const serving = await startServing(db, settings, logger, address);
  const endUpkeep = startUpkeep(db, settings, logger);
  say(await welcome(db, urlOf(serving.address)));
  await stopped;
  await serving.announceEnd();
  await Promise.all([serving.end(), endUpkeep()]);
}
