import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  emailComplaints,
  normalizeEmail,
  normalizeUsername,
  passwordComplaints,
  usernameComplaints,
} from './fields.ts';

const INVALID_NAME =
  'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.';
const INVALID_EMAIL = 'Enter a valid email address.';

test('a username has one spelling', () => {
  assert.equal(normalizeUsername('Jose\u0301'), 'Jos\u00e9');
  assert.equal(normalizeUsername('ｒｏｏｔ'), 'root');
  assert.equal(normalizeUsername('Root'), 'Root');
});

test('what a username may be', () => {
  for (const good of ['root', 'José', 'имя', '名前', 'a.b+c-d_e@f', '9', 'x'.repeat(150)]) {
    assert.deepEqual(usernameComplaints(good), [], good);
  }
  for (const bad of ['a b', 'a\n', '\n', 'a/b', '<b>', 'a\0', '😀', "o'hara", 'e\u0301x\u0301']) {
    assert.deepEqual(usernameComplaints(bad), [INVALID_NAME], JSON.stringify(bad));
  }
  assert.deepEqual(usernameComplaints(''), ['This field cannot be blank.']);
  assert.deepEqual(usernameComplaints('x'.repeat(151)), [
    'Ensure this value has at most 150 characters (it has 151).',
  ]);
});

test('the domain of an address is lower-cased', () => {
  assert.equal(normalizeEmail(' Jane@Example.COM '), 'Jane@example.com');
  assert.equal(normalizeEmail('"A@B"@C.D'), '"A@B"@c.d');
  assert.equal(normalizeEmail('nothing'), 'nothing');
  assert.equal(normalizeEmail(''), '');
});

test('what an address may be', () => {
  const good = [
    '',
    'a@b.co',
    'a+b.c@localhost',
    '"a,b"@example.com',
    'a@[127.0.0.1]',
    'a@[::1]',
    'a@bücher.example',
  ];
  for (const email of good) assert.deepEqual(emailComplaints(email), [], email);
  const bad = [
    'a',
    'a@',
    '@b.co',
    'a@b',
    'a b@c.de',
    'a@-b.co',
    'a@b-.co',
    'a@[999.1.1.1]',
    'a@b.co\n',
    'a..b@c.de',
  ];
  for (const email of bad) assert.deepEqual(emailComplaints(email), [INVALID_EMAIL], JSON.stringify(email));
  assert.deepEqual(emailComplaints(`${'x'.repeat(250)}@example.com`), [
    'Ensure this value has at most 254 characters (it has 262).',
  ]);
});

test('what no hasher should be given', () => {
  assert.deepEqual(passwordComplaints('x'.repeat(4096)), []);
  assert.deepEqual(passwordComplaints('x'.repeat(4097)), [
    'Ensure this value has at most 4096 characters (it has 4097).',
  ]);
  assert.deepEqual(passwordComplaints('a\0b'), ['Null characters are not allowed.']);
});
