import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { Authenticator } from './authenticate.ts';
import { actionFor, type Endpoint } from './endpoint.ts';
import { applyFormOverrides, isPageForm, newExchange, requireMethod } from './exchange.ts';
import { logFailure, toAppError } from './failures.ts';
import { validate } from './fields.ts';
import { setApiHeaders } from './headers.ts';
import { describeEndpoint } from './metadata.ts';
import { type Format, negotiate } from './negotiate.ts';
import type { PageRenderer } from './page.ts';
import { registerParsers } from './parsers.ts';
import { type OutcomeListener, type Responder, respond, sendJson } from './respond.ts';
import { fromCookie } from './token-cookie.ts';

export interface EndpointsOptions {
  settings: Settings;
  endpoints: readonly Endpoint[];
  renderPage: PageRenderer;
  authenticate: Authenticator;
  onOutcome?: OutcomeListener;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'];

/**
 * Routes endpoints. The stages of a request are DRF's: negotiation (404, 406), authentication and permission (401),
 * method (405), parsing (400, 413, 415), validation (400), and the endpoint's own function.
 */
export async function registerEndpoints(app: FastifyInstance, options: EndpointsOptions): Promise<void> {
  const responder = responderOf(options);
  await registerParsers(app);
  app.addHook('onRequest', (request, _reply, done) => {
    request.exchange = newExchange(request.routeOptions.config.endpoint ?? null, request.method);
    request.exchange.format = formatFor(request);
    const admission = isPageForm(request) ? undefined : admit(request, options);
    if (admission === undefined) done();
    else admission.then(() => done(), done);
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (!isPageForm(request)) return done();
    applyFormOverrides(request)
      .then(() => admit(request, options))
      .then(() => done(), done);
  });
  app.setErrorHandler((error, request, reply) => fail(responder, error, request, reply));
  for (const endpoint of options.endpoints) {
    app.route({
      method: METHODS,
      url: endpoint.path,
      config: { endpoint },
      // Returns nothing: to a promise of the reply Fastify would hang listeners until the answer has left.
      handler: (request, reply) => {
        answer(responder, endpoint, request, reply).catch((error) => reply.send(error));
      },
    });
  }
}

/**
 * Answers what no endpoint does. A path that lacks only its slash is sent there, as Django's APPEND_SLASH does; all
 * else is 404, or 405 where only the method is unheard of. Bodies are read, so that they can be too large, and
 * dropped. What goes wrong outside an endpoint, or in drawing its page, is answered as JSON.
 */
export function registerFallbacks(app: FastifyInstance, options: EndpointsOptions): void {
  app.decorateRequest('exchange');
  // Asked by name and not through the router, to which a `*` or `:` in an address would be a pattern.
  const paths = new Set<string>();
  app.addHook('onRoute', ({ url }) => {
    paths.add(url);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async () => undefined);
  const responder = responderOf(options);
  app.setNotFoundHandler((request, reply) => {
    const { path, query } = splitUrl(request.url);
    if (paths.has(`${path}/`)) {
      setApiHeaders(reply.code(301));
      reply.header('location', `${path}/${query}`).send();
      return;
    }
    const endpoint = options.endpoints.find((candidate) => candidate.path === path) ?? null;
    request.exchange = newExchange(endpoint, request.method);
    try {
      request.exchange.format = negotiate(request.headers.accept, formatParameter(request));
      requireMethod(request.exchange);
      throw new AppError('not_found');
    } catch (error) {
      fail(responder, error, request, reply);
    }
  });
  app.setErrorHandler((error, request, reply) => {
    request.exchange = newExchange(null, request.method);
    fail(responder, error, request, reply);
  });
}

function responderOf({ settings, renderPage, onOutcome }: EndpointsOptions): Responder {
  return { scheme: settings.AUTH_HEADER_TYPES[0] as string, renderPage, onOutcome };
}

/** Answers a request whose address cannot even be read, such as one with a broken `%` in its path. */
export function answerMalformed(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = toAppError(error);
  setApiHeaders(reply.code(status));
  sendJson(reply, JSON.stringify(body));
}

/**
 * Lets a request in: who makes it, whether he may, and whether the endpoint answers to the method. Where anyone may
 * there is nothing to wait for, and nothing is waited for.
 */
function admit(request: FastifyRequest, { authenticate }: EndpointsOptions): Promise<void> | undefined {
  const { exchange } = request;
  if (exchange.endpoint?.access === 'bearer') return admitBearer(request, authenticate);
  requireMethod(exchange);
  return undefined;
}

async function admitBearer(request: FastifyRequest, authenticate: Authenticator): Promise<void> {
  const bearer = await authenticate(request);
  if (bearer === null) throw new AppError('not_authenticated');
  request.exchange.bearer = bearer;
  requireMethod(request.exchange);
}

async function answer(
  responder: Responder,
  endpoint: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { method, bearer } = request.exchange;
  const action = actionFor(endpoint, method);
  if (action === undefined) {
    const body = describeEndpoint(endpoint);
    return respond(responder, request, reply, { status: 200, body, refusal: null });
  }
  const values = validate(action.fields, request.body, (field) => fromCookie(request, field));
  request.exchange.values = values;
  const {
    status = 200,
    body,
    headers = {},
  } = await action.handle({ values, bearer, request, params: request.params as Record<string, string> });
  respond(responder, request, reply, { status, body, headers, refusal: null });
}

function fail(responder: Responder, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = toAppError(error, request.headers['content-type']);
  logFailure(refusal, error, request);
  if (refusal.code === 'too_large') {
    // Read to its end and dropped: closing on a client that still sends would take the answer from it.
    request.raw.resume();
    reply.removeHeader('connection');
  }
  respond(responder, request, reply, { status: refusal.status, body: refusal.body, refusal });
}

/** The path of a URL and its query, which begins with its question mark or is empty. */
function splitUrl(url: string): { path: string; query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at) };
}

function formatFor(request: FastifyRequest): Format {
  try {
    return negotiate(request.headers.accept, formatParameter(request));
  } catch (error) {
    const isIgnored = request.exchange.endpoint?.ignoresAccept && toAppError(error).code === 'not_acceptable';
    if (!isIgnored) throw error;
    return { name: 'json', indent: 0 };
  }
}

function formatParameter(request: FastifyRequest): string | undefined {
  const format = (request.query as Record<string, string | string[] | undefined>).format;
  return Array.isArray(format) ? format.at(-1) : format;
}
