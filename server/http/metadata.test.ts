import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionFor, allowedMethods } from './endpoint.ts';
import { noteEndpoint } from './http.fixture.ts';
import { describeEndpoint } from './metadata.ts';

const endpoint = noteEndpoint();

test('what OPTIONS says, in the order of DRF', () => {
  const field = (label: string) => ({ type: 'string', required: true, read_only: false, label });
  const fields = { title: field('Title'), secret: field('Secret') };
  assert.equal(
    JSON.stringify(describeEndpoint(endpoint)),
    JSON.stringify({
      name: 'Note',
      description: 'One note.',
      renders: ['application/json', 'text/html'],
      parses: ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
      actions: { PUT: fields, POST: fields },
    }),
  );
});

test('an endpoint that takes nothing has no actions', () => {
  const { actions } = endpoint;
  assert.ok(
    !('actions' in (describeEndpoint({ ...endpoint, actions: { GET: actions.GET as never } }) as object)),
  );
  assert.ok(
    !(
      'actions' in (describeEndpoint({ ...endpoint, actions: { DELETE: actions.DELETE as never } }) as object)
    ),
  );
});

test('a field that is only given is said to be so', () => {
  const POST = {
    fields: [{ name: 'a', label: 'A', kind: 'text', readOnly: true }] as const,
    handle: () => ({ body: {} }),
  };
  const described = describeEndpoint({ ...endpoint, actions: { POST } }) as { actions: unknown };
  assert.deepEqual(described.actions, {
    POST: { a: { type: 'string', required: false, read_only: true, label: 'A' } },
  });
});

test('methods in the order of DRF', () => {
  assert.deepEqual(allowedMethods(endpoint), ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
  assert.deepEqual(allowedMethods({ ...endpoint, actions: {} }), ['OPTIONS']);
});

test('a method is answered by its action, and by nothing that every object has', () => {
  assert.equal(actionFor(endpoint, 'HEAD'), endpoint.actions.GET);
  for (const method of ['OPTIONS', 'constructor', '__proto__', 'toString', '', 'get']) {
    assert.equal(actionFor(endpoint, method), undefined);
  }
});
