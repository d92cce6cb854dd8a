import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendJson } from '../http/respond.ts';
import type { OpenSigner } from '../tokens/keys/signer.ts';

/** How long others may keep the keys, in seconds: a key stands by for longer than that before it signs. */
const MAX_AGE = 300;

/**
 * /.well-known/jwks.json: the public keys that tokens can be checked with elsewhere, those that stand by among them
 * (RFC 7517 section 5). A secret is never among them.
 */
export function registerJwks(app: FastifyInstance, signer: Pick<OpenSigner, 'publicKeys'>): void {
  app.get('/.well-known/jwks.json', async (request, reply) => {
    const json = JSON.stringify({ keys: await signer.publicKeys() });
    const etag = `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;
    reply.headers({
      etag,
      'cache-control': `public, max-age=${MAX_AGE}`,
      'x-content-type-options': 'nosniff',
    });
    if (isKept(request, etag)) return reply.code(304).send();
    sendJson(reply, json);
    return reply;
  });
}

/** Whether who asks has it already: RFC 9110 section 13.1.2. */
function isKept({ headers }: FastifyRequest, etag: string): boolean {
  const kept = headers['if-none-match'] ?? '';
  return kept.trim() === '*' || kept.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
