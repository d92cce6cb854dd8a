import type { FastifyRequest } from 'fastify';
import type { Json } from '../errors.ts';
import type { Bearer } from './authenticate.ts';
import type { Field, Values } from './fields.ts';

/** What an endpoint's action is given. */
export interface Call {
  values: Values;
  /** Who makes the request; null where anyone may. */
  bearer: Bearer | null;
  request: FastifyRequest;
  /** The parameters of the path by name. */
  params: Readonly<Record<string, string>>;
}

export interface Answer {
  /** Of a 204 nothing is sent. */
  body: Json;
  /** 200 where nothing is said. */
  status?: number;
  headers?: Readonly<Record<string, string>>;
}

/** What one method of an endpoint takes and does. */
export interface Action {
  fields: readonly Field[];
  handle(call: Call): Answer | Promise<Answer>;
}

export type ActionMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How an endpoint is offered beside a token that it can take. */
export interface NextStep {
  label: string;
  /** The token types it takes; null for any. */
  tokenTypes: readonly string[] | null;
  /** The field that takes the token; null where it goes into the Authorization header. */
  field: string | null;
}

/**
 * One definition from which come the route, the validation, the OPTIONS answer, the HTML form, the raw data form,
 * the code samples and the entry in the API root.
 */
export interface Endpoint {
  /** With a slash at the end, as Django's; `:name` in it is a parameter. */
  path: string;
  /** False for one that the API root does not list: the original has none of its kind. */
  isListed?: false;
  /** The name of the URL, as in SimpleJWT's documentation: `token_obtain_pair`. */
  name: string;
  /** What DRF's `get_view_name` makes of the view: "Token Obtain Pair". */
  title: string;
  /** The view's docstring, to the letter. */
  description: string;
  /** A line or two for people, on the page alone. */
  notes: string;
  /** Who may call it: anyone, or who brings a token of AUTH_TOKEN_CLASSES. */
  access: 'anyone' | 'bearer';
  /** Where the Accept header fits nothing the answer is JSON, not 406: proxies pass on what was sent for another page. */
  ignoresAccept?: true;
  actions: Partial<Record<ActionMethod, Action>>;
  nextStep?: NextStep;
  /** As what kinds of event its answers are recorded; those left out are not. */
  journal?: { done?: string; refused?: string };
}

/** The methods of the Allow header, in DRF's order. */
export function allowedMethods(endpoint: Endpoint): string[] {
  const methods = (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter(
    (method) => endpoint.actions[method],
  );
  return [...methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])), 'OPTIONS'];
}

const allowHeaders = new WeakMap<Endpoint, string>();

/** The Allow header of an endpoint, made once. */
export function allowHeader(endpoint: Endpoint): string {
  let header = allowHeaders.get(endpoint);
  if (header === undefined) {
    header = allowedMethods(endpoint).join(', ');
    allowHeaders.set(endpoint, header);
  }
  return header;
}

/** The action that answers a method; HEAD is a GET whose body is not sent. */
export function actionFor(endpoint: Endpoint, method: string): Action | undefined {
  const name = method === 'HEAD' ? 'GET' : method;
  return Object.hasOwn(endpoint.actions, name) ? endpoint.actions[name as ActionMethod] : undefined;
}
