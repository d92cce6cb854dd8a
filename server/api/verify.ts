import type { Database } from '../../db/statement.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { TokenContext } from '../tokens/context.ts';
import { verifyAnyToken } from '../tokens/verify.ts';
import type { EndpointJournal } from './journal.ts';

/** /api/token/verify/: SimpleJWT's TokenVerifyView. */
export function verifyEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/verify/',
    name: 'token_verify',
    title: 'Token Verify',
    description:
      'Takes a token and indicates if it is valid.  This view provides no\n' +
      "information about a token's fitness for a particular use.",
    notes: 'An empty answer, {}, means that the token is good.',
    access: 'anyone',
    actions: {
      POST: {
        fields: [{ name: 'token', label: 'Token', kind: 'token' }],
        handle: async ({ values }) => {
          await verifyAnyToken(db, context, values.token as string);
          return { body: {} };
        },
      },
    },
    nextStep: { label: 'Verify', tokenTypes: null, field: 'token' },
    journal: { refused: 'verify_refused' } satisfies EndpointJournal,
  };
}
