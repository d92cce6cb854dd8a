import type { FastifyRequest } from 'fastify';
import type { Settings } from '../settings.ts';
import { allowedMethods, type Endpoint } from './endpoint.ts';
import { FORM_CONTENT, FORM_CONTENT_TYPE, FORM_METHOD, FORM_TOKEN } from './exchange.ts';
import type { Field } from './fields.ts';
import { essenceOf } from './negotiate.ts';
import { originOf } from './origin.ts';
import type { SampleRequest } from './samples.ts';

/** What stands in place of a password wherever a request is shown. */
const MASK = '********';

export interface RequestMade {
  /** The headers that the page shows above the answer. */
  shownHeaders: [name: string, value: string][];
  /** The request as a program would have made it, the password masked. */
  sample: SampleRequest;
  /** Whether the sample is not what was sent but what could be: a page that was only opened sent nothing yet. */
  isExample: boolean;
}

/** Reconstructs the request behind a page as a program would make it. */
export function requestMade(
  { settings, bearerHeader }: { settings: Settings; bearerHeader: string },
  request: FastifyRequest,
  status: number,
): RequestMade {
  const { exchange } = request;
  const { endpoint, method, pageToken } = exchange;
  const shownHeaders = authorization(settings, bearerHeader, pageToken);
  const isExample = method === 'GET' && status === 405 && endpoint !== null;
  const sampleMethod = isExample ? firstMethod(endpoint) : method;
  const fields = endpoint?.actions[sampleMethod as 'POST']?.fields ?? [];
  const url = originOf(request) + request.url;
  const body = isExample
    ? { json: Object.fromEntries(writable(fields).map((field) => [field.name, example(field)])) }
    : bodySent(fields, request);
  return {
    shownHeaders,
    isExample,
    sample: {
      method: sampleMethod,
      url,
      headers: shownHeaders,
      body: takesBody(sampleMethod) ? body : null,
      ...(status === 204 && { isAnswerEmpty: true }),
    },
  };
}

function authorization(settings: Settings, bearerHeader: string, token: string | null): [string, string][] {
  if (token === null) return [];
  return [[bearerHeader, `${settings.AUTH_HEADER_TYPES[0]} ${token}`]];
}

/** What was sent, as what it was sent. Passwords are masked wherever they stand in it. */
function bodySent(fields: readonly Field[], request: FastifyRequest): SampleRequest['body'] {
  const { raw } = request.exchange;
  if (request.body === undefined) return null;
  const contentType = raw?.contentType ?? request.headers['content-type'] ?? '';
  if (essenceOf(contentType) === 'application/json') return { json: masked(fields, request.body, 0) };
  const texts = Object.entries(request.body as Record<string, unknown>).filter(
    ([name]) => ![FORM_METHOD, FORM_CONTENT, FORM_CONTENT_TYPE, FORM_TOKEN].includes(name),
  );
  return {
    form: Object.fromEntries(
      texts.map(([name, text]) => [name, isSecret(fields, name) ? MASK : String(text)]),
    ),
  };
}

/** How deep a body is shown. No endpoint takes anything deep, and what is too deep cannot even be written out. */
const SHOWN_DEPTH = 4;

function masked(fields: readonly Field[], value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= SHOWN_DEPTH) return Array.isArray(value) ? [] : {};
  if (Array.isArray(value)) return value.map((item) => masked(fields, item, depth + 1));
  const members = Object.entries(value).map(([name, member]) => [
    name,
    isSecret(fields, name) ? MASK : masked(fields, member, depth + 1),
  ]);
  return Object.fromEntries(members);
}

/** Besides the password itself, whatever is no field of the endpoint might hold one under a mistyped name. */
function isSecret(fields: readonly Field[], name: string): boolean {
  const field = fields.find((candidate) => candidate.name === name);
  return field?.kind === 'password' || /passw/i.test(name);
}

function firstMethod(endpoint: Endpoint): string {
  return allowedMethods(endpoint)[0] ?? 'OPTIONS';
}

function takesBody(method: string): boolean {
  return ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method);
}

function writable(fields: readonly Field[]): Field[] {
  return fields.filter((field) => !field.readOnly);
}

function example({ kind, name }: Field): string {
  if (kind === 'password') return MASK;
  return kind === 'token' ? `<${name} token>`.replace('token token', 'token') : `<${name}>`;
}
