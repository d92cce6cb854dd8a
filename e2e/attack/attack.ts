import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { signed } from '../../server/tokens/tokens.fixture.ts';
import { noteCase } from '../case-table.ts';
import { type Account, type ServerProcess, startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';

export const PASSWORD = 'pw-Fixture-123';

export const FORM = 'application/x-www-form-urlencoded';

/** The accounts that every attacked server has; their ids count from 1. */
const ACCOUNTS: readonly Account[] = [
  { username: 'ada', password: PASSWORD },
  { username: 'off', password: PASSWORD, is_active: false },
  { username: 'josé', password: PASSWORD },
  { username: 'long', password: `${'x'.repeat(72)}the rest counts` },
];

/** Where tokens go: the field that takes one, null for the Authorization header. */
export const TOKEN_DOORS = [
  { path: '/api/token/verify/', field: 'token' },
  { path: '/api/token/refresh/', field: 'refresh' },
  { path: '/api/token/blacklist/', field: 'refresh' },
  { path: '/api/token/sliding/refresh/', field: 'token' },
  { path: '/api/me/', field: null },
] as const;

export type Door = (typeof TOKEN_DOORS)[number];

/** Every endpoint that takes a body. */
export const BODY_DOORS = [
  '/api/token/',
  '/api/token/sliding/',
  ...TOKEN_DOORS.flatMap(({ path, field }) => (field ? [path] : [])),
];

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON; texts and bytes as they are. */
  readonly body?: object | string | Uint8Array;
  /** Another server than the suite's own. */
  readonly url?: string;
}

export interface RawReply {
  /** Everything that came, of however many answers. */
  readonly text: string;
  readonly statuses: readonly number[];
  /** Whether the server closed the connection. */
  readonly closed: boolean;
}

interface Row {
  requests: number;
  serverErrors: number;
}

/** A server of the suite's own, and the count of what was sent to it under which case. */
export class Attack {
  readonly server: ServerProcess;
  readonly #rows = new Map<number, Row>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #row: Row = { requests: 0, serverErrors: 0 };

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Attack> {
    const server = await startServer({ settings: { SECRET_KEY: TEST_KEY, ...settings } });
    for (const account of ACCOUNTS) await server.createUser(account);
    return new Attack(server);
  }

  /** Starts a server in a folder where one was before, with its accounts. The folder stays. */
  static async resume(folder: string, settings: Readonly<Record<string, string>> = {}): Promise<Attack> {
    return new Attack(await startServer({ folder, settings: { SECRET_KEY: TEST_KEY, ...settings } }));
  }

  /** Runs one case, then asks whether anything was answered 5xx and whether the server still serves. */
  async case(number: number, run: () => Promise<unknown>): Promise<void> {
    this.#row = this.#rows.get(number) ?? { requests: 0, serverErrors: 0 };
    this.#rows.set(number, this.#row);
    const before = this.#row.serverErrors;
    await run();
    assert.equal(this.#row.serverErrors - before, 0, 'something was answered 5xx');
    await this.assertServes();
  }

  async assertServes(): Promise<void> {
    const root = await this.#exchange('/api/', { method: 'GET' });
    assert.equal(root.status, 200);
    const verify = await this.#exchange('/api/token/verify/', { body: { token: token() } });
    assert.equal(verify.status, 200);
  }

  /** Sends a request on a connection that is kept. A POST unless another method is named. */
  async send(path: string, sending: Sending = {}): Promise<Reply> {
    const reply = await this.#exchange(path, sending);
    this.#count(reply.status);
    return reply;
  }

  /** Sends bytes on a connection of their own and reads until it is closed or silent. */
  async raw(bytes: string | Uint8Array, silence = 400): Promise<RawReply> {
    const { hostname, port } = new URL(this.server.url);
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    let closed = false;
    let last = performance.now();
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      last = performance.now();
    });
    socket.on('close', () => {
      closed = true;
    });
    socket.on('error', () => undefined);
    socket.write(bytes);
    while (!closed && performance.now() - last < silence) await delay(5);
    socket.destroy();
    const received = Buffer.concat(chunks).toString('latin1');
    const statuses = [...received.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status));
    for (const status of statuses.length > 0 ? statuses : [0]) this.#count(status);
    return { text: received, statuses, closed };
  }

  /** Shows a token at a door. */
  present(door: Door, value: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    if (door.field !== null) return this.send(door.path, { body: { [door.field]: value }, headers });
    return this.send(door.path, { method: 'GET', headers: { authorization: `Bearer ${value}`, ...headers } });
  }

  async logIn(username = 'ada', password = PASSWORD): Promise<{ refresh: string; access: string }> {
    const reply = await this.send('/api/token/', { body: { username, password } });
    assert.equal(reply.status, 200, reply.body);
    return JSON.parse(reply.body);
  }

  /** A line a case: how many requests it took and how many were answered 5xx. */
  table(): string {
    const lines = [...this.#rows]
      .sort(([a], [b]) => a - b)
      .map(
        ([number, { requests, serverErrors }]) =>
          `case ${String(number).padStart(2)}${String(requests).padStart(10)}${String(serverErrors).padStart(6)}`,
      );
    return ['          requests   5xx', ...lines].join('\n');
  }

  async end(): Promise<void> {
    console.log(this.table());
    for (const [number, row] of this.#rows) noteCase(number, row);
    this.#agent.destroy();
    await this.server.stop();
  }

  #count(status: number): void {
    this.#row.requests += 1;
    if (status >= 500) this.#row.serverErrors += 1;
  }

  #exchange(path: string, { method = 'POST', headers = {}, body, url }: Sending): Promise<Reply> {
    const isJson = typeof body === 'object' && !(body instanceof Uint8Array);
    const payload = isJson ? JSON.stringify(body) : body;
    const type = isJson ? { 'content-type': 'application/json' } : {};
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
    const { hostname, port } = new URL(url ?? this.server.url);
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, hostname, port, path, method, timeout: 20_000 };
      const outgoing = request({ ...options, headers: { ...type, ...length, ...headers } }, (incoming) => {
        const answer = (content: string) => ({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: content,
        });
        text(incoming).then((content) => resolve(answer(content)), reject);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered`)));
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }
}

/** Now, in seconds. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

let ids = 0;

/** The claims of a good token of user 1, with an id of its own. */
export function claims(changes: object = {}): Record<string, unknown> {
  ids += 1;
  const time = { exp: now() + 600, iat: now() - 10, refresh_exp: now() + 600 };
  return { token_type: 'access', ...time, jti: `attack${ids}`, user_id: '1', ...changes };
}

/** A token as the server itself would sign it, with these claims changed. */
export function token(changes: object = {}, header?: object): string {
  return signed(claims(changes), TEST_KEY, header);
}

/** The type of token that a door takes. */
export function typeAt({ path }: Door): string {
  if (path.includes('sliding')) return 'sliding';
  return path === '/api/me/' || path.includes('verify') ? 'access' : 'refresh';
}

/** That a token was refused as one that is not valid, whatever the door. */
export function assertNotValid(reply: Reply, what: string): void {
  assert.equal(reply.status, 401, `${what}: ${reply.status} ${reply.body.slice(0, 200)}`);
  assert.equal(JSON.parse(reply.body).code, 'token_not_valid', `${what}: ${reply.body.slice(0, 200)}`);
}
