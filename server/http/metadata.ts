import type { Json } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { Field } from './fields.ts';
import { PARSED_MEDIA_TYPES } from './parsers.ts';

/** What an endpoint answers to OPTIONS: DRF's SimpleMetadata. */
export function describeEndpoint(endpoint: Endpoint): Json {
  const actions = (['PUT', 'POST'] as const).flatMap((method) => {
    const fields = endpoint.actions[method]?.fields ?? [];
    return fields.length === 0 ? [] : [[method, Object.fromEntries(fields.map(describeField))] as const];
  });
  return {
    name: endpoint.title,
    description: endpoint.description,
    renders: ['application/json', 'text/html'],
    parses: PARSED_MEDIA_TYPES,
    ...(actions.length > 0 && { actions: Object.fromEntries(actions) }),
  };
}

function describeField(field: Field): [string, Json] {
  const { name, label, readOnly = false } = field;
  return [name, { type: 'string', required: !readOnly, read_only: readOnly, label }];
}
