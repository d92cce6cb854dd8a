import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import { toAppError } from './failures.ts';
import { BODY_LIMIT, parseText, registerParsers } from './parsers.ts';

let app: FastifyInstance;

before(async () => {
  app = Fastify({ bodyLimit: BODY_LIMIT });
  await registerParsers(app);
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toAppError(error, request.headers['content-type']);
    return reply.code(status).send(body);
  });
  app.post('/', async (request) => ({ read: request.body === undefined ? 'nothing' : request.body }));
  await app.ready();
});
after(() => app.close());

async function reading(contentType: string | undefined, payload: string | Buffer) {
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  const reply = await app.inject({ method: 'POST', url: '/', headers, payload });
  return { status: reply.statusCode, body: JSON.parse(reply.body) };
}

const read = (value: unknown) => ({ status: 200, body: { read: value } });
const refused = (detail: string) => ({ status: 400, body: { detail } });

const FORM = 'application/x-www-form-urlencoded';

describe('JSON', () => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json ; charset=utf-8',
    'application/json\t; charset=utf-8',
    'application/json;',
  ]) {
    test(`as ${JSON.stringify(type)}`, async () => {
      assert.deepEqual(await reading(type, '{"a": "é"}'), read({ a: 'é' }));
      const broken = await reading(type, '{');
      assert.equal(broken.status, 400);
      assert.match(broken.body.detail, /^JSON parse error - /);
    });
  }
  test('any value', async () => {
    for (const value of [null, 1, 'text', true, [], [{}]]) {
      assert.deepEqual(await reading('application/json', JSON.stringify(value)), read(value));
    }
  });
  test('of names that come twice the last counts', async () => {
    assert.deepEqual(await reading('application/json', '{"a": 1, "a": 2}'), read({ a: 2 }));
  });
  test('__proto__ and constructor are names like any other', async () => {
    const reply = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      payload: '{"__proto__": {"a": 1}, "constructor": {"prototype": {"b": 1}}}',
    });
    assert.equal(reply.body, '{"read":{"__proto__":{"a":1},"constructor":{"prototype":{"b":1}}}}');
    assert.equal(({} as { a?: unknown; b?: unknown }).a, undefined);
    assert.equal(({} as { a?: unknown; b?: unknown }).b, undefined);
  });
  const broken: Readonly<Record<string, string | Buffer>> = {
    'not JSON': 'password=hunter2',
    'cut off': '{"password": "hunter2"',
    NaN: '{"password": NaN}',
    'a trailing comma': '{"password": "hunter2",}',
    'single quotes': "{'password': 'hunter2'}",
    'blanks alone': '  ',
    'a secret in a long text': `{"username": "${'x'.repeat(200)}", "password": hunter2}`,
    'invalid UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    'UTF-16': Buffer.from('{"a": 1}', 'utf16le'),
  };
  for (const [name, body] of Object.entries(broken)) {
    test(`${name}: 400, without a piece of the body in it`, async () => {
      const reply = await reading('application/json', body);
      assert.equal(reply.status, 400);
      assert.match(reply.body.detail, /^JSON parse error - ./);
      assert.doesNotMatch(reply.body.detail, /hunter|password|xxx/);
    });
  }
  test('100,000 levels are read', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { status } = await app
      .inject({
        method: 'POST',
        url: '/',
        headers: { 'content-type': 'application/json' },
        payload: `{"a": 1, "b": "${deep.length}"}`,
      })
      .then(({ statusCode }) => ({ status: statusCode }));
    assert.equal(status, 200);
    await assert.doesNotReject(parseText('application/json', deep));
  });
});

describe('forms', () => {
  const rows: readonly [string, Record<string, string>][] = [
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=1&a=2', { a: '2' }],
    ['a+b=c+d', { 'a b': 'c d' }],
    ['a=%C3%A9%2B%26%3D', { a: 'é+&=' }],
    ['a=b=c', { a: 'b=c' }],
    ['a', { a: '' }],
    ['=x', { '': 'x' }],
    ['a[]=1&a[b]=2', { 'a[]': '1', 'a[b]': '2' }],
    ['a=é', { a: 'é' }],
    ['a=%00', { a: '\0' }],
  ];
  for (const [text, expected] of rows) {
    test(text, async () => assert.deepEqual(await reading(FORM, text), read(expected)));
  }
  test('as other spellings of the type', async () => {
    for (const type of [
      `${FORM}; charset=utf-8`,
      FORM.toUpperCase(),
      `${FORM}\t;charset=utf-8`,
      `${FORM} ; a=b`,
    ]) {
      assert.deepEqual(await reading(type, 'a=1'), read({ a: '1' }), type);
      assert.equal((await reading(type, 'a=%')).status, 400, type);
    }
  });
  test('__proto__ is a name like any other', async () => {
    const reply = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': FORM },
      payload: '__proto__=1&constructor=2',
    });
    assert.equal(reply.body, '{"read":{"__proto__":"1","constructor":"2"}}');
  });
  for (const text of ['a=%', 'a=%zz', 'a=%ff', 'a=%C3', 'a=%ED%A0%80', '%=1']) {
    test(`${text}: 400`, async () => {
      assert.deepEqual(
        await reading(FORM, text),
        refused('Form parse error - a % is not followed by two hex digits of valid UTF-8'),
      );
    });
  }
  test('bytes that are no UTF-8: 400', async () => {
    assert.equal((await reading(FORM, Buffer.from([0x61, 0x3d, 0xff]))).status, 400);
  });
});

const BOUNDARY = 'multipart/form-data; boundary=b';
const part = (name: string, value: string | Buffer, extra = '') =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"${extra}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
const multipart = (...parts: Buffer[]) => Buffer.concat([...parts, Buffer.from('--b--\r\n')]);

