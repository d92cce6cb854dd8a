import { parse, serialize } from 'cookie';
import type { FastifyRequest } from 'fastify';
import { refuseOtherSites } from './csrf.ts';
import type { Field } from './fields.ts';

/** Where the cookie goes: to the endpoints that take or give tokens, and nowhere else. */
const PATH = '/api/token/';

/** A page asks by this header to be given the refresh token as a cookie: no other site can send it unasked. */
const COOKIE_HEADER = 'x-refresh-cookie';

/**
 * What a field holds that the body does not name, from the cookie that may bring it.
 *
 * @throws AppError `csrf_failed`, 403, when a page of another site makes use of the cookie
 */
export function fromCookie(request: FastifyRequest, { cookie }: Field): string | undefined {
  if (cookie === undefined || request.headers.cookie === undefined) return undefined;
  const value = parse(request.headers.cookie)[cookieName(request, cookie)];
  if (!value) return undefined;
  refuseOtherSites(request);
  request.exchange.cookieWasUsed = true;
  return value;
}

/**
 * Whether the answer's refresh token goes into the cookie: that is how it came, or the page asks for it.
 *
 * @throws AppError `csrf_failed`, 403, when a page of another site asks
 */
export function wantsCookie(request: FastifyRequest): boolean {
  if (request.exchange.cookieWasUsed) return true;
  if (request.headers[COOKIE_HEADER] === undefined) return false;
  refuseOtherSites(request);
  return true;
}

/**
 * The Set-Cookie header that gives a token to the browser, out of the reach of scripts, or takes it back.
 *
 * @param token null to take it back
 * @param maxAge how long it is good for, in seconds
 */
export function tokenCookie(
  request: FastifyRequest,
  name: string,
  token: string | null,
  maxAge: number,
): Record<string, string> {
  const cookie = serialize(cookieName(request, name), token ?? '', {
    path: PATH,
    httpOnly: true,
    sameSite: 'strict',
    secure: request.protocol === 'https',
    maxAge: token === null ? 0 : maxAge,
  });
  return { 'Set-Cookie': cookie };
}

/** Over https with the prefix that keeps plain http from setting it; `__Host-` would bind it to every path. */
function cookieName({ protocol }: FastifyRequest, name: string): string {
  return protocol === 'https' ? `__Secure-${name}` : name;
}
