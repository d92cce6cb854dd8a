import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppError, Json } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { headerName } from './authenticate.ts';
import type { Endpoint } from './endpoint.ts';
import { FORM_CONTENT, FORM_CONTENT_TYPE, FORM_METHOD, FORM_TOKEN } from './exchange.ts';
import { formsOf } from './forms.ts';
import { highlight, TOKEN_SHAPE } from './highlight.ts';
import { requestMade } from './request-made.ts';
import { type Sample, type SampleRequest, samplesOf } from './samples.ts';

/** What the page is drawn around: the answer that a program would get. */
export interface PageResult {
  status: number;
  reason: string;
  headers: Readonly<Record<string, string>>;
  body: Json;
  refusal: AppError | null;
}

/** Gives the page as HTML. */
export type PageRenderer = (
  request: FastifyRequest,
  reply: FastifyReply,
  result: PageResult,
) => Promise<string>;

/** A token taken apart, as far as a page needs to know; its template shows the rest. */
export interface InspectedToken {
  token: string;
  type: string | null;
}

export interface PageOptions {
  settings: Settings;
  endpoints: readonly Endpoint[];
  /** Takes a token apart; null for what is none. */
  inspect(token: string): InspectedToken | null;
}

/** Renders DRF's browsable page of an endpoint: its BrowsableAPIRenderer, and what that does not show. */
export function makePageRenderer(options: PageOptions): PageRenderer {
  const context = {
    ...options,
    bearerHeader: titleCased(headerName(options.settings.AUTH_HEADER_NAME)),
    breadcrumbs: new Map(
      options.endpoints.map((endpoint) => [endpoint, breadcrumbsOf(options.endpoints, endpoint)]),
    ),
  };
  return async (request, reply, result) => reply.viewAsync('browsable', pageView(context, request, result));
}

/** What is the same for every page, worked out once. */
interface PageContext extends PageOptions {
  bearerHeader: string;
  breadcrumbs: ReadonlyMap<Endpoint, readonly Breadcrumb[]>;
}

interface Breadcrumb {
  title: string;
  path: string;
}

const FORM_NAMES = {
  method: FORM_METHOD,
  contentType: FORM_CONTENT_TYPE,
  content: FORM_CONTENT,
  token: FORM_TOKEN,
};

function pageView(options: PageContext, request: FastifyRequest, result: PageResult) {
  const { exchange } = request;
  const { endpoint } = exchange;
  const made = requestMade(options, request, result.status);
  const answered = tokensIn(result.body, options.inspect);
  return {
    title: endpoint?.title ?? 'Not Found',
    description: endpoint?.description ?? '',
    notes: endpoint?.notes ?? '',
    path: pathOf(request),
    breadcrumbs: endpoint === null ? [] : breadcrumbsTo(options, endpoint, request),
    user: exchange.bearer?.user.username ?? null,
    pageToken: exchange.pageToken,
    bearerExample: `${options.bearerHeader}: ${options.settings.AUTH_HEADER_TYPES[0]} …`,
    takesBearer: endpoint?.access === 'bearer',
    canGet: endpoint?.actions.GET !== undefined,
    hasEndpoint: endpoint !== null,
    request: { method: exchange.method, url: request.url, headers: made.shownHeaders },
    response: {
      status: result.status,
      reason: result.reason,
      headers: Object.entries(result.headers).sort(([a], [b]) => (a < b ? -1 : 1)),
      spans: result.status === 204 ? [] : highlight(result.body),
    },
    advice: result.refusal === null ? [] : withLinks(result.refusal.advice),
    answered: answered.map(([name, token]) => ({ name, anatomy: token, steps: stepsFor(options, token) })),
    sent: result.refusal === null ? null : sentToken(options, request),
    forms: endpoint === null ? [] : formsOf(endpoint, request, result),
    formNames: FORM_NAMES,
    samples: made.isExample && endpoint !== null ? exampleOf(endpoint, made.sample) : samplesOf(made.sample),
    samplesTitle: made.isExample ? 'Call it from your code' : 'This request as code',
  };
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] as string;
}

