import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * The name of a cookie as it is set: over https with the prefix that keeps other hosts and plain http from setting
 * it (RFC 6265bis section 4.1.3).
 */
function cookieName({ protocol }: FastifyRequest, name: string): string {
  return protocol === 'https' ? `__Host-${name}` : name;
}

/** No script reads it, and no form of another site brings it along. It goes when the browser is closed. */
function attributes({ protocol }: FastifyRequest): CookieSerializeOptions {
  return { path: '/', httpOnly: true, sameSite: 'lax', secure: protocol === 'https' };
}

/** @returns undefined for a cookie that was not sent */
export function readCookie(request: FastifyRequest, name: string): string | undefined {
  return request.cookies[cookieName(request, name)];
}

export function setCookie(reply: FastifyReply, name: string, value: string): void {
  reply.setCookie(cookieName(reply.request, name), value, attributes(reply.request));
}

/** As `setCookie`, with a signature by which `readSignedCookie` tells its own. */
export function setSignedCookie(reply: FastifyReply, name: string, value: string): void {
  reply.setCookie(cookieName(reply.request, name), value, { ...attributes(reply.request), signed: true });
}

/** @returns undefined for a cookie that was not sent, or not made here */
export function readSignedCookie(request: FastifyRequest, name: string): string | undefined {
  const { valid, value } = request.unsignCookie(readCookie(request, name) ?? '');
  return valid ? value : undefined;
}

export function clearCookie(reply: FastifyReply, name: string): void {
  reply.clearCookie(cookieName(reply.request, name), attributes(reply.request));
}
