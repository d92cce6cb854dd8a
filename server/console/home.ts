import type { FastifyInstance } from 'fastify';
import type { Database } from '../../db/statement.ts';
import { setPageHeaders } from '../http/headers.ts';
import { originOf } from '../http/origin.ts';
import type { Settings } from '../settings.ts';
import { countSuperusers } from '../users/users.ts';

/** /: what this is, in one screen, and where to go from here. */
export function registerHome(app: FastifyInstance, db: Database, settings: Settings): void {
  app.get('/', async (request, reply) => {
    setPageHeaders(reply);
    reply.header('cache-control', 'no-store');
    return reply.view('home', {
      title: 'Jotgate',
      needsSuperuser: (await countSuperusers(db)) === 0,
      origin: originOf(request),
      scheme: settings.AUTH_HEADER_TYPES[0],
    });
  });
}
