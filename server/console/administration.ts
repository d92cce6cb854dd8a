import type { FastifyInstance } from 'fastify';
import { setPageHeaders } from '../http/headers.ts';

/** /admin/: how accounts are looked after, with the commands to copy. */
export function registerAdministration(app: FastifyInstance): void {
  app.get('/admin/', (_request, reply) => {
    setPageHeaders(reply);
    return reply.view('administration', { title: 'Accounts' });
  });
}
