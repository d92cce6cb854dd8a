import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quickRatio } from './similarity.ts';
import { PASSWORD_HELP_TEXTS, type PasswordOwner, validatePassword } from './validators.ts';

/** What `difflib.SequenceMatcher(a=…, b=…).quick_ratio()` of Python 3 gives. */
const RATIOS: readonly (readonly [one: string, other: string, ratio: number])[] = [
  ['password', 'root', 0.3333333333333333],
  ['rootroot', 'root', 0.6666666666666666],
  ['toor', 'root', 1],
  ['test12345', 'testuser', 0.47058823529411764],
  ['janedoe1', 'janedoe', 0.9333333333333333],
  ['abcdefgh', 'hgfedcba', 1],
  ['a@example.com', 'example', 0.7],
  ['ärger123', 'ärger', 0.7692307692307693],
  ['😀😀ab', '😀ab', 0.8571428571428571],
  ['', '', 1],
  ['a', '', 0],
];

test('the ratio is that of difflib', () => {
  for (const [one, other, ratio] of RATIOS) assert.equal(quickRatio(one, other), ratio, `${one} ${other}`);
});

const SHORT = 'This password is too short. It must contain at least 8 characters.';
const COMMON = 'This password is too common.';
const NUMERIC = 'This password is entirely numeric.';
const similar = (label: string) => `The password is too similar to the ${label}.`;

const JANE: PasswordOwner = {
  username: 'jane.doe-smith',
  first_name: 'Jane',
  last_name: 'Doe Featherstone',
  email: 'contact@wonderland.example',
};

const CASES: readonly (readonly [
  password: string,
  owner: PasswordOwner | undefined,
  complaints: string[],
])[] = [
  ['pw-Fixture-123', undefined, []],
  ['pw-Fixture-123', JANE, []],
  ['zq-7w', undefined, [SHORT]],
  ['password', undefined, [COMMON]],
  ['  PassWord1 ', undefined, [COMMON]],
  ['12345678', undefined, [COMMON, NUMERIC]],
  ['80937', undefined, [SHORT, NUMERIC]],
  ['', undefined, [SHORT]],
  ['4815162342108', undefined, [NUMERIC]],
  ['٤٨١٥١٦٢٣٤٢', undefined, [NUMERIC]],
  ['²³¹⁴⁵⁶⁷⁸', undefined, [NUMERIC]],
  ['½⅓¼½⅓¼½⅓', undefined, []],
  ['😀😀😀😀', undefined, [SHORT]],
  ['Jane.Doe-Smith1', JANE, [similar('username')]],
  ['enaj1', { first_name: 'Jane' }, [similar('first name'), SHORT]],
  ['featherstone!', JANE, [similar('last name')]],
  ['Wonderland99', JANE, [similar('email address')]],
  ['root', { username: 'root' }, [similar('username'), SHORT, COMMON]],
  ['root', { username: '', email: '' }, [SHORT, COMMON]],
  ['xkcd-battery-staple-correct-a', { username: 'ab' }, []],
];

test('the complaints are those of Django, in its order', async () => {
  for (const [password, owner, complaints] of CASES) {
    assert.deepEqual(await validatePassword(password, owner), complaints, password);
  }
});

test('there is a help text for each', () => {
  assert.deepEqual(PASSWORD_HELP_TEXTS, [
    'Your password can’t be too similar to your other personal information.',
    'Your password must contain at least 8 characters.',
    'Your password can’t be a commonly used password.',
    'Your password can’t be entirely numeric.',
  ]);
});
