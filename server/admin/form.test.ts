import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FormField, fieldViews, readForm } from './form.ts';
import { FormInput } from './form-input.ts';

const TEXT: FormField = { kind: 'text', name: 'name', label: 'Name', required: true, maxLength: 5 };
const PASSWORD: FormField = { kind: 'password', name: 'secret', label: 'Secret' };
const ACTIVE: FormField = { kind: 'checkbox', name: 'active', label: 'Active' };
const COLOURS: FormField = {
  kind: 'choices',
  name: 'colours',
  label: 'Colours',
  options: [
    { value: '1', label: 'Red', group: 'Warm' },
    { value: '2', label: 'Blue', group: 'Cold' },
    { value: '3', label: 'Amber', group: 'Warm', disabled: true },
  ],
};
const JOINED: FormField = { kind: 'moment', name: 'joined', label: 'Joined', required: true };

function read(field: FormField, ...pairs: [string, string][]) {
  const { values, errors } = readForm([field], new FormInput(pairs));
  return { value: values[field.name], errors: errors[field.name] ?? [] };
}

describe('a text', () => {
  for (const [text, value, errors] of [
    [' ada ', 'ada', []],
    ['', '', ['This field is required.']],
    ['   ', '', ['This field is required.']],
    ['🔑🔑🔑🔑🔑', '🔑🔑🔑🔑🔑', []],
    ['abcdef', 'abcdef', ['Ensure this value has at most 5 characters (it has 6).']],
    ['a\0b', 'a\0b', ['Null characters are not allowed.']],
  ] as const) {
    test(JSON.stringify(text), () => assert.deepEqual(read(TEXT, ['name', text]), { value, errors }));
  }

  test('that is not sent is required as well', () => {
    assert.deepEqual(read(TEXT), { value: '', errors: ['This field is required.'] });
  });

  test('of a name sent twice the last counts', () => {
    assert.equal(read(TEXT, ['name', 'a'], ['name', 'b']).value, 'b');
  });
});

test('a password keeps its blanks, and is never given back', () => {
  assert.deepEqual(read(PASSWORD, ['secret', ' x ']), { value: ' x ', errors: [] });
  assert.equal(fieldViews([PASSWORD], { secret: ' x ' })[0]?.value, '');
});

test('a checkbox is whether it was sent', () => {
  assert.deepEqual([read(ACTIVE, ['active', 'on']).value, read(ACTIVE).value], [true, false]);
});

test('of choices those count that are offered and not disabled', () => {
  const sent = ['1', '3', '4', '__proto__'].map((value) => ['colours', value] as [string, string]);
  assert.deepEqual(read(COLOURS, ...sent).value, ['1']);
  assert.deepEqual(read(COLOURS).value, []);
});

test('choices stand under their groups, each with an id of its own', () => {
  const [view] = fieldViews([COLOURS], { colours: ['2'] });
  assert.deepEqual(
    view?.groups.map(({ label, options }) => [label, options.map(({ id, checked }) => [id, checked])]),
    [
      [
        'Warm',
        [
          ['id_colours_0', false],
          ['id_colours_2', false],
        ],
      ],
      ['Cold', [['id_colours_1', true]]],
    ],
  );
});

describe('a moment', () => {
  for (const [date, time, value] of [
    ['2026-03-04', '05:06:07', '2026-03-04T05:06:07.000Z'],
    ['2026-03-04', '5:06', '2026-03-04T05:06:00.000Z'],
    ['2024-02-29', '23:59:59.5', '2024-02-29T23:59:59.500Z'],
    ['0001-01-01', '00:00', '0001-01-01T00:00:00.000Z'],
  ] as const) {
    test(`${date} ${time}`, () => {
      const { value: read_, errors } = read(JOINED, ['joined_0', date], ['joined_1', time]);
      assert.deepEqual([(read_ as Date).toISOString(), errors], [value, []]);
    });
  }

  for (const [date, time, errors] of [
    ['', '', ['This field is required.']],
    ['2026-02-30', '05:06', ['Enter a valid date.']],
    ['0000-01-01', '05:06', ['Enter a valid date.']],
    ['tomorrow', '24:00', ['Enter a valid date.', 'Enter a valid time.']],
    ['2026-03-04', '', ['Enter a valid time.']],
    ['+012026-03-04', '05:06', ['Enter a valid date.']],
  ] as const) {
    test(`${date || 'nothing'} ${time || 'nothing'} is none`, () => {
      assert.deepEqual(read(JOINED, ['joined_0', date], ['joined_1', time]).errors, errors);
    });
  }

  test('that could not be read is given back as it was typed', () => {
    const reading = readForm(
      [JOINED],
      new FormInput([
        ['joined_0', 'soon'],
        ['joined_1', '1:00'],
      ]),
    );
    const [view] = fieldViews([JOINED], reading.values, reading);
    assert.deepEqual([view?.date, view?.time, view?.errors], ['soon', '1:00', ['Enter a valid date.']]);
  });

  test('that is stored is shown in UTC', () => {
    const [view] = fieldViews([JOINED], { joined: new Date('2026-03-04T05:06:07.891Z') });
    assert.deepEqual([view?.date, view?.time], ['2026-03-04', '05:06:07']);
  });
});

test('what is read-only is not read', () => {
  assert.deepEqual(readForm([{ ...TEXT, readOnly: true }], new FormInput([['name', 'x']])).values, {});
});