/** Of an endpoint whose path has parameters the last one leads to the page itself. */
function breadcrumbsTo({ breadcrumbs }: PageContext, endpoint: Endpoint, request: FastifyRequest) {
  const above = breadcrumbs.get(endpoint) ?? [];
  return above.map((crumb) => (crumb.path.includes(':') ? { ...crumb, path: pathOf(request) } : crumb));
}

const lastExamples = new WeakMap<Endpoint, { url: string; samples: readonly Sample[] }>();

/** The samples of a page that was only opened. They depend on the address alone, so the last ones are kept. */
function exampleOf(endpoint: Endpoint, sample: SampleRequest): readonly Sample[] {
  let last = lastExamples.get(endpoint);
  if (last?.url !== sample.url) {
    last = { url: sample.url, samples: samplesOf(sample) };
    lastExamples.set(endpoint, last);
  }
  return last.samples;
}

/** A header's name as it is usually written: X-Access-Token. */
function titleCased(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
}

/** Cuts a text at the paths of this server that it names, for the template to make links of them. */
function withLinks(text: string) {
  let pieces = linkedTexts.get(text);
  if (pieces === undefined) {
    pieces = cutAtPaths(text);
    linkedTexts.set(text, pieces);
  }
  return pieces;
}

/** The advices that were cut. There are as many as refusals in the table. */
const linkedTexts = new Map<string, ReturnType<typeof cutAtPaths>>();

function cutAtPaths(text: string) {
  return text
    .split(/(\/api\/(?:[a-z]+\/)*)/)
    .map((piece, index) => ({ text: piece, isPath: index % 2 === 1 }));
}

/** The endpoints above one another whose paths lead to this one, as DRF's `get_breadcrumbs`. */
function breadcrumbsOf(endpoints: readonly Endpoint[], current: Endpoint): Breadcrumb[] {
  return endpoints
    .filter((endpoint) => current.path.startsWith(endpoint.path))
    .sort((a, b) => a.path.length - b.path.length)
    .map(({ title, path }) => ({ title, path }));
}

/** The tokens among the members of an answer, taken apart. */
function tokensIn(body: Json, inspect: PageOptions['inspect']): [name: string, token: InspectedToken][] {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  return Object.entries(body).flatMap(([name, value]): [string, InspectedToken][] => {
    const token = typeof value === 'string' && TOKEN_SHAPE.test(value) ? inspect(value) : null;
    return token === null ? [] : [[name, token]];
  });
}

/** The token that was refused, taken apart: it often shows why. */
function sentToken({ inspect }: PageOptions, request: FastifyRequest): InspectedToken | null {
  const { endpoint, pageToken } = request.exchange;
  const body = (request.body ?? {}) as Record<string, unknown>;
  const fields = Object.values(endpoint?.actions ?? {}).flatMap((action) => action.fields);
  const field = fields.find(({ kind, name }) => kind === 'token' && typeof body[name] === 'string');
  const token = pageToken ?? (field === undefined ? undefined : (body[field.name] as string));
  return token === undefined ? null : inspect(token.trim());
}

/** Where a token can go from here, by what each endpoint says it takes; those made for its kind come first. */
function stepsFor({ endpoints }: PageOptions, { type }: InspectedToken) {
  const steps = endpoints.flatMap(({ path, nextStep }) => {
    if (nextStep === undefined) return [];
    const { label, field, tokenTypes } = nextStep;
    if (tokenTypes !== null && (type === null || !tokenTypes.includes(type))) return [];
    return [{ path, label, field: field ?? FORM_TOKEN, isSpecific: tokenTypes !== null }];
  });
  return steps.sort((a, b) => Number(b.isSpecific) - Number(a.isSpecific));
}
