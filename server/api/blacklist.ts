import type { Database } from '../../db/statement.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { TokenContext } from '../tokens/context.ts';
import { blacklistToken } from '../tokens/revoke.ts';
import type { EndpointJournal } from './journal.ts';
import { refreshField, takeBack } from './refresh-cookie.ts';

/** /api/token/blacklist/: SimpleJWT's TokenBlacklistView. */
export function blacklistEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/blacklist/',
    name: 'token_blacklist',
    title: 'Token Blacklist',
    description:
      'Takes a token and blacklists it. Must be used with the\n' +
      '`rest_framework_simplejwt.token_blacklist` app installed.',
    notes:
      'Log out here: the refresh token is refused from now on. Access tokens made from it live on until they expire.',
    access: 'anyone',
    actions: {
      POST: {
        fields: [refreshField(context.settings)],
        handle: async ({ values, request }) => {
          await blacklistToken(db, context, values.refresh as string);
          return takeBack(context.settings, request);
        },
      },
    },
    nextStep: { label: 'Blacklist', tokenTypes: ['refresh'], field: 'refresh' },
    journal: { done: 'token_blacklisted', refused: 'blacklist_refused' } satisfies EndpointJournal,
  };
}
