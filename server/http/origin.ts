import type { FastifyRequest } from 'fastify';

const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * The scheme, host and port under which the client reached this server, as Django's `build_absolute_uri`: what the
 * Host header says where it says anything sensible, else the address of the connection.
 */
export function originOf(request: FastifyRequest): string {
  const { localAddress = '127.0.0.1', localPort } = request.socket;
  const address = localAddress.includes(':') ? `[${localAddress}]` : localAddress;
  const host = HOST.test(request.host) ? request.host : `${address}:${localPort}`;
  return `${request.protocol}://${host}`;
}
