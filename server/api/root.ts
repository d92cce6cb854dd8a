import type { Endpoint } from '../http/endpoint.ts';
import { originOf } from '../http/origin.ts';

/** /api/: every endpoint by name with its address, as the root of DRF's DefaultRouter. */
export function rootEndpoint(endpoints: readonly Endpoint[]): Endpoint {
  const listed = endpoints.filter(({ isListed }) => isListed !== false);
  return {
    path: '/api/',
    name: 'api_root',
    title: 'Api Root',
    description: 'The default basic root view for DefaultRouter',
    notes: 'Every endpoint there is. Follow a link to open it.',
    access: 'anyone',
    actions: {
      GET: {
        fields: [],
        handle: ({ request }) => {
          const origin = originOf(request);
          return { body: Object.fromEntries(listed.map(({ name, path }) => [name, origin + path])) };
        },
      },
    },
  };
}
