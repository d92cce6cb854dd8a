import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { settingsOf } from '../../e2e/settings-of.ts';
import { appOf, noteEndpoint } from './http.fixture.ts';
import { shownAnswer, shownErrors, shownForms, shownRequest, shownSamples } from './page.fixture.ts';

const URL = '/api/notes/1/';
const FORM = 'application/x-www-form-urlencoded';
const endpoint = noteEndpoint();
const guarded = { ...noteEndpoint('bearer'), path: '/api/private/' };
let app: FastifyInstance;

before(async () => {
  app = await appOf(settingsOf(), [endpoint, guarded]);
});
after(() => app.close());

function send(options: InjectOptions) {
  return app.inject({ url: URL, ...options });
}

/** A page's form as a browser sends it. */
function submit(fields: Record<string, string>, url = URL) {
  return send({
    method: 'POST',
    url,
    headers: { accept: 'text/html', 'content-type': FORM },
    payload: new URLSearchParams(fields).toString(),
  });
}

describe('methods that forms cannot send', () => {
  test('have their forms on the page, each with what stands for its method', async () => {
    const page = (await send({ method: 'GET', headers: { accept: 'text/html' } })).body;
    const forms = shownForms(page).filter(
      ({ fields }) => fields._method !== 'OPTIONS' && fields._method !== 'GET',
    );
    const shapes = forms.map(({ button, fields, method, action }) => [
      button,
      fields._method,
      Object.keys(fields),
      method,
      action,
    ]);
    assert.deepEqual(shapes, [
      ['POST', undefined, ['title', 'secret'], 'post', URL],
      ['POST', undefined, ['_content', '_content_type'], 'post', URL],
      ['PUT', 'PUT', ['_method', 'title', 'secret'], 'post', URL],
      ['PUT', 'PUT', ['_method', '_content', '_content_type'], 'post', URL],
      ['PATCH', 'PATCH', ['_method', 'title'], 'post', URL],
      ['PATCH', 'PATCH', ['_method', '_content', '_content_type'], 'post', URL],
      ['DELETE', 'DELETE', ['_method'], 'post', URL],
    ]);
  });

  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    test(`${method} works through its form`, async () => {
      const reply = await submit({ _method: method, title: 'x', secret: 'y' });
      assert.equal(reply.statusCode, 200);
      const title = method === 'DELETE' ? undefined : 'x';
      assert.deepEqual(shownAnswer(reply.body).json, title === undefined ? { method } : { method, title });
      assert.match(shownRequest(reply.body), new RegExp(`^${method} ${URL}`));
      assert.match(shownSamples(reply.body).curl ?? '', new RegExp(`-X ${method} `));
      assert.ok(!/_method=/.test(reply.body));
    });
    test(`${method} works through its raw data form`, async () => {
      const _content = JSON.stringify({ title: 'x', secret: method === 'PUT' ? 'hunter2' : 'x' });
      const reply = await submit({ _method: method, _content_type: 'application/json', _content });
      assert.equal(reply.statusCode, 200);
      assert.equal((shownAnswer(reply.body).json as { method: string }).method, method);
      assert.ok(!reply.body.includes('hunter2'));
    });
    test(`${method} works as itself`, async () => {
      for (const accept of ['application/json', 'text/html']) {
        const reply = await send({
          method: method as 'PUT',
          headers: { accept },
          payload: { title: 'x', secret: 'y' },
        });
        const json = accept === 'text/html' ? shownAnswer(reply.body).json : reply.json();
        assert.equal(json.method, method);
      }
    });
  }

  test('their errors stand beside the fields', async () => {
    const reply = await submit({ _method: 'PATCH', title: '' });
    assert.equal(reply.statusCode, 400);
    assert.ok(shownErrors(reply.body).includes('This field may not be blank.'));
  });
  test('the method is known in small letters too, and unknown ones are refused', async () => {
    assert.equal(
      (shownAnswer((await submit({ _method: 'delete' })).body).json as { method: string }).method,
      'DELETE',
    );
    for (const method of ['TRACE', 'CONNECT', 'constructor', '__proto__', '<b>', 'GET ', 'x'.repeat(1_000)]) {
      const reply = await submit({ _method: method });
      assert.equal(reply.statusCode, 405, method);
      assert.ok(!/<b>/.test(reply.body));
    }
  });
  test('an empty one is none', async () => {
    assert.equal((await submit({ _method: '', title: 'x', secret: 'y' })).statusCode, 201);
  });
});

describe('to a program these names are fields like any other', () => {
  const fields = {
    _method: 'DELETE',
    _content: '{"title": "raw"}',
    _content_type: 'application/json',
    _token: 'good',
  };
  const body = { title: 'x', secret: 'y', ...fields };
  const types: readonly [string, string][] = [
    ['application/json', JSON.stringify(body)],
    [FORM, new URLSearchParams(body).toString()],
  ];
  for (const [type, payload] of types) {
    test(type, async () => {
      for (const accept of ['application/json', '*/*']) {
        const reply = await send({ method: 'POST', headers: { accept, 'content-type': type }, payload });
        assert.equal(reply.statusCode, 201);
        assert.deepEqual(reply.json(), { method: 'POST', title: 'x' });
      }
    });
    test(`${type}: _token opens nothing`, async () => {
      const headers = { accept: 'application/json', 'content-type': type };
      assert.equal((await send({ method: 'POST', url: guarded.path, headers, payload })).statusCode, 401);
    });
  }
  test('JSON that asks for a page is no form', async () => {
    const headers = { accept: 'text/html', 'content-type': 'application/json' };
    const reply = await send({ method: 'POST', headers, payload: JSON.stringify(body) });
    assert.deepEqual(shownAnswer(reply.body).json, { method: 'POST', title: 'x' });
    assert.equal(
      (await send({ method: 'POST', url: guarded.path, headers, payload: JSON.stringify(body) })).statusCode,
      401,
    );
  });
  test('nor in the query', async () => {
    const reply = await send({
      method: 'POST',
      url: `${URL}?_method=DELETE`,
      payload: { title: 'x', secret: 'y' },
    });
    assert.equal(reply.json().method, 'POST');
  });
  test('nor is a header that names a method', async () => {
    const headers = { 'x-http-method-override': 'DELETE' };
    assert.equal(
      (await send({ method: 'POST', headers, payload: { title: 'x', secret: 'y' } })).json().method,
      'POST',
    );
  });
});

