import type { FastifyInstance } from 'fastify';
import { setPageHeaders } from '../http/headers.ts';
import type { Settings } from '../settings.ts';
import type { TokenContext } from '../tokens/context.ts';
import { durationInWords, inspectToken } from '../tokens/inspect.ts';
import { accessFrom } from '../tokens/issue.ts';
import { generateMaterial, makeSign } from '../tokens/keys/key-material.ts';

/** /guide/: what a JWT is, shown on a token made for the page, and how obtain, use, expire and refresh work. */
export function registerGuide(app: FastifyInstance, context: TokenContext): void {
  const { settings } = context;
  let sample: ReturnType<typeof signWithAnotherKey> | undefined;
  app.get('/guide/', async (_request, reply) => {
    setPageHeaders(reply);
    reply.header('cache-control', 'no-store');
    sample ??= signWithAnotherKey(settings);
    const signer = { ...context.signer, sign: await sample };
    const token = accessFrom({ ...context, signer }, { [settings.USER_ID_CLAIM]: '1' });
    return reply.view('guide', {
      title: 'Guide',
      scheme: settings.AUTH_HEADER_TYPES[0],
      accessLifetime: durationInWords(settings.ACCESS_TOKEN_LIFETIME),
      refreshLifetime: durationInWords(settings.REFRESH_TOKEN_LIFETIME),
      anatomy: inspectToken(settings, token, context.now()),
    });
  });
}

/** Makes real tokens that open no door: anyone may open the guide, so its token is signed with a key of its own. */
async function signWithAnotherKey({ ALGORITHM, KEY_RING }: Settings) {
  const { privateKey } = await generateMaterial(ALGORITHM);
  return makeSign(ALGORITHM, privateKey ?? '', KEY_RING ? SAMPLE_KID : undefined);
}

/** The name of the guide's key, of the form that names of keys have. */
const SAMPLE_KID = '0123456789abcdef';
