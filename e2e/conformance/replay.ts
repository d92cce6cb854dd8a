import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import SqliteDatabase from 'better-sqlite3';
import { type Account, type ServerProcess, startServer } from '../server-process.ts';
import { type Answer, type Circumstances, deviations, type Expectation } from './expect.ts';

/** Exchanges recorded from the original system (Django, DRF, SimpleJWT). */
export interface Recording {
  /** The SECRET_KEY of every scenario. */
  readonly secret: string;
  /** The accounts that every scenario starts with; their ids count from 1. */
  readonly users: readonly Account[];
  readonly scenarios: readonly Scenario[];
}

export interface Scenario {
  readonly name: string;
  /** SimpleJWT's names; times in seconds. */
  readonly settings: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly steps: readonly Step[];
}

type Step = SqlStep | RequestStep;

interface SqlStep {
  readonly name: string;
  /** One statement, run on the database while the server runs. */
  readonly sql: string;
}

interface RequestStep {
  readonly name: string;
  readonly request: RecordedRequest;
  readonly expect: Expectation;
  /** What the original answered where it is wrong; `expect` then says what is right. */
  readonly peer?: { readonly status: number };
  /** Which members of the answer are kept, and under what name for `${name}` in later requests. */
  readonly save?: Readonly<Record<string, string>>;
}

interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | null;
}

export interface Outcome {
  /** How many requests were made. */
  readonly requests: number;
  /** A text for each that was answered otherwise than recorded. */
  readonly failures: readonly string[];
}

/** Replays a scenario against a server process of its own, on a fresh database. */
export async function replay(scenario: Scenario, recording: Recording): Promise<Outcome> {
  const server = await startServer({ settings: environment(scenario, recording) });
  try {
    for (const user of recording.users) await server.createUser(user);
    return await replaySteps(scenario, recording, server);
  } finally {
    await server.stop();
  }
}

function environment({ settings }: Scenario, { secret }: Recording): Record<string, string> {
  const texts = Object.entries(settings).map(([name, value]) => [name, String(value)]);
  return { SECRET_KEY: secret, ...Object.fromEntries(texts) };
}

async function replaySteps(
  scenario: Scenario,
  recording: Recording,
  server: ServerProcess,
): Promise<Outcome> {
  const saved = new Map<string, string>();
  const failures: string[] = [];
  let requests = 0;
  for (const step of scenario.steps) {
    if ('sql' in step) {
      runSql(server.database, step.sql);
      continue;
    }
    requests += 1;
    const circumstances = circumstancesNow(scenario, recording, server);
    const found = await replayRequest(step, saved, server, circumstances);
    if (tookWhatIsRefused(step)) blacklistAsOriginal(server.database, filledIn(step.request, saved));
    if (found.length > 0)
      failures.push(`${scenario.name}: ${step.name}\n${found.map((line) => `  ${line}`).join('\n')}`);
  }
  return { requests, failures };
}

async function replayRequest(
  step: RequestStep,
  saved: Map<string, string>,
  server: ServerProcess,
  circumstances: Circumstances,
): Promise<string[]> {
  let answer: Answer;
  try {
    answer = await send(server.url, filledIn(step.request, saved));
  } catch (error) {
    return [`no answer: ${error}`];
  }
  const found = deviations(step.expect, answer, circumstances);
  if (found.length === 0) save(step, answer, saved);
  return found;
}

function save(step: RequestStep, answer: Answer, saved: Map<string, string>): void {
  for (const [key, name] of Object.entries(step.save ?? {})) saved.set(name, JSON.parse(answer.body)[key]);
}

/** @throws Error when a value is asked for that no earlier answer gave */
function filledIn(recorded: RecordedRequest, saved: ReadonlyMap<string, string>): RecordedRequest {
  const fill = (template: string) =>
    template.replace(/\$\{(\w+)\}/g, (_, name: string) => {
      const value = saved.get(name);
      if (value === undefined)
        throw new Error(`there is no ${name}: the step that should have saved it failed`);
      return value;
    });
  const headers = Object.entries(recorded.headers).map(([name, value]) => [name, fill(value)]);
  return {
    ...recorded,
    headers: Object.fromEntries(headers),
    body: typeof recorded.body === 'string' ? fill(recorded.body) : null,
  };
}

/** Sends exactly these headers, and Host, Connection and the body's length, on a connection of its own. */
function send(url: string, { method, path, headers, body }: RecordedRequest): Promise<Answer> {
  const sent: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== '' || name === 'accept') sent[name] = value;
  }
  if (typeof body === 'string') sent['content-length'] = Buffer.byteLength(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, url), { method, headers: sent, agent: false, timeout: 10_000 });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => received(incoming).then(resolve, reject));
    outgoing.end(body ?? undefined);
  });
}

async function received(incoming: IncomingMessage): Promise<Answer> {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, value?.toString()]);
  return {
    status: incoming.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: await text(incoming),
  };
}

function circumstancesNow(
  { settings }: Scenario,
  recording: Recording,
  server: ServerProcess,
): Circumstances {
  return {
    key: recording.secret,
    algorithm: (settings.ALGORITHM ?? 'HS256') as Circumstances['algorithm'],
    now: Date.now() / 1000,
    revokeClaim: (userId) => revokeClaim(server.database, userId),
  };
}

/** SimpleJWT's `get_md5_hash_password` of the password as it is stored. */
function revokeClaim(file: string, userId: unknown): string {
  const database = new SqliteDatabase(file, { readonly: true });
  try {
    const row = database.prepare('SELECT password FROM auth_user WHERE id = ?').get(Number(userId));
    const { password } = row as { password: string };
    return createHash('md5').update(password).digest('hex').toUpperCase();
  } finally {
    database.close();
  }
}

/**
 * Whether the original blacklisted a token here that is to be refused. The steps after it were recorded from the
 * database that this left behind, so their answers hold only where the same row stands.
 */
function tookWhatIsRefused({ request: { path }, expect, peer }: RequestStep): boolean {
  return path === '/api/token/blacklist/' && peer?.status === 200 && expect.status !== 200;
}

/** Writes the rows that the original wrote; the server under test, which refused the token, wrote none. */
function blacklistAsOriginal(file: string, { body }: RecordedRequest): void {
  const [, payload = ''] = (JSON.parse(body ?? '') as { refresh: string }).refresh.split('.');
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string };
  const database = new SqliteDatabase(file);
  try {
    const { lastInsertRowid } = database
      .prepare(
        "INSERT INTO token_blacklist_outstandingtoken (token, expires_at, jti) VALUES ('', '2100-01-01 00:00:00', ?)",
      )
      .run(jti);
    database
      .prepare(
        "INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id) VALUES ('2026-01-01 00:00:00', ?)",
      )
      .run(lastInsertRowid);
  } finally {
    database.close();
  }
}

function runSql(file: string, sql: string): void {
  const database = new SqliteDatabase(file);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}
