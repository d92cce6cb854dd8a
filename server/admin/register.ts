import { hkdfSync } from 'node:crypto';
import { Readable } from 'node:stream';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Database } from '../../db/statement.ts';
import type { Origin } from '../audit/record.ts';
import { AppError } from '../errors.ts';
import { CSRF_FIELD, csrfToken, requireSameSite } from '../http/csrf.ts';
import { logFailure, toAppError } from '../http/failures.ts';
import { setApiHeaders, setPageHeaders } from '../http/headers.ts';
import { formPairs } from '../http/parsers.ts';
import type { Settings } from '../settings.ts';
import { FormInput } from './form-input.ts';
import { keepMessage, takeMessage } from './messages.ts';
import { sectionsFor } from './navigation.ts';
import type { AdminPage, Download, OpenCall, PageCall, PageResult, PageView, Viewer } from './page.ts';
import { findViewer, handOverSession } from './viewer.ts';

export const PREFIX = '/admin';

export interface AdminOptions {
  db: Database;
  settings: Settings;
  /** Seconds since the epoch. */
  now(): number;
  pages: readonly AdminPage[];
}

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer | null;
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Routes the pages of /admin/. Who makes a request is found for all of them; then come, in this order: that it is
 * made from a page of ours where it changes anything (403), that the viewer may open the page (the log-in, or 403),
 * that it takes the method (405), and the page's own function. Refusals take the same way out, as a page.
 */
export async function registerAdmin(app: FastifyInstance, options: AdminOptions): Promise<void> {
  const { db, settings, now, pages } = options;
  const cookieKey = Buffer.from(hkdfSync('sha256', settings.SECRET_KEY, '', 'jotgate admin cookies', 32));
  await app.register(cookie, { secret: cookieKey });
  app.removeAllContentTypeParsers();
  await app.register(formbody, {
    parser: (text) => new FormInput(formPairs(text)) as unknown as Record<string, unknown>,
  });
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async ({ headers }: FastifyRequest, body: Buffer) => {
    if (body.length === 0) return undefined;
    throw new AppError('unsupported_media_type', { values: { mediaType: headers['content-type'] ?? '' } });
  });
  app.decorateRequest('viewer', null);
  app.addHook('onRequest', async (request) => {
    request.viewer = await findViewer(db, settings, request, new Date(now() * 1000));
  });
  app.setErrorHandler((error, request, reply) => fail(error, request, reply));
  for (const page of pages) {
    app.route({
      method: METHODS,
      url: page.path.slice(PREFIX.length),
      prefixTrailingSlash: 'slash',
      handler: async (request, reply) => {
        const result = await answer(page, request, reply, new Date(now() * 1000));
        return send(result, request, reply);
      },
    });
  }
  app.setNotFoundHandler((request, reply) => answerUnknown(pages, request, reply));
}

async function answer(
  page: AdminPage,
  request: FastifyRequest,
  reply: FastifyReply,
  now: Date,
): Promise<PageResult> {
  const form = request.body instanceof FormInput ? request.body : new FormInput();
  if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) requireSameSite(request, form.get(CSRF_FIELD));
  const { viewer } = request;
  if (page.access !== 'anyone' && viewer === null) return toLogin(request);
  if (!mayOpen(page, viewer)) throw new AppError('forbidden', { values: { reason: NO_PERMISSION } });
  const handler = request.method === 'POST' ? page.post : page.get;
  if (handler === undefined || !['GET', 'HEAD', 'POST'].includes(request.method)) {
    const allowed = [...(page.get ? ['GET', 'HEAD'] : []), ...(page.post ? ['POST'] : [])];
    reply.header('allow', allowed.join(', '));
    throw new AppError('method_not_allowed', { values: { method: request.method } });
  }
  const call: OpenCall = {
    request,
    params: idsOf(request),
    query: queryOf(request),
    form,
    viewer,
    origin: originOf(request),
    now,
  };
  return handler(call as PageCall);
}

