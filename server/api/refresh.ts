import type { Database } from '../../db/statement.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { TokenContext } from '../tokens/context.ts';
import { refreshPair, refreshSliding } from '../tokens/refresh.ts';
import { clientOf } from './client.ts';
import type { EndpointJournal } from './journal.ts';
import { deliver, refreshField } from './refresh-cookie.ts';

const JOURNAL = { done: 'refreshed', refused: 'refresh_refused' } satisfies EndpointJournal;

/** /api/token/refresh/: SimpleJWT's TokenRefreshView. */
export function refreshPairEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/refresh/',
    name: 'token_refresh',
    title: 'Token Refresh',
    description:
      'Takes a refresh type JSON web token and returns an access type JSON web\ntoken if the refresh token is valid.',
    notes: 'When an access token has run out, the refresh token gets the next one without the password.',
    access: 'anyone',
    actions: {
      POST: {
        fields: [
          refreshField(context.settings),
          { name: 'access', label: 'Access', kind: 'token', readOnly: true },
        ],
        handle: async ({ values, request }) => {
          const pair = await refreshPair(db, context, values.refresh as string, clientOf(request));
          return deliver(context.settings, request, pair);
        },
      },
    },
    nextStep: { label: 'Refresh with this token', tokenTypes: ['refresh'], field: 'refresh' },
    journal: JOURNAL,
  };
}

/** /api/token/sliding/refresh/: SimpleJWT's TokenRefreshSlidingView. */
export function refreshSlidingEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/sliding/refresh/',
    name: 'token_refresh_sliding',
    title: 'Token Refresh Sliding',
    description:
      "Takes a sliding JSON web token and returns a new, refreshed version if the\ntoken's refresh period has not expired.",
    notes: 'Renew a sliding token while it is still alive. How long that goes on is fixed at login.',
    access: 'anyone',
    actions: {
      POST: {
        fields: [{ name: 'token', label: 'Token', kind: 'token' }],
        handle: async ({ values, request }) => ({
          body: await refreshSliding(db, context, values.token as string, clientOf(request)),
        }),
      },
    },
    nextStep: { label: 'Refresh with this token', tokenTypes: ['sliding'], field: 'token' },
    journal: JOURNAL,
  };
}
