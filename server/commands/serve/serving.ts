import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../../../db/statement.ts';
import { buildApp } from '../../app.ts';
import { watchConnections } from '../../http/connections.ts';
import type { Settings } from '../../settings.ts';
import { type Address, explainListening } from './address.ts';

/** A server that listens, and the ways in which it ends. */
export interface Serving {
  /** With the port that port 0 came to. */
  address: Address;
  /** Serves on for SHUTDOWN_DELAY, and says at /readyz that it is about to end. */
  announceEnd(): Promise<void>;
  /**
   * Takes no new connections, which go to another process, and serves those it has until their clients noticed: as long
   * as a connection may be idle anyway.
   */
  handOver(): Promise<void>;
  /** Takes no new connections, and serves on those it has. */
  refuseMore(): void;
  /** Answers what is in flight and ends. */
  end(): Promise<void>;
}

/** How long a client that keeps a connection may take to send what it was about to send, in milliseconds. */
const LAST_MOMENT = 1_000;

/** By how much a connection may outlast the time that it may be idle, in milliseconds. */
const IDLE_MARGIN = 5_000;

/** The longest time that a timer takes, in milliseconds: 24 days. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Builds the server and listens. @throws CommandError when the address cannot be listened on */
export async function startServing(
  db: Database,
  settings: Settings,
  logger: FastifyBaseLogger,
  address: Address,
): Promise<Serving> {
  let isStopping = false;
  const app = await buildApp({ db, settings, logger, isStopping: () => isStopping });
  const connections = watchConnections(app.server);
  await explainListening(address, () => app.listen(address));
  const { port } = app.server.address() as AddressInfo;
  return {
    address: { host: address.host, port },
    async announceEnd() {
      isStopping = true;
      await pause(Math.min(settings.SHUTDOWN_DELAY * 1000, LONGEST_TIMER));
    },
    refuseMore: () => connections.refuseMore(),
    handOver: () => connections.drain(app.server.keepAliveTimeout + IDLE_MARGIN),
    async end() {
      await connections.drain(LAST_MOMENT);
      const haveGone = connections.letGo();
      await app.close();
      haveGone();
    },
  };
}
