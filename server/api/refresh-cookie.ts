import type { FastifyRequest } from 'fastify';
import type { Answer } from '../http/endpoint.ts';
import type { Field } from '../http/fields.ts';
import { tokenCookie, wantsCookie } from '../http/token-cookie.ts';
import type { Settings } from '../settings.ts';

/** The field for a refresh token, which under AUTH_COOKIE a cookie may bring. */
export function refreshField({ AUTH_COOKIE }: Settings): Field {
  const field: Field = { name: 'refresh', label: 'Refresh', kind: 'token' };
  return AUTH_COOKIE === null ? field : { ...field, cookie: AUTH_COOKIE };
}

/** Tokens as an answer: under AUTH_COOKIE, for whoever asks, the refresh token as a cookie and not in the body. */
export function deliver(
  { AUTH_COOKIE, REFRESH_TOKEN_LIFETIME }: Settings,
  request: FastifyRequest,
  tokens: { access: string; refresh?: string },
): Answer {
  if (AUTH_COOKIE === null || !wantsCookie(request)) return { body: tokens };
  const { refresh, ...rest } = tokens;
  if (refresh === undefined) return { body: rest };
  return { body: rest, headers: tokenCookie(request, AUTH_COOKIE, refresh, REFRESH_TOKEN_LIFETIME) };
}

/** The answer to a log-out, which takes the cookie back where it was used. */
export function takeBack({ AUTH_COOKIE }: Settings, request: FastifyRequest): Answer {
  if (AUTH_COOKIE === null || !request.exchange.cookieWasUsed) return { body: {} };
  return { body: {}, headers: tokenCookie(request, AUTH_COOKIE, null, 0) };
}
