import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Bearer } from './authenticate.ts';
import { actionFor, type Endpoint } from './endpoint.ts';
import type { Values } from './fields.ts';
import type { Format } from './negotiate.ts';
import { essenceOf } from './negotiate.ts';
import { parseText } from './parsers.ts';

/** What is known of a request on its way to an answer. */
export interface Exchange {
  /** Null where the address leads nowhere. */
  endpoint: Endpoint | null;
  format: Format;
  /** The method that counts: a page's form may stand for one that forms cannot send. */
  method: string;
  bearer: Bearer | null;
  /** What the fields were found to hold; null until they were looked at. */
  values: Values | null;
  /** Whether a cookie brought the token, so that its successor goes back the same way. */
  cookieWasUsed: boolean;
  /** The token that a page's form carries in place of an Authorization header. */
  pageToken: string | null;
  /** The media type and the text that were sent, where they came through the raw data form. */
  raw: { contentType: string; content: string } | null;
}

declare module 'fastify' {
  interface FastifyRequest {
    exchange: Exchange;
  }
  interface FastifyContextConfig {
    endpoint?: Endpoint;
  }
}

/**
 * Names of form fields that stand for what an HTML form cannot send by itself. They count on pages alone, so that
 * to a program they are fields like any other.
 */
export const FORM_METHOD = '_method';
export const FORM_CONTENT_TYPE = '_content_type';
export const FORM_CONTENT = '_content';
export const FORM_TOKEN = '_token';

export function newExchange(endpoint: Endpoint | null, method: string): Exchange {
  return {
    endpoint,
    format: { name: 'json', indent: 0 },
    method,
    bearer: null,
    values: null,
    cookieWasUsed: false,
    pageToken: null,
    raw: null,
  };
}

/**
 * Whether this is a page's form on its way: what it stands for is known when its body has been read. A form of the
 * format menu asks for JSON, but it comes from a browser all the same.
 */
export function isPageForm(request: FastifyRequest): boolean {
  if (request.method !== 'POST' || request.headers.accept?.includes('text/html') !== true) return false;
  return essenceOf(request.headers['content-type'] ?? '') === 'application/x-www-form-urlencoded';
}

/**
 * Lets a page's form stand for another method, media type or bearer, and takes the fields that say so out of the
 * body.
 *
 * @throws AppError `parse_error` or `unsupported_media_type` for what was typed into the raw data form
 */
export async function applyFormOverrides(request: FastifyRequest): Promise<void> {
  const { exchange } = request;
  const form = (request.body ?? {}) as Record<string, string>;
  const {
    [FORM_METHOD]: method,
    [FORM_CONTENT_TYPE]: contentType,
    [FORM_CONTENT]: content,
    [FORM_TOKEN]: token,
    ...fields
  } = form;
  if (method) exchange.method = method.toUpperCase();
  exchange.pageToken = token?.trim() || null;
  request.body = request.body === undefined ? undefined : fields;
  if (contentType === undefined || content === undefined) return;
  exchange.raw = { contentType, content };
  request.body = await parseText(contentType, content);
}

/** Always the same one: it is no fault and what most people see first. */
const OPENED_IN_BROWSER = new AppError('method_not_allowed', {
  values: { method: 'GET' },
  advice:
    'Nothing is wrong. Opening a page makes a GET request, and this endpoint takes POST: fill in the form below and press POST.',
});

/** @throws AppError `method_not_allowed` */
export function requireMethod({ endpoint, method }: Exchange): void {
  if (endpoint === null || method === 'OPTIONS' || actionFor(endpoint, method) !== undefined) return;
  if (method === 'GET' && endpoint.actions.POST !== undefined) throw OPENED_IN_BROWSER;
  throw new AppError('method_not_allowed', { values: { method } });
}
