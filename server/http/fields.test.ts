import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '../errors.ts';
import { type Field, validate } from './fields.ts';

const NAME: Field = { name: 'name', label: 'Name', kind: 'text' };
const SHORT: Field = { name: 'short', label: 'Short', kind: 'text', maxLength: 3 };

/** The values, or the messages of a refusal. */
function outcome(fields: readonly Field[], body: unknown): unknown {
  try {
    return { values: validate(fields, body) };
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'invalid');
    return error.body;
  }
}

const required = { name: ['This field is required.'] };
const notAString = { name: ['Not a valid string.'] };
const blank = { name: ['This field may not be blank.'] };
const given = (name: string) => ({ values: { name } });

describe('one field', () => {
  const rows: readonly [string, unknown, unknown][] = [
    ['a text', { name: 'x' }, given('x')],
    ['white space around goes', { name: ' \t\r\n x y \u00a0\u3000\u2028\x1c\x85' }, given('x y')],
    [
      'as in Python, a byte order mark and a zero-width space stay',
      { name: '\ufeffx\u200b' },
      given('\ufeffx\u200b'),
    ],
    ['a whole number', { name: 7 }, given('7')],
    ['a fraction', { name: -1.5 }, given('-1.5')],
    ['zero', { name: 0 }, given('0')],
    ['infinity', { name: Number.POSITIVE_INFINITY }, notAString],
    ['true', { name: true }, notAString],
    ['false', { name: false }, notAString],
    ['a list', { name: ['x'] }, notAString],
    ['an object', { name: { toString: 'x' } }, notAString],
    ['null', { name: null }, { name: ['This field may not be null.'] }],
    ['empty', { name: '' }, blank],
    ['blanks', { name: ' \n ' }, blank],
    ['absent', {}, required],
    ['undefined', { name: undefined }, required],
    ['a NUL', { name: 'a\0b' }, { name: ['Null characters are not allowed.'] }],
    ['a lone surrogate', { name: 'a\ud800b' }, { name: ['Surrogate characters are not allowed: U+D800.'] }],
    [
      'the first of several',
      { name: '\udfff\ud800' },
      { name: ['Surrogate characters are not allowed: U+DFFF.'] },
    ],
    ['a pair of surrogates is a character', { name: '😀' }, given('😀')],
    ['others are ignored', { name: 'x', other: 1 }, given('x')],
    ['a prototype is no member', JSON.parse('{"__proto__": {"name": "x"}}'), required],
  ];
  for (const [name, body, expected] of rows)
    test(name, () => assert.deepEqual(outcome([NAME], body), expected));
});

describe('a body that is no object', () => {
  const message = (type: string) => ({
    non_field_errors: [`Invalid data. Expected a dictionary, but got ${type}.`],
  });
  for (const [body, expected] of [
    [undefined, required],
    [null, { non_field_errors: ['No data provided'] }],
    [[], message('list')],
    [[{ name: 'x' }], message('list')],
    ['text', message('str')],
    ['', message('str')],
    [true, message('bool')],
    [1, message('int')],
    [1.5, message('float')],
  ] as const) {
    test(JSON.stringify(body) ?? 'none', () => assert.deepEqual(outcome([NAME], body), expected));
  }
});

test('all that is wrong is told, in the order of the fields', () => {
  const error = outcome([SHORT, NAME], { name: null });
  assert.equal(
    JSON.stringify(error),
    '{"short":["This field is required."],"name":["This field may not be null."]}',
  );
});

test('all that is wrong with one field is told', () => {
  assert.deepEqual(outcome([SHORT], { short: 'ab\0\ud800' }), {
    short: [
      'Ensure this field has no more than 3 characters.',
      'Null characters are not allowed.',
      'Surrogate characters are not allowed: U+D800.',
    ],
  });
});

test('a limit counts what is left after trimming', () => {
  assert.deepEqual(outcome([SHORT], { short: ' abc ' }), { values: { short: 'abc' } });
  assert.deepEqual(outcome([SHORT], { short: 'abcd' }), {
    short: ['Ensure this field has no more than 3 characters.'],
  });
});

test('a read-only field is neither taken nor asked for', () => {
  const readOnly: Field = { ...SHORT, readOnly: true };
  assert.deepEqual(outcome([NAME, readOnly], { name: 'x', short: 'too long' }), given('x'));
});

test('a field by the name of a prototype is asked for like any other', () => {
  const odd: Field = { ...NAME, name: 'constructor' };
  assert.deepEqual(outcome([odd], {}), { constructor: ['This field is required.'] });
});

test('a megabyte of white space is no work', () => {
  const started = performance.now();
  for (const text of [
    ' '.repeat(1_000_000),
    `${' '.repeat(500_000)}x${' '.repeat(500_000)}`,
    `x${' x'.repeat(500_000)}`,
  ]) {
    outcome([NAME], { name: text });
  }
  assert.ok(performance.now() - started < 1_000, `${performance.now() - started} ms`);
});
