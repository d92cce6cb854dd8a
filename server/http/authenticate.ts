import type { FastifyRequest } from 'fastify';
import type { Database } from '../../db/statement.ts';
import { authenticateBearer, type Bearer, bearerToken } from '../tokens/bearer.ts';
import type { TokenContext } from '../tokens/context.ts';

export type { Bearer };

/** The bearer of a request, null when it brings no token of ours; throws an AppError for a token that is refused. */
export type Authenticator = (request: FastifyRequest) => Promise<Bearer | null>;

/** Authenticates by the header that AUTH_HEADER_NAME names, or by the token that a page's form carries instead. */
export function makeAuthenticator(db: Database, context: TokenContext): Authenticator {
  const { AUTH_HEADER_NAME, AUTH_HEADER_TYPES } = context.settings;
  const header = headerName(AUTH_HEADER_NAME);
  return async (request) => {
    const value = request.headers[header];
    const token =
      request.exchange.pageToken ?? bearerToken(AUTH_HEADER_TYPES, typeof value === 'string' ? value : '');
    return token === null ? null : authenticateBearer(db, context, token);
  };
}

/** The HTTP name of a header that is set in Django's way: HTTP_X_ACCESS_TOKEN is x-access-token. */
export function headerName(djangoName: string): string {
  return djangoName
    .replace(/^HTTP_/, '')
    .replaceAll('_', '-')
    .toLowerCase();
}
