import type { Bearer } from '../http/authenticate.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { Settings } from '../settings.ts';
import { NAMED_CLASSES } from '../tokens/classes.ts';
import type { EndpointJournal } from './journal.ts';

/** /api/me/: the example of a protected endpoint. It says whose token was brought. */
export function meEndpoint(settings: Settings): Endpoint {
  const tokenTypes = settings.AUTH_TOKEN_CLASSES.map((name) => NAMED_CLASSES[name].type as string);
  return {
    path: '/api/me/',
    name: 'me',
    title: 'Me',
    description: '',
    notes: 'Who are you? The answer is for those who bring an access token.',
    access: 'bearer',
    actions: {
      GET: {
        fields: [],
        handle: ({ bearer }) => {
          const { user } = bearer as Bearer;
          return { body: { id: user.id, username: user.username } };
        },
      },
    },
    nextStep: { label: 'Use it at /api/me/', tokenTypes, field: null },
    journal: { refused: 'bearer_refused' } satisfies EndpointJournal,
  };
}
