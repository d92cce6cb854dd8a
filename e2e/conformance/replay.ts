import { createHash } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { queryDatabase } from '../database-query.ts';
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
      // Quoted, a boolean is one in both databases.
      await queryDatabase(server.databaseUrl, step.sql.replace(/=([01])\b/g, "='$1'"));
      continue;
    }
    requests += 1;
    const now = Date.now() / 1000;
    const found = await replayRequest(step, saved, server, () =>
      circumstancesAt(now, scenario, recording, server),
    );
    if (tookWhatIsRefused(step)) await blacklistAsOriginal(server, filledIn(step.request, saved));
    if (found.length > 0)
      failures.push(`${scenario.name}: ${step.name}\n${found.map((line) => `  ${line}`).join('\n')}`);
  }
  return { requests, failures };
}

async function replayRequest(
  step: RequestStep,
  saved: Map<string, string>,
  server: ServerProcess,
  circumstances: () => Promise<Circumstances>,
): Promise<string[]> {
  let answer: Answer;
  try {
    answer = await send(server.url, filledIn(step.request, saved));
  } catch (error) {
    return [`no answer: ${error}`];
  }
  const found = deviations(step.expect, answer, await circumstances());
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

/** How things are once a request is answered that was sent at a time in seconds. */
async function circumstancesAt(
  now: number,
  { settings }: Scenario,
  recording: Recording,
  server: ServerProcess,
): Promise<Circumstances> {
  const marks = settings.CHECK_REVOKE_TOKEN ? await passwordMarks(server) : new Map<number, string>();
  return {
    key: recording.secret,
    algorithm: (settings.ALGORITHM ?? 'HS256') as Circumstances['algorithm'],
    now,
    revokeClaim: (userId) => marks.get(Number(userId)) ?? 'no such user',
  };
}

/** SimpleJWT's `get_md5_hash_password` of each password as it is stored, by the id of its user. */
async function passwordMarks({ databaseUrl }: ServerProcess): Promise<Map<number, string>> {
  const rows = await queryDatabase<{ id: number; password: string }>(
    databaseUrl,
    'SELECT id, password FROM auth_user',
  );
  const mark = (password: string) => createHash('md5').update(password).digest('hex').toUpperCase();
  return new Map(rows.map(({ id, password }) => [id, mark(password)]));
}

/**
 * Whether the original blacklisted a token here that is to be refused. The steps after it were recorded from the
 * database that this left behind, so their answers hold only where the same row stands.
 */
function tookWhatIsRefused({ request: { path }, expect, peer }: RequestStep): boolean {
  return path === '/api/token/blacklist/' && peer?.status === 200 && expect.status !== 200;
}

/** Writes the rows that the original wrote; the server under test, which refused the token, wrote none. */
async function blacklistAsOriginal({ databaseUrl }: ServerProcess, { body }: RecordedRequest): Promise<void> {
  const [, payload = ''] = (JSON.parse(body ?? '') as { refresh: string }).refresh.split('.');
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string };
  await queryDatabase(
    databaseUrl,
    "INSERT INTO token_blacklist_outstandingtoken (token, expires_at, jti) VALUES ('', '2100-01-01 00:00:00', ?)",
    jti,
  );
  await queryDatabase(
    databaseUrl,
    `INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id)
      SELECT '2026-01-01 00:00:00', id FROM token_blacklist_outstandingtoken WHERE jti = ?`,
    jti,
  );
}
