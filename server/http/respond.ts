import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, Json } from '../errors.ts';
import { allowHeader } from './endpoint.ts';
import { setApiHeaders, setPageHeaders } from './headers.ts';
import type { PageRenderer } from './page.ts';

/** An answer as it will be sent, before its form is known. */
export interface Outcome {
  status: number;
  body: Json;
  headers?: Readonly<Record<string, string>>;
  /** The refusal behind it, where it is one. */
  refusal: AppError | null;
}

/** Told of each answer of an endpoint, once, before it is sent. It must neither throw nor take long. */
export type OutcomeListener = (request: FastifyRequest, outcome: Outcome) => void;

export interface Responder {
  /** The scheme of the WWW-Authenticate header: the first of AUTH_HEADER_TYPES. */
  scheme: string;
  renderPage: PageRenderer;
  onOutcome?: OutcomeListener | undefined;
}

/**
 * Sends JSON text. With a serializer of its own Fastify adds no charset, which JSON has none of (RFC 8259 section
 * 11), and a text, other than bytes, leaves in one write together with its headers.
 */
export function sendJson(reply: FastifyReply, json: string): void {
  reply.header('content-type', 'application/json').serializer(unchanged).send(json);
}

function unchanged(text: unknown): string {
  return text as string;
}

/** Sends an outcome as JSON or as the page around that same JSON: the one way out of every API endpoint. */
export function respond(
  { scheme, renderPage, onOutcome }: Responder,
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: Outcome,
): void {
  const { status, body, refusal } = outcome;
  const { endpoint, format } = request.exchange;
  onOutcome?.(request, outcome);
  const headers: Record<string, string> = { ...outcome.headers, Vary: 'Accept' };
  if (endpoint !== null) headers.Allow = allowHeader(endpoint);
  if (status === 401) headers['WWW-Authenticate'] = `${scheme} realm="api"`;
  if (refusal?.retryAfter !== undefined) headers['Retry-After'] = String(refusal.retryAfter);
  setApiHeaders(reply.code(status));
  reply.headers(headers);
  if (format.name === 'json' && status === 204) {
    reply.send();
    return;
  }
  if (format.name === 'json') {
    sendJson(reply, JSON.stringify(body, null, format.indent));
    return;
  }
  setPageHeaders(reply);
  reply.header('vary', 'Accept, Cookie');
  const shown = status === 204 ? headers : { ...headers, 'Content-Type': 'application/json' };
  // The page is content, so it cannot be sent as what it shows: DRF's BrowsableAPIRenderer does the same.
  if (status === 204) reply.code(200);
  renderPage(request, reply, {
    status,
    reason: STATUS_CODES[status] ?? '',
    headers: shown,
    body,
    refusal,
  }).then(
    // Together with all pages of this turn of the event loop: drawing them in one go, and then sending them in one go,
    // takes a quarter less time than going to and fro.
    (html) => setImmediate(() => reply.type('text/html; charset=utf-8').send(html)),
    (error) => reply.send(error),
  );
}
