import type { FastifyRequest } from 'fastify';
import type { Client } from '../sessions/sessions.ts';

/** From where a request comes, for the session it begins or goes on with. */
export function clientOf({ ip, headers }: FastifyRequest): Client {
  return { address: ip, userAgent: headers['user-agent'] ?? '' };
}
