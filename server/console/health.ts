import type { FastifyInstance, FastifyReply } from 'fastify';
import { listMigrations, NewerSchemaError } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import type { Json } from '../errors.ts';
import { setApiHeaders } from '../http/headers.ts';
import { sendJson } from '../http/respond.ts';

/** How long the database may take to answer, in milliseconds. */
const DEADLINE = 2_000;

/** What is wrong, in words, by what it is about. */
type Failures = Record<string, string>;

/**
 * /healthz says that the process lives, and asks nobody. /readyz says whether it should be sent requests: the database
 * answers, has the tables, and the server was not told to stop. For those who watch over servers, and often.
 */
export function registerHealth(
  app: FastifyInstance,
  db: Database,
  isStopping: () => boolean,
  deadline = DEADLINE,
): void {
  const quietly = { config: { isQuiet: true } };
  const askDatabase = oneAtATime(() => databaseFailures(db, deadline));
  app.get('/healthz', quietly, (_request, reply) => answer(reply, 200, { status: 'ok' }));
  app.get('/readyz', quietly, async (_request, reply) => {
    const failed = {
      ...(isStopping() && { server: 'It was told to stop.' }),
      ...(await askDatabase()),
    };
    if (Object.keys(failed).length === 0) answer(reply, 200, { status: 'ok' });
    else answer(reply, 503, { status: 'unavailable', failed });
    return reply;
  });
}

function answer(reply: FastifyReply, status: number, body: Json): void {
  setApiHeaders(reply.code(status));
  sendJson(reply, JSON.stringify(body));
}

/** Whoever asks while an answer is on its way is given that one: many who ask do not add to what a database suffers. */
function oneAtATime<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let asking: Promise<Result> | undefined;
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** What the driver says may name hosts and users, so it is not repeated. */
async function databaseFailures(db: Database, deadline: number): Promise<Failures> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Failures>((resolve) => {
    timer = setTimeout(resolve, deadline, {
      database: `It did not answer within ${deadline / 1000} seconds.`,
    });
  });
  const asked = migrationFailures(db).catch((): Failures => ({ database: 'It cannot be reached or read.' }));
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

/** A program goes on with tables that a later version added to, so that the two can change places under load. */
async function migrationFailures(db: Database): Promise<Failures> {
  try {
    const missing = (await listMigrations(db)).filter(({ applied }) => !applied);
    if (missing.length === 0) return {};
    return { migrations: `To be applied: ${missing.map(({ name }) => name).join(', ')}.` };
  } catch (error) {
    if (error instanceof NewerSchemaError) return {};
    throw error;
  }
}
