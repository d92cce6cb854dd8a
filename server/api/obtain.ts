import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { AppError } from '../errors.ts';
import type { Call, Endpoint } from '../http/endpoint.ts';
import type { Field } from '../http/fields.ts';
import type { TokenContext } from '../tokens/context.ts';
import { obtainPair, obtainSliding } from '../tokens/issue.ts';
import { PASSWORD_MAX_LENGTH } from '../users/hashers.ts';
import { logIn } from '../users/log-in.ts';
import { clientOf } from './client.ts';
import type { EndpointJournal } from './journal.ts';
import { deliver } from './refresh-cookie.ts';

const CREDENTIALS: readonly Field[] = [
  { name: 'username', label: 'Username', kind: 'text' },
  { name: 'password', label: 'Password', kind: 'password', maxLength: PASSWORD_MAX_LENGTH },
];

const JOURNAL = { done: 'login', refused: 'login_refused' } satisfies EndpointJournal;

/** /api/token/: SimpleJWT's TokenObtainPairView. */
export function obtainPairEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/',
    name: 'token_obtain_pair',
    title: 'Token Obtain Pair',
    description:
      'Takes a set of user credentials and returns an access and refresh JSON web\n' +
      'token pair to prove the authentication of those credentials.',
    notes: 'Log in here: type a username and password into the form below and press POST.',
    access: 'anyone',
    actions: {
      POST: {
        fields: CREDENTIALS,
        handle: async (call) => {
          const user = await requireLogin(db, context, call);
          const pair = await obtainPair(db, context, user, clientOf(call.request));
          return deliver(context.settings, call.request, pair);
        },
      },
    },
    journal: JOURNAL,
  };
}

/** /api/token/sliding/: SimpleJWT's TokenObtainSlidingView. */
export function obtainSlidingEndpoint(db: Database, context: TokenContext): Endpoint {
  return {
    path: '/api/token/sliding/',
    name: 'token_obtain_sliding',
    title: 'Token Obtain Sliding',
    description:
      'Takes a set of user credentials and returns a sliding JSON web token to\n' +
      'prove the authentication of those credentials.',
    notes:
      'A sliding token is both in one: it opens doors like an access token and is renewed like a refresh token.',
    access: 'anyone',
    actions: {
      POST: {
        fields: CREDENTIALS,
        handle: async (call) => ({
          body: await obtainSliding(
            db,
            context,
            await requireLogin(db, context, call),
            clientOf(call.request),
          ),
        }),
      },
    },
    journal: JOURNAL,
  };
}

async function requireLogin(
  db: Database,
  { settings, now, signer }: TokenContext,
  { values, request }: Call,
): Promise<UserRow> {
  // First: where nothing can be signed no password needs to be looked at.
  await signer.prepareToSign();
  const credentials = { username: values.username as string, password: values.password as string };
  const user = await logIn(db, settings, credentials, request.ip, new Date(now() * 1000));
  if (user === null) throw new AppError('no_active_account');
  return user;
}
