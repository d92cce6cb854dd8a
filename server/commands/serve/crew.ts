import cluster, { type Worker } from 'node:cluster';
import type { FastifyBaseLogger } from 'fastify';
import { CommandError } from '../command.ts';
import { DOOR_CLOSED, END, HAND_OVER, STOP } from './worker-messages.ts';

/** How long a worker may take to listen, in milliseconds. */
const START_LIMIT = 60_000;

/** A worker that lived for so long, in milliseconds, ended by chance; one that did not probably ends again. */
const STEADY = 10_000;

/** The pause before the third of several that ended soon, in milliseconds; it doubles with each more. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** The place of a worker, which others take when it ends. */
interface Seat {
  worker: Worker | undefined;
  startedAt: number;
  /** How many in a row ended soon after they were started. */
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/** How long to wait before a worker is started in place of the last of several that ended soon, in milliseconds. */
export function pauseAfter(failures: number): number {
  return failures < 2 ? 0 : Math.min(FIRST_PAUSE * 2 ** (failures - 2), LONGEST_PAUSE);
}

/** Processes that serve at one address. Those that end are replaced. */
export class Crew {
  readonly #seats: readonly Seat[];
  readonly #logger: FastifyBaseLogger;
  readonly #alive = new Set<Worker>();
  readonly #listening = new WeakSet<Worker>();
  #hasStarted = false;
  #isStopping = false;

  /** @param parameters the command line of a worker */
  constructor(count: number, parameters: readonly string[], logger: FastifyBaseLogger) {
    this.#seats = Array.from({ length: count }, () => ({
      worker: undefined,
      startedAt: 0,
      failures: 0,
      timer: undefined,
    }));
    this.#logger = logger;
    // Only so is a connection, which one that ends did not take, given to another.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ args: [...parameters] });
  }

  /** @throws CommandError when one ends before it listens; it will have said why */
  async start(): Promise<void> {
    await Promise.all(
      this.#seats.map((seat) => {
        const { worker, ready } = this.#fork();
        this.#occupy(seat, worker);
        return ready;
      }),
    );
    this.#hasStarted = true;
  }

  /** Puts a new worker into each seat, one after the other. The old one goes when the new one listens. */
  async replaceAll(): Promise<void> {
    for (const seat of this.#seats) {
      if (this.#isStopping) return;
      const { worker, ready } = this.#fork();
      try {
        await ready;
      } catch (error) {
        if (!this.#isStopping)
          this.#logger.error(
            `The restart ends here, and the old workers serve on. ${(error as Error).message}`,
          );
        return;
      }
      const old = seat.worker;
      this.#occupy(seat, worker);
      if (old !== undefined) this.#tell(old, HAND_OVER);
    }
    this.#logger.info('Every worker was replaced');
  }

  /**
   * Stops all, also those that serve their last connections.
   *
   * @param limit after how long those that still run are killed, in milliseconds
   * @returns whether none had to be
   */
  async stop(limit: number): Promise<boolean> {
    this.#isStopping = true;
    for (const { timer } of this.#seats) clearTimeout(timer);
    const ended = [...this.#alive].map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    const closed = [...this.#alive].map(doorClosed);
    for (const worker of this.#alive) this.#tell(worker, STOP);
    let isClean = true;
    const deadline = setTimeout(() => {
      isClean = false;
      for (const worker of this.#alive) worker.process.kill('SIGKILL');
    }, limit);
    await Promise.all(closed);
    for (const worker of this.#alive) this.#tell(worker, END);
    await Promise.all(ended);
    clearTimeout(deadline);
    return isClean;
  }

  #fork(): { worker: Worker; ready: Promise<void> } {
    const worker = cluster.fork();
    this.#alive.add(worker);
    whenEnded(worker, () => this.#alive.delete(worker));
    const ready = listening(worker).then(() => {
      this.#listening.add(worker);
      this.#logger.info(`Worker ${worker.process.pid} is ready`);
    });
    return { worker, ready };
  }

  #occupy(seat: Seat, worker: Worker): void {
    clearTimeout(seat.timer);
    seat.worker = worker;
    seat.startedAt = performance.now();
    whenEnded(worker, (how) => {
      const isExpected = this.#isStopping || seat.worker !== worker;
      // What happens before all have started is for `start` to tell.
      if (!isExpected && (this.#hasStarted || this.#listening.has(worker))) this.#refill(seat, how);
    });
  }

  #refill(seat: Seat, how: string): void {
    seat.failures = performance.now() - seat.startedAt < STEADY ? seat.failures + 1 : 0;
    const pause = pauseAfter(seat.failures);
    const next = pause === 0 ? 'another is started' : `another is started in ${pause / 1000} s`;
    this.#logger.warn(`Worker ${seat.worker?.process.pid ?? ''} ${how}; ${next}`);
    seat.timer = setTimeout(() => {
      const { worker, ready } = this.#fork();
      this.#occupy(seat, worker);
      // Why one that ended is not ready is told when it ends.
      ready.catch(() => {});
    }, pause);
  }

  /** One that does not listen yet serves nobody, and is not waited for. */
  #tell(worker: Worker, message: string): void {
    if (!this.#listening.has(worker)) worker.process.kill('SIGKILL');
    else if (worker.isConnected()) worker.send(message, () => {});
  }
}

/** @throws CommandError when the worker ends or takes too long instead */
function listening(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => worker.process.kill('SIGKILL'), START_LIMIT);
    worker.once('listening', () => {
      clearTimeout(limit);
      resolve();
    });
    whenEnded(worker, (how) => {
      clearTimeout(limit);
      reject(new CommandError(`A worker ${how} before it was ready`));
    });
  });
}

/** Resolves when a worker says that it takes no new connections, or has ended. */
function doorClosed(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.on('message', (message) => {
      if (message === DOOR_CLOSED) resolve();
    });
  });
}

/** Tells how a worker ended: "was ended by SIGKILL". */
function whenEnded(worker: Worker, tell: (how: string) => void): void {
  worker.once('exit', (code: number, signal: string | null) => {
    tell(signal ? `was ended by ${signal}` : `ended with exit code ${code}`);
  });
  worker.on('error', (error) => {
    // Without a process there is no exit. Other errors are of messages to one that has just ended.
    if (worker.process.pid === undefined) tell(`could not be made (${error.message})`);
  });
}
