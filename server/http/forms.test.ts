import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError, type Json } from '../errors.ts';
import { formsOf } from './forms.ts';
import { noteEndpoint, requestOf } from './http.fixture.ts';

const endpoint = noteEndpoint();

function forms(
  body: unknown,
  refusal: AppError | null = null,
  exchange: Parameters<typeof requestOf>[0]['exchange'] = {},
) {
  const result = {
    status: refusal?.status ?? 200,
    reason: '',
    headers: {},
    body: (refusal?.body ?? {}) as Json,
    refusal,
  };
  return formsOf(endpoint, requestOf({ body, exchange: { endpoint, ...exchange } }), result);
}

const invalid = (members: Record<string, Json>) => new AppError('invalid', { members });

test('one for each method that changes something, in DRF’s order', () => {
  assert.deepEqual(
    forms(undefined).map(({ method }) => method),
    ['POST', 'PUT', 'PATCH', 'DELETE'],
  );
  const readOnly = { ...endpoint, actions: { GET: endpoint.actions.GET as never } };
  const result = { status: 200, reason: '', headers: {}, body: {}, refusal: null };
  assert.deepEqual(formsOf(readOnly, requestOf({}), result), []);
});

test('each has the fields of its method', () => {
  const names = forms(undefined).map(({ fields }) => fields.map(({ name }) => name));
  assert.deepEqual(names, [['title', 'secret'], ['title', 'secret'], ['title'], []]);
});

test('what was refused is kept, but never a password', () => {
  const [form] = forms(
    { title: 'kept', secret: 'hunter2' },
    invalid({ title: ['Wrong.', 'Again.'], secret: ['Weak.'] }),
  );
  assert.deepEqual(
    form?.fields.map(({ name, value, errors }) => [name, value, errors]),
    [
      ['title', 'kept', ['Wrong.', 'Again.']],
      ['secret', '', ['Weak.']],
    ],
  );
  assert.doesNotMatch(JSON.stringify(form), /hunter2/);
});

test('a number is kept as it was typed, other things are not', () => {
  for (const [value, kept] of [
    [7, '7'],
    [true, ''],
    [null, ''],
    [['a'], ''],
    [{ a: 1 }, ''],
  ] as const) {
    assert.equal(forms({ title: value }, invalid({}))[0]?.fields[0]?.value, kept);
  }
});

test('what went through starts empty', () => {
  assert.equal(forms({ title: 'x' })[0]?.fields[0]?.value, '');
});

test('messages that belong to no field stand over the form', () => {
  assert.deepEqual(forms([], invalid({ non_field_errors: ['No data provided'] }))[0]?.errors, [
    'No data provided',
  ]);
});

describe('bodies of any kind', () => {
  for (const body of [
    undefined,
    null,
    1,
    'text',
    true,
    [],
    [1],
    JSON.parse('{"__proto__": {"title": "x"}}'),
  ]) {
    test(JSON.stringify(body) ?? 'none', () => {
      assert.equal(forms(body, invalid({}))[0]?.fields[0]?.value, '');
    });
  }
});

test('the raw form holds the fields as JSON, without the password', () => {
  const [form] = forms({ title: 'é"', secret: 'hunter2' }, invalid({}));
  assert.deepEqual(JSON.parse(form?.raw.content ?? ''), { title: 'é"', secret: '' });
  assert.equal(form?.raw.mediaType, 'application/json');
  assert.equal(form?.rawWasUsed, false);
});

test('the raw form that was sent is the one that is open', () => {
  const raw = { contentType: 'multipart/form-data', content: '{"secret": "hunter2"}' };
  const [form] = forms({ title: 'x' }, invalid({}), { raw });
  assert.equal(form?.rawWasUsed, true);
  assert.equal(form?.raw.mediaType, 'multipart/form-data');
  assert.doesNotMatch(JSON.stringify(form), /hunter2/);
});

test('raw data that cannot be read is given back, but not where a password may be in it', () => {
  const raw = { contentType: 'application/json', content: '{"title": "hunter2"' };
  const refusal = new AppError('parse_error', { values: { reason: 'broken' } });
  const contents = forms({}, refusal, { raw }).map(({ method, raw: { content } }) => [method, content]);
  assert.ok(contents.length === 4);
  for (const [method, content = ''] of contents) {
    assert.equal(content.includes('hunter2'), method === 'PATCH' || method === 'DELETE', method);
  }
});
