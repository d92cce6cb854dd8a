import type { Bearer } from '../http/authenticate.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { EndpointJournal } from './journal.ts';

/**
 * /api/auth/check/: for proxies that ask before they let a request through, as nginx's `auth_request`, Traefik's
 * ForwardAuth and Caddy's `forward_auth` do. Who it is stands in headers, which they hand on to what is behind them.
 */
export function authCheckEndpoint(): Endpoint {
  return {
    path: '/api/auth/check/',
    isListed: false,
    name: 'auth_check',
    title: 'Auth Check',
    description: '',
    notes:
      'May this request pass? For proxies such as nginx, Traefik and Caddy: 204 with who it is in X-Auth-User-Id, ' +
      'X-Auth-Username and X-Auth-Claims (base64url of JSON), or 401.',
    access: 'bearer',
    ignoresAccept: true,
    actions: {
      GET: {
        fields: [],
        handle: ({ bearer }) => ({ status: 204, body: null, headers: identityHeaders(bearer as Bearer) }),
      },
    },
    journal: { refused: 'bearer_refused' } satisfies EndpointJournal,
  };
}

/** All three are always there: a proxy that copies them overwrites what a client made up. */
function identityHeaders({ user, claims }: Bearer): Record<string, string> {
  return {
    'X-Auth-User-Id': String(user.id),
    'X-Auth-Username': percentEncoded(user.username),
    'X-Auth-Claims': Buffer.from(JSON.stringify(claims)).toString('base64url'),
  };
}

/** Names as Django makes them are left as they are, unless a letter is not ASCII: UTF-8, percent-encoded as in a URL. */
function percentEncoded(text: string): string {
  return text.toWellFormed().replace(/[^!-$&-~]/gu, encodeURIComponent);
}
