import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { setPageHeaders } from '../http/headers.ts';
import type { TokenContext } from '../tokens/context.ts';
import { durationInWords, inspectToken } from '../tokens/inspect.ts';
import { accessFrom } from '../tokens/issue.ts';

/** /guide/: what a JWT is, shown on a token made for the page, and how obtain, use, expire and refresh work. */
export function registerGuide(app: FastifyInstance, context: TokenContext): void {
  app.get('/guide/', (_request, reply) => {
    setPageHeaders(reply);
    reply.header('cache-control', 'no-store');
    const { settings } = context;
    const token = signedWithAnotherKey(
      settings.ALGORITHM,
      accessFrom(context, { [settings.USER_ID_CLAIM]: '1' }),
    );
    return reply.view('guide', {
      title: 'Guide',
      scheme: settings.AUTH_HEADER_TYPES[0],
      accessLifetime: durationInWords(settings.ACCESS_TOKEN_LIFETIME),
      refreshLifetime: durationInWords(settings.REFRESH_TOKEN_LIFETIME),
      anatomy: inspectToken(settings, token, context.now()),
    });
  });
}

/** A real token that opens no door: anyone may open the guide, so its token is signed with a key made on the spot. */
function signedWithAnotherKey(algorithm: string, token: string): string {
  const signed = token.slice(0, token.lastIndexOf('.'));
  const signature = createHmac(algorithm.replace('HS', 'sha'), randomBytes(64))
    .update(signed)
    .digest('base64url');
  return `${signed}.${signature}`;
}