/** A page, or what it is about, that is not there. */
function notFound(): AppError {
  return new AppError('not_found', {
    advice: 'There is nothing at this address. The menu above leads to what there is.',
  });
}

const NO_PERMISSION = 'You don’t have permission to view or edit anything here.';

function mayOpen({ access }: AdminPage, viewer: Viewer | null): boolean {
  if (access === 'anyone') return true;
  if (viewer === null) return false;
  if (access === 'staff') return true;
  if (access === 'superuser') return viewer.user.is_superuser === 1;
  return access.some((key) => viewer.permissions.has(key));
}

/** The parameters of the path, every one an id. @throws AppError `not_found` for what can be none */
function idsOf({ params }: FastifyRequest): Record<string, string> {
  const ids = params as Record<string, string>;
  if (!Object.values(ids).every((id) => /^[1-9]\d{0,14}$/.test(id))) throw notFound();
  return ids;
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at));
}

/** Where a request comes from, for the history. */
function originOf({ viewer, ip, headers }: FastifyRequest): Origin {
  return {
    via: 'admin',
    actor: viewer && { id: viewer.user.id, name: viewer.user.username },
    address: ip,
    userAgent: headers['user-agent'] ?? '',
  };
}

/** To the log-in, and from there back to the page that was asked for. */
function toLogin({ url }: FastifyRequest): PageResult {
  return { redirect: `${PREFIX}/login/?next=${encodeURIComponent(url)}` };
}

/** An address that leads nowhere: one that lacks but its slash is sent there, visitors are sent to the log-in. */
function answerUnknown(pages: readonly AdminPage[], request: FastifyRequest, reply: FastifyReply): unknown {
  const [path = '', ...query] = request.url.split('?');
  const parts = `${path}/`.split('/');
  const isKnown = pages.some((page) => {
    const names = page.path.split('/');
    return (
      names.length === parts.length && names.every((name, i) => name.startsWith(':') || name === parts[i])
    );
  });
  if (isKnown) {
    setApiHeaders(reply);
    return reply.redirect([`${path}/`, ...query].join('?'), 301);
  }
  if (request.viewer === null) return send(toLogin(request), request, reply);
  throw notFound();
}

async function send(result: PageResult, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  setApiHeaders(reply);
  if ('chunks' in result) return sendDownload(result, reply);
  if ('view' in result) return sendView(result, request, reply);
  if (result.session !== undefined) handOverSession(reply, result.session);
  if (result.message !== undefined) keepMessage(reply, result.message);
  return reply.redirect(result.redirect, 303);
}

async function sendView(
  { view, title, breadcrumbs, data, status = 200 }: PageView,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  setPageHeaders(reply.code(status));
  const { viewer } = request;
  const html = await reply.viewAsync(`admin/${view}`, {
    ...data,
    title,
    breadcrumbs,
    viewer: viewer && { username: viewer.user.username, isSuperuser: viewer.user.is_superuser === 1 },
    sections: viewer === null ? [] : sectionsFor(viewer),
    path: request.url.split('?', 1)[0],
    csrf: { name: CSRF_FIELD, value: csrfToken(request, reply) },
    message: takeMessage(request, reply),
  });
  return reply.type('text/html; charset=utf-8').send(html);
}

function sendDownload({ filename, contentType, chunks }: Download, reply: FastifyReply): FastifyReply {
  return reply
    .header('content-disposition', `attachment; filename="${filename}"`)
    .type(contentType)
    .send(Readable.from(chunks));
}

/** What a refusal says at the top of its page. */
const ERROR_TITLES: Readonly<Record<number, string>> = {
  403: 'Permission denied',
  404: 'Page not found',
};

function fail(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const refusal = toAppError(error, request.headers['content-type']);
  logFailure(refusal, error, request);
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  const title = ERROR_TITLES[refusal.status] ?? 'This did not work';
  const view: PageView = {
    view: 'error',
    title,
    breadcrumbs: [{ label: title }],
    data: { detail: refusal.body.detail, advice: refusal.advice },
    status: refusal.status,
  };
  return send(view, request, reply);
}
