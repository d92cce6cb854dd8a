import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../errors.ts';
import { highlight, TOKEN_SHAPE } from './highlight.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9_-.AbCdEfGhIjKlMnOp';

const kinds = (body: Json) =>
  highlight(body)
    .filter(({ kind }) => kind !== 'punctuation')
    .map(({ kind, text }) => [kind, text]);

test('keys, texts, numbers and literals', () => {
  assert.deepEqual(kinds({ a: 'b', 'c"d': -1.5e21, e: [true, false, null, 0] }), [
    ['key', '"a"'],
    ['string', '"b"'],
    ['key', '"c\\"d"'],
    ['number', '-1.5e+21'],
    ['key', '"e"'],
    ['literal', 'true'],
    ['literal', 'false'],
    ['literal', 'null'],
    ['number', '0'],
  ]);
});

test('the pieces together are the indented JSON, whatever it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const body = value as Json;
      assert.equal(
        highlight(body)
          .map(({ text }) => text)
          .join(''),
        JSON.stringify(body, null, 4),
      );
    }),
    { numRuns: 500 },
  );
});

test('so they are for texts that look like JSON, markup or escapes', () => {
  for (const text of [
    '"',
    '\\',
    '\\"',
    '": ',
    '</pre><script>',
    '\n',
    'true',
    '1',
    '{"a": 1}',
    '\ud800',
    '\u2028',
    '',
  ]) {
    for (const body of [text, { [text]: text }, [text, { a: [text] }]]) {
      assert.equal(
        highlight(body)
          .map((span) => span.text)
          .join(''),
        JSON.stringify(body, null, 4),
      );
    }
  }
  assert.deepEqual(kinds('true'), [['string', '"true"']]);
});

test('a token comes in its three parts', () => {
  const [quote, token, end] = highlight(TOKEN);
  const [header, payload, signature] = TOKEN.split('.');
  assert.deepEqual(token, { kind: 'token', text: TOKEN, header, payload, signature });
  assert.deepEqual([quote?.text, end?.text], ['"', '"']);
});

describe('what looks like a token', () => {
  for (const [text, expected] of [
    [TOKEN, true],
    ['', false],
    ['127.0.0.1', false],
    ['jotgate.example.org', false],
    [`${TOKEN}.x`, false],
    [` ${TOKEN}`, false],
    [`${TOKEN}\n`, false],
    [TOKEN.replace('e', '<'), false],
  ] as const) {
    test(JSON.stringify(text), () => assert.equal(TOKEN_SHAPE.test(text), expected));
  }
});

describe('links', () => {
  test('addresses of the web are links', () => {
    for (const href of ['http://127.0.0.1:8000/api/token/', 'https://a.example/?a=b&c=d']) {
      assert.deepEqual(
        highlight({ a: href }).find(({ kind }) => kind === 'link'),
        { kind: 'link', text: href, href },
      );
    }
  });
  for (const text of [
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example/',
    ' http://a/',
    'http://a/ b',
    'http://a/"onclick="',
    'http://a/<b>',
    'http:\\\\a',
  ]) {
    test(`${text} is none`, () =>
      assert.deepEqual(
        highlight(text).filter(({ kind }) => kind === 'link'),
        [],
      ));
  }
});

test('a text of a megabyte is no work', () => {
  const started = performance.now();
  for (const text of ['x'.repeat(1e6), '\\'.repeat(1e6), '"'.repeat(1e6), 'a.'.repeat(5e5)])
    highlight({ a: text });
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});
