import { Tokens } from '@fastify/csrf';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { readCookie, setCookie } from './cookies.ts';

/** The hidden field that brings the token back, as Django names it. */
export const CSRF_FIELD = 'csrfmiddlewaretoken';

const COOKIE = 'jotgate_csrf';

const tokens = new Tokens({ userInfo: false });

/** A token for the forms of a page. It fits the secret in the visitor's cookie, which is set where there is none. */
export function csrfToken(request: FastifyRequest, reply: FastifyReply): string {
  const secret = readCookie(request, COOKIE);
  return tokens.create(secret || renewCsrfSecret(reply));
}

/** Gives the visitor another secret: what was known before a log-in is worth nothing after it. */
export function renewCsrfSecret(reply: FastifyReply): string {
  const secret = tokens.secretSync();
  setCookie(reply, COOKIE, secret);
  return secret;
}

/**
 * Lets a request that changes something pass only if it comes from a page of this server: by what the browser says
 * of its origin, and by a token that only such a page knows.
 *
 * @param token what the form brought
 * @throws AppError `csrf_failed`
 */
export function requireSameSite(request: FastifyRequest, token: string | undefined): void {
  refuseOtherSites(request);
  const secret = readCookie(request, COOKIE);
  if (!secret || !token || !tokens.verify(secret, token)) throw new AppError('csrf_failed');
}

/**
 * Refuses a request that the browser says comes from a page of another site, or of another host of this one.
 *
 * @throws AppError `csrf_failed`
 */
export function refuseOtherSites({ headers, host }: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const isOurs = site === undefined || site === 'same-origin' || site === 'none';
  if (!isOurs || (origin !== undefined && hostOf(origin) !== host)) throw new AppError('csrf_failed');
}

/** The scheme is not compared: behind a proxy that ends TLS it differs, and a page of another scheme has no token. */
function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