describe('the token of a form', () => {
  test('lets a person in and stays in the forms, never in an address', async () => {
    const reply = await submit({ _method: 'GET', _token: ' good ' }, guarded.path);
    assert.equal(reply.statusCode, 200);
    assert.match(shownRequest(reply.body), /^GET \/api\/private\/\s+Authorization: Bearer good$/);
    assert.ok(!/[?&]_?token=/.test(reply.body));
    const forms = shownForms(reply.body).filter(({ action }) => action === guarded.path);
    assert.ok(forms.length >= 8);
    for (const { fields } of forms) assert.equal(fields._token, 'good');
  });
  test('a refused one is 401 with the form to try again', async () => {
    const reply = await submit({ _method: 'GET', _token: 'bad' }, guarded.path);
    assert.equal(reply.statusCode, 401);
    assert.match(shownAnswer(reply.body).statusLine, /401/);
  });
  test('an empty one is none', async () => {
    const reply = await submit({ _method: 'GET', _token: ' ' }, guarded.path);
    assert.equal(reply.statusCode, 401);
    assert.deepEqual(shownAnswer(reply.body).json, {
      detail: 'Authentication credentials were not provided.',
    });
  });
});

describe('the stages of a request', () => {
  const rows: readonly [string, InjectOptions, number][] = [
    [
      'negotiation before all else',
      { method: 'PUT', url: guarded.path, headers: { accept: 'image/png' } },
      406,
    ],
    ['an unknown format is 404', { method: 'PUT', url: `${guarded.path}?format=xml` }, 404],
    ['who is it, before the method', { method: 'TRACE' as 'GET', url: guarded.path }, 401],
    ['the method before the body', { method: 'TRACE' as 'GET', url: URL }, 405],
    [
      'who is it, before the body',
      { method: 'POST', url: guarded.path, headers: { 'content-type': 'text/csv' }, payload: 'x' },
      401,
    ],
    ['the type of the body', { method: 'POST', headers: { 'content-type': 'text/csv' }, payload: 'x' }, 415],
    [
      'the body before its fields',
      { method: 'POST', headers: { 'content-type': 'application/json' }, payload: '{' },
      400,
    ],
    ['OPTIONS is for those who may', { method: 'OPTIONS', url: guarded.path }, 401],
  ];
  for (const [name, options, status] of rows) {
    test(name, async () => assert.equal((await send(options)).statusCode, status));
  }
});

describe('raw data', () => {
  const raw = (_content: string, _content_type = 'application/json') => submit({ _content_type, _content });

  test('is read as its type says', async () => {
    const boundary = '--b\r\nContent-Disposition: form-data; name="';
    const multipart = `${boundary}title"\r\n\r\nx\r\n${boundary}secret"\r\n\r\ny\r\n--b--\r\n`;
    for (const [type, content] of [
      ['application/json', '{"title": "x", "secret": "y"}'],
      [FORM, 'title=x&secret=y'],
      ['multipart/form-data', multipart],
    ] as const) {
      const reply = await raw(content, type);
      assert.equal(reply.statusCode, 201, type);
      assert.deepEqual(shownAnswer(reply.body).json, { method: 'POST', title: 'x' });
    }
  });
  test('that is broken is told so on the page', async () => {
    for (const [content, type, status] of [
      ['{', 'application/json', 400],
      ['[]', 'application/json', 400],
      ['null', 'application/json', 400],
      ['', 'application/json', 400],
      ['x', 'text/csv', 415],
      ['x', '', 415],
    ] as const) {
      const reply = await raw(content, type);
      assert.equal(reply.statusCode, status, `${type} ${content}`);
      assert.match(String(reply.headers['content-type']), /^text\/html/);
      assert.match(shownAnswer(reply.body).statusLine, new RegExp(`HTTP ${status}`));
    }
  });
  test('no password of it is shown again, whatever its form', async () => {
    for (const content of [
      '{"title": "", "secret": "hunter2"}',
      '[{"title": "", "secret": "hunter2"}]',
      '{"data": {"secret": "hunter2"}}',
    ]) {
      assert.ok(!(await raw(content)).body.includes('hunter2'), content);
    }
  });
  test('nested 100,000 levels deep is refused as any other, and never 5xx', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    for (const content of [
      deep,
      `{"title": ${deep}, "secret": "y"}`,
      `{"title": "x", "secret": "y", "z": ${deep}}`,
    ]) {
      const reply = await raw(content);
      assert.ok(reply.statusCode < 500, `${reply.statusCode}: ${reply.body.slice(0, 100)}`);
    }
  });
});
