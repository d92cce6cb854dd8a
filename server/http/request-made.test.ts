import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { Exchange } from './exchange.ts';
import { noteEndpoint, requestOf } from './http.fixture.ts';
import { requestMade } from './request-made.ts';

const endpoint = noteEndpoint();
const MASK = '********';

function made(
  parts: Parameters<typeof requestOf>[0] & { status?: number; exchange?: Partial<Exchange> },
  env = {},
) {
  const request = requestOf({ ...parts, exchange: { endpoint, ...parts.exchange } });
  return requestMade(
    { settings: settingsOf(env), bearerHeader: 'Authorization' },
    request,
    parts.status ?? 200,
  );
}

const raw = (content: unknown, contentType = 'application/json') => ({
  raw: { contentType, content: JSON.stringify(content) },
});

test('a form is shown as it was sent, the password masked', () => {
  assert.deepEqual(made({ body: { title: 'x', secret: 'hunter2' } }).sample, {
    method: 'POST',
    url: 'http://jot.example/api/notes/1/',
    headers: [],
    body: { form: { title: 'x', secret: MASK } },
  });
});

test('raw JSON is shown as JSON, the password masked', () => {
  const body = { title: 'x', n: [1, { a: null }], secret: 'hunter2' };
  assert.deepEqual(made({ body, exchange: raw(body) }).sample.body, {
    json: { title: 'x', n: [1, { a: null }], secret: MASK },
  });
});

test('a raw form is shown as a form', () => {
  const body = { title: 'x', secret: 'hunter2' };
  const exchange = {
    raw: { contentType: 'application/x-www-form-urlencoded', content: 'title=x&secret=hunter2' },
  };
  assert.deepEqual(made({ body, exchange }).sample.body, { form: { title: 'x', secret: MASK } });
});

describe('no password is shown, however it came', () => {
  const bodies: Readonly<Record<string, unknown>> = {
    'under its name': { secret: 'hunter2' },
    'as a number': { secret: 2_718_281_828 },
    'in a list': { secret: ['hunter2'] },
    'in an object': { secret: { a: 'hunter2' } },
    'under another name for it': { password: 'hunter2', Password: 'hunter2', new_passwd: 'hunter2' },
    'in a list as the body': [{ title: 'x', secret: 'hunter2' }],
    'nested under another name': { data: { secret: 'hunter2', password: 'hunter2' } },
    'nested in a list': { data: [[{ password: 'hunter2' }]] },
  };
  for (const [name, body] of Object.entries(bodies)) {
    test(name, () => {
      for (const exchange of [raw(body), raw(body, 'application/json; charset=utf-8'), {}]) {
        assert.doesNotMatch(JSON.stringify(made({ body, exchange })), /hunter2|2718281828/);
      }
    });
  }
});

test('fields that only pages send are no part of it', () => {
  const body = { title: 'x', _method: 'PUT', _token: 't', _content: 'c', _content_type: 'd' };
  assert.deepEqual(made({ body }).sample.body, { form: { title: 'x' } });
});

test('a page that was only opened shows what could be sent', () => {
  const { isExample, sample } = made({
    method: 'GET',
    status: 405,
    exchange: { endpoint: { ...endpoint, actions: { POST: endpoint.actions.POST as never } } },
  });
  assert.equal(isExample, true);
  assert.equal(sample.method, 'POST');
  assert.deepEqual(sample.body, { json: { title: '<title>', secret: MASK } });
});

test('a GET has no body', () => {
  assert.equal(made({ method: 'GET', body: undefined }).sample.body, null);
  assert.equal(made({ method: 'GET', body: { a: 1 } }).isExample, false);
});

test('DELETE, PUT and PATCH are shown as themselves', () => {
  for (const method of ['DELETE', 'PUT', 'PATCH']) {
    assert.equal(made({ body: { title: 'x' }, exchange: { method } }).sample.method, method);
  }
});

test('the token that a form carried is shown as the header of a program', () => {
  const expected = [['Authorization', 'JWT abc']];
  const result = made({ method: 'GET', exchange: { pageToken: 'abc' } }, { AUTH_HEADER_TYPES: 'JWT,Bearer' });
  assert.deepEqual(result.shownHeaders, expected);
  assert.deepEqual(result.sample.headers, expected);
});

test('JSON that a program sent and wants to see as a page is shown as JSON', () => {
  const body = { title: 'x' };
  const { sample } = made({ body, headers: { 'content-type': 'application/json' } });
  assert.deepEqual(sample.body, { json: body });
});
