import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '../errors.ts';
import { essenceOf, negotiate } from './negotiate.ts';

const JSON_FORMAT = { name: 'json', indent: 0 };
const HTML = { name: 'html' };
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

function outcome(accept: string | undefined, format?: string): unknown {
  try {
    return negotiate(accept, format);
  } catch (error) {
    assert.ok(error instanceof AppError);
    return error.code;
  }
}

const rows: readonly [accept: string | undefined, expected: unknown, format?: string][] = [
  [undefined, JSON_FORMAT],
  ['*/*', JSON_FORMAT],
  ['application/json', JSON_FORMAT],
  ['APPLICATION/JSON', JSON_FORMAT],
  ['application/*', JSON_FORMAT],
  ['text/html', HTML],
  ['text/*', HTML],
  [' text/html ', HTML],
  [BROWSER, HTML],
  ['text/html, application/json', JSON_FORMAT],
  ['text/html, */*', HTML],
  ['text/*, */*', HTML],
  ['text/*, application/json', JSON_FORMAT],
  ['text/html, application/*', HTML],
  ['application/json;q=0.1, text/html;q=0.9', JSON_FORMAT],
  ['application/json;q=0', JSON_FORMAT],
  ['text/html;charset=utf-8, application/json', HTML],
  ['image/png, */*;q=0.1', JSON_FORMAT],
  ['application/json; indent=4', { name: 'json', indent: 4 }],
  ['application/json; indent="2"', { name: 'json', indent: 2 }],
  ['application/json; INDENT=2', { name: 'json', indent: 2 }],
  ['application/json; indent=99', { name: 'json', indent: 8 }],
  ['application/json; indent=-1', JSON_FORMAT],
  ['application/json; indent=x', JSON_FORMAT],
  ['application/json; indent=2.5', JSON_FORMAT],
  ['application/json; indent', JSON_FORMAT],
  ['text/html; indent=4', HTML],
  ['', 'not_acceptable'],
  [',', 'not_acceptable'],
  ['*', 'not_acceptable'],
  ['json', 'not_acceptable'],
  ['application/xml', 'not_acceptable'],
  ['application/json2', 'not_acceptable'],
  ['application/vnd.api+json', 'not_acceptable'],
  ['text/html/x', 'not_acceptable'],
  ['constructor/__proto__', 'not_acceptable'],
  [undefined, JSON_FORMAT, 'json'],
  [undefined, HTML, 'api'],
  [BROWSER, JSON_FORMAT, 'json'],
  ['application/json', 'not_acceptable', 'api'],
  ['text/html', 'not_acceptable', 'json'],
  ['text/html', HTML, 'api'],
  ['*/*', HTML, 'api'],
  [undefined, JSON_FORMAT, ''],
  [undefined, 'not_found', 'xml'],
  [undefined, 'not_found', 'html'],
  [undefined, 'not_found', 'JSON'],
  ['application/xml', 'not_found', 'xml'],
  [undefined, 'not_found', 'constructor'],
];

describe('negotiation, as DRF does it', () => {
  for (const [accept, expected, format] of rows) {
    test(`${accept === undefined ? 'no Accept' : `"${accept}"`}${format === undefined ? '' : ` with ?format=${format}`}`, () => {
      assert.deepEqual(outcome(accept, format), expected);
    });
  }
  test('a header of 16 KB is no work', () => {
    const started = performance.now();
    for (const accept of [
      'a/b,'.repeat(4_000),
      ';'.repeat(16_000),
      `application/json${' ;indent=1'.repeat(1_600)}`,
      '"'.repeat(16_000),
    ]) {
      outcome(accept);
    }
    assert.ok(performance.now() - started < 500);
  });
});

describe('the essence of a media type', () => {
  for (const [text, expected] of [
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/json;charset=utf-8', 'application/json'],
    ['\tapplication/json\t; x=y', 'application/json'],
    ['multipart/form-data; boundary="a/b"', 'multipart/form-data'],
    ['', '/'],
    ['json', 'json/'],
  ] as const) {
    test(JSON.stringify(text), () => assert.equal(essenceOf(text), expected));
  }
});
