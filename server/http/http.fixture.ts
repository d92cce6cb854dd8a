import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { UserRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './endpoint.ts';
import { makePageRenderer } from './page.ts';
import { BODY_LIMIT } from './parsers.ts';
import { answerMalformed, registerEndpoints, registerFallbacks } from './register.ts';
import { registerViews } from './views.ts';

/** An endpoint of every method, whose answers say what reached it. */
export function noteEndpoint(access: Endpoint['access'] = 'anyone'): Endpoint {
  const fields = [
    { name: 'title', label: 'Title', kind: 'text', maxLength: 20 },
    { name: 'secret', label: 'Secret', kind: 'password' },
  ] as const;
  const echo = (method: string) => ({
    fields: method === 'PATCH' ? fields.slice(0, 1) : fields,
    handle: ({ values }: { values: Readonly<Record<string, string>> }) => ({
      body: { method, title: values.title ?? null },
      status: method === 'POST' ? 201 : 200,
    }),
  });
  return {
    path: '/api/notes/1/',
    name: 'note',
    title: 'Note',
    description: 'One note.',
    notes: 'Write something.',
    access,
    actions: {
      GET: { fields: [], handle: () => ({ body: { method: 'GET' } }) },
      POST: echo('POST'),
      PUT: echo('PUT'),
      PATCH: echo('PATCH'),
      DELETE: { fields: [], handle: () => ({ body: { method: 'DELETE' } }) },
    },
  };
}

/** Knows one bearer, whose token is `good`. */
const authenticateGood: Authenticator = async (request) => {
  const token = request.exchange.pageToken ?? request.headers.authorization?.replace('Bearer ', '') ?? null;
  if (token === null) return null;
  if (token !== 'good') throw new AppError('bearer_not_valid', { members: { messages: [] } });
  return { user: { id: 1, username: 'ada' } as UserRow, claims: {}, token };
};

/** A small app of these endpoints alone. */
export async function appOf(settings: Settings, endpoints: readonly Endpoint[]): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: BODY_LIMIT, frameworkErrors: answerMalformed });
  await registerViews(app);
  const options = {
    settings,
    endpoints,
    authenticate: authenticateGood,
    renderPage: makePageRenderer({ settings, endpoints, inspect: () => null }),
  };
  registerFallbacks(app, options);
  await app.register((scope) => registerEndpoints(scope, options));
  await app.ready();
  return app;
}

/** As much of a request as functions that only look at one need. */
export function requestOf(parts: {
  method?: string;
  url?: string;
  host?: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  exchange?: Partial<FastifyRequest['exchange']>;
}): FastifyRequest {
  const { method = 'POST', url = '/api/notes/1/', host = 'jot.example', headers = {}, exchange } = parts;
  return {
    method,
    url,
    host,
    protocol: 'http',
    headers,
    body: parts.body,
    socket: { localAddress: '127.0.0.1', localPort: 8000 },
    exchange: {
      endpoint: null,
      format: { name: 'html' },
      method,
      bearer: null,
      pageToken: null,
      raw: null,
      ...exchange,
    },
  } as unknown as FastifyRequest;
}
