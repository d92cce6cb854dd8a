import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { queryDatabase } from '../database-query.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { ask } from './client.ts';
import { damages, jtiOf, Ledger } from './ledger.ts';

const PASSWORD = 'pw-Fixture-123';

/** How many people rotate their tokens at the same time. */
const CLIENTS = 12;

/** After how many answers the server is killed at the latest. */
const MOST_ANSWERS = 120;

/** How long a storm lasts at most, in milliseconds. */
const LONGEST = 10_000;

/** Memory that looks like a disk: kill -9 loses nothing that was written there, and much more is under way. */
const MEMORY = '/dev/shm';

const SETTINGS = {
  ROTATE_REFRESH_TOKENS: 'true',
  BLACKLIST_AFTER_ROTATION: 'true',
  LOGIN_FAILURES_PER_ADDRESS: '0',
};

export interface StormResult {
  readonly rounds: number;
  readonly requests: number;
  readonly issued: number;
  readonly rotated: number;
  readonly revoked: number;
  /** How many requests were cut off, so that nobody knows what came of them. */
  readonly cutOff: number;
  /** Of those that had been rotations, how many had been committed. */
  readonly committedUnheard: number;
}

interface Person {
  readonly username: string;
  token: string | null;
  /** A token whose rotation was not answered. */
  unsure: string | null;
}

/**
 * Kills a server with SIGKILL in a storm of log-ins, rotations and log-outs, starts it again on the same database and
 * holds every acknowledged answer against that; then again. Every other round has a grace period, in which a rotation
 * that was committed and not answered must give the successor that was recorded.
 *
 * @throws AssertionError that says what did not hold, and in which round
 */
export async function runStorm(
  rounds: number,
  onRound: (line: string) => void = () => {},
): Promise<StormResult> {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'jotgate-storm-'));
  try {
    return await new Storm(folder).run(rounds, onRound);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

class Storm {
  readonly #folder: string;
  readonly #ledger = new Ledger();
  readonly #people: Person[] = [];
  #requests = 0;
  #answers = 0;
  #cutOff = 0;
  #committedUnheard = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async run(rounds: number, onRound: (line: string) => void): Promise<StormResult> {
    let server = await this.#start(0);
    for (let index = 0; index < CLIENTS; index += 1) {
      const username = `person${index}`;
      await server.createUser({ username, password: PASSWORD });
      this.#people.push({ username, token: null, unsure: null });
    }
    for (let round = 1; round <= rounds; round += 1) {
      await this.#rage(server);
      server = await this.#start(round);
      await this.#settle(server, round, round === rounds);
      onRound(`round ${round}: ${this.#ledger.count('rotated')} rotations, ${this.#cutOff} cut off`);
    }
    await server.stop();
    return {
      rounds,
      requests: this.#requests,
      issued: this.#ledger.count('issued'),
      rotated: this.#ledger.count('rotated'),
      revoked: this.#ledger.count('revoked'),
      cutOff: this.#cutOff,
      committedUnheard: this.#committedUnheard,
    };
  }

  #start(round: number): Promise<ServerProcess> {
    const REFRESH_TOKEN_GRACE_PERIOD = round % 2 === 0 ? '0' : '1h';
    return startServer({ folder: this.#folder, settings: { ...SETTINGS, REFRESH_TOKEN_GRACE_PERIOD } });
  }

  /** A storm that ends with the server. */
  async #rage(server: ServerProcess): Promise<void> {
    const agent = new Agent({ keepAlive: true });
    const clients = this.#people.map((person) => this.#live(server.url, person, agent));
    const end = this.#answers + 1 + Math.random() * MOST_ANSWERS;
    const deadline = performance.now() + LONGEST;
    while (this.#answers < end && performance.now() < deadline) await delay(1);
    process.kill(server.pid, 'SIGKILL');
    await Promise.all(clients);
    agent.destroy();
    await assert.rejects(server.stop(), 'it was not killed');
  }

  /** Logs in, rotates, and logs out now and then, until the server is gone. */
  async #live(url: string, person: Person, agent: Agent): Promise<void> {
    for (;;) {
      const { token } = person;
      const isLogout = token !== null && Math.random() < 0.1;
      try {
        this.#requests += 1;
        if (token === null) await this.#logIn(url, person, agent);
        else if (isLogout) await this.#logOut(url, person, token, agent);
        else await this.#rotate(url, person, token, agent);
        this.#answers += 1;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        this.#cutOff += 1;
        // Whether that happened is found out afterwards.
        person.unsure = isLogout ? null : token;
        person.token = null;
        return;
      }
    }
  }

  async #logIn(url: string, person: Person, agent?: Agent): Promise<void> {
    const { status, body } = await ask(
      url,
      '/api/token/',
      { username: person.username, password: PASSWORD },
      agent,
    );
    assert.equal(status, 200, JSON.stringify(body));
    this.#ledger.issued(body.refresh as string);
    person.token = body.refresh as string;
  }

  async #rotate(url: string, person: Person, token: string, agent?: Agent): Promise<void> {
    const { status, body } = await ask(url, '/api/token/refresh/', { refresh: token }, agent);
    assert.equal(status, 200, JSON.stringify(body));
    this.#ledger.rotated(token, body.refresh as string);
    person.token = body.refresh as string;
  }

  async #logOut(url: string, person: Person, token: string, agent: Agent): Promise<void> {
    const { status, body } = await ask(url, '/api/token/blacklist/', { refresh: token }, agent);
    assert.equal(status, 200, JSON.stringify(body));
    this.#ledger.revoked(token);
    person.token = null;
  }

  /** What was acknowledged holds; what was not has happened as a whole, or not at all. */
  async #settle(server: ServerProcess, round: number, isLast: boolean): Promise<void> {
    const { databaseUrl } = server;
    const found = [
      ...(await damages(databaseUrl)),
      ...(await this.#ledger.breaches(databaseUrl, { all: isLast })),
    ];
    assert.deepEqual(found, [], `round ${round}`);
    await Promise.all(this.#people.map((person) => this.#askAgain(server, person, round)));
    assert.deepEqual(await damages(databaseUrl), [], `round ${round}, after what was unsure was asked again`);
  }

  async #askAgain({ url, databaseUrl }: ServerProcess, person: Person, round: number): Promise<void> {
    const token = person.unsure;
    person.unsure = null;
    if (token === null) return;
    const [place] = await queryDatabase<{ successor_jti: string | null }>(
      databaseUrl,
      'select successor_jti from jotgate_session_token where jti = ?',
      jtiOf(token),
    );
    const successor = place?.successor_jti ?? null;
    const hasGrace = round % 2 === 1;
    this.#requests += 1;
    const { status, body } = await ask(url, '/api/token/refresh/', { refresh: token });
    if (successor === null) {
      assert.equal(status, 200, `round ${round}: what was not committed can be done now`);
    } else {
      this.#committedUnheard += 1;
      assert.equal(status, hasGrace ? 200 : 401, `round ${round}: what was committed is done`);
      if (!hasGrace) return;
      assert.equal(jtiOf(body.refresh as string), successor, `round ${round}: another successor`);
    }
    this.#ledger.rotated(token, body.refresh as string);
    person.token = body.refresh as string;
  }
}

/** The figures, for people. */
export function stormText(result: StormResult): string {
  return [
    `${result.rounds} times kill -9 in a storm of ${result.requests} requests.`,
    `Acknowledged, and held by the database: ${result.issued} tokens, ${result.rotated} rotations, ` +
      `${result.revoked} log-outs.`,
    `Cut off: ${result.cutOff}, of which ${result.committedUnheard} were rotations that had been committed.`,
  ].join('\n');
}