describe('multipart', () => {
  test('fields, of which the last of a name counts', async () => {
    const body = multipart(part('a', 'é'), part('b', 'x\r\ny'), part('b', 'z'));
    assert.deepEqual(await reading(BOUNDARY, body), read({ a: 'é', b: 'z' }));
    assert.deepEqual(await reading('Multipart/Form-Data; Boundary="b"', body), read({ a: 'é', b: 'z' }));
  });
  test('files are passed over', async () => {
    const body = multipart(part('f', 'data', '; filename="x.txt"'), part('a', '1'));
    assert.deepEqual(await reading(BOUNDARY, body), read({ a: '1' }));
  });
  test('__proto__ is a name like any other, or none', async () => {
    await reading(BOUNDARY, multipart(part('__proto__', 'x'), part('constructor', 'y')));
    assert.equal(Object.getPrototypeOf({}), Object.prototype);
  });
  for (const [name, type, body] of [
    ['no boundary', 'multipart/form-data', multipart(part('a', '1'))],
    ['an empty boundary', 'multipart/form-data; boundary=', multipart(part('a', '1'))],
    ['another boundary', 'multipart/form-data; boundary=c', multipart(part('a', '1'))],
    ['cut off', BOUNDARY, part('a', '1')],
    [
      'a part without an end',
      BOUNDARY,
      Buffer.from('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'),
    ],
    [
      'a part without a name',
      BOUNDARY,
      Buffer.from('--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--'),
    ],
    ['noise', BOUNDARY, Buffer.from([0, 1, 2, 255])],
  ] as const) {
    test(`${name}: 400, or nothing read, never a hang`, async () => {
      const reply = await reading(type, body);
      assert.ok(reply.status === 400 || reply.status === 200, String(reply.status));
      if (reply.status === 400) assert.match(reply.body.detail, /^Multipart form parse error - /);
      else assert.equal(reply.body.read.a, undefined);
    });
  }
  test('invalid UTF-8: 400', async () => {
    const reply = await reading(BOUNDARY, multipart(part('a', Buffer.from([0xff, 0xfe]))));
    assert.equal(reply.status, 400);
  });
  test('10,000 parts are no work', async () => {
    const started = performance.now();
    const parts = Array.from({ length: 10_000 }, (_, index) => part(`f${index % 10}`, 'x'));
    assert.equal((await reading(BOUNDARY, multipart(...parts))).status, 200);
    assert.ok(performance.now() - started < 2_000);
  });
});

describe('other types', () => {
  test('are refused, to the letter', async () => {
    for (const type of [
      'text/plain',
      'text/csv; header=present',
      'application/vnd.api+json',
      'application/xml',
      'json',
    ]) {
      assert.deepEqual(await reading(type, 'a=1'), {
        status: 415,
        body: { detail: `Unsupported media type "${type}" in request.` },
      });
    }
  });
  test('no type at all', async () => {
    assert.deepEqual(await reading(undefined, Buffer.from('a=1')), {
      status: 415,
      body: { detail: 'Unsupported media type "" in request.' },
    });
  });
  test('an empty body is nothing, of whatever type', async () => {
    for (const type of [
      'application/json',
      FORM,
      BOUNDARY,
      'multipart/form-data',
      'text/plain',
      'image/png',
      undefined,
    ]) {
      const { status, body } = await reading(type, '');
      assert.equal(status, 200, type);
      assert.ok(body.read === 'nothing' || Object.keys(body.read).length === 0, type);
    }
  });
});

test('a body of 1 MiB is read, one byte more is 413', async () => {
  const fits = `{"a":"${'x'.repeat(BODY_LIMIT - 8)}"}`;
  assert.equal(Buffer.byteLength(fits), BODY_LIMIT);
  for (const [type, text] of [
    ['application/json', fits],
    [FORM, `a=${'x'.repeat(BODY_LIMIT - 2)}`],
  ] as const) {
    assert.equal((await reading(type, text)).status, 200);
    const { status, body } = await reading(type, `${text}x`);
    assert.equal(status, 413);
    assert.deepEqual(body, { detail: 'Request body is larger than 1 MiB.' });
  }
  assert.equal((await reading('text/plain', 'x'.repeat(BODY_LIMIT + 1))).status, 413);
});

describe('the raw data form', () => {
  test('reads the three types', async () => {
    assert.deepEqual(await parseText('application/json', '{"a": 1}'), { a: 1 });
    assert.deepEqual(await parseText(FORM, 'a=1\r\n'), { a: '1' });
    assert.deepEqual(await parseText(BOUNDARY, multipart(part('a', '1')).toString()), { a: '1' });
  });
  test('finds the boundary of a pasted body by itself', async () => {
    assert.deepEqual(await parseText('multipart/form-data', multipart(part('a', '1')).toString()), {
      a: '1',
    });
  });
  test('blanks are nothing', async () => {
    for (const type of ['application/json', FORM, 'multipart/form-data']) {
      assert.equal(await parseText(type, ' \r\n '), undefined);
    }
  });
  test('refuses what is broken and what it does not know', async () => {
    for (const [type, text, code] of [
      ['application/json', '{', 'parse_error'],
      [FORM, 'a=%', 'parse_error'],
      ['multipart/form-data', 'x', 'parse_error'],
      ['text/plain', 'x', 'unsupported_media_type'],
      ['', 'x', 'unsupported_media_type'],
      ['constructor', 'x', 'unsupported_media_type'],
    ] as const) {
      await assert.rejects(
        parseText(type, text),
        (error) => error instanceof AppError && error.code === code,
        type,
      );
    }
  });
});
