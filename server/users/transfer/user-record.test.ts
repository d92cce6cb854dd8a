import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryOf } from './entries.ts';
import { HASH } from './transfer.fixture.ts';
import { type UserRecord, userRecordOf } from './user-record.ts';

/** What a value of JSON says of a user: the record, or why it is none. */
function read(value: unknown): UserRecord | string {
  const entry = entryOf({ place: 'record 1', value });
  if (entry.type === 'refused') return entry.problem;
  if (entry.type !== 'user') return entry.type;
  const user = userRecordOf(entry);
  return 'problem' in user ? user.problem : user;
}

const dump = (fields: object, more: object = {}) => ({ model: 'auth.user', ...more, fields });

test('a record of a dump, with natural keys or ids, and what it says', () => {
  const fields = {
    password: HASH,
    last_login: null,
    is_superuser: false,
    username: 'ada',
    first_name: 'Ada',
    last_name: 'Lovelace',
    email: 'ada@example.com',
    is_staff: true,
    is_active: true,
    date_joined: '2026-11-23T15:02:52.340Z',
    groups: [['editors'], 2],
    user_permissions: [['add_user', 'auth', 'user'], 14],
  };
  const { username: _, ...others } = fields;
  assert.deepEqual(read(dump(fields, { pk: 7 })), {
    place: 'record 1',
    id: 7,
    username: 'ada',
    given: {
      ...others,
      date_joined: '2026-11-23 15:02:52.340000',
      groups: ['editors', 2],
      user_permissions: [{ codename: 'add_user', appLabel: 'auth', model: 'user' }, 14],
    },
    unknown: [],
  });
});

test('a plain record has what a dump has, and may have it as text', () => {
  const record = read({
    id: '7',
    username: 'jose\u0301',
    is_staff: 'True',
    is_active: '0',
    is_superuser: 1,
    last_login: '2026-11-23T15:02:52+01:00',
    groups: 'editors; authors',
    user_permissions: ['auth.add_user'],
    phone: '123',
  });
  assert.deepEqual(record, {
    place: 'record 1',
    id: 7,
    username: 'josé',
    given: {
      is_staff: true,
      is_active: false,
      is_superuser: true,
      last_login: '2026-11-23 14:02:52',
      groups: ['editors', 'authors'],
      user_permissions: [{ codename: 'add_user', appLabel: 'auth', model: null }],
    },
    unknown: ['phone'],
  });
  assert.deepEqual(read({ username: 'ada' }), {
    ...{ place: 'record 1', id: null, username: 'ada', given: {}, unknown: [] },
  });
});

test('a dump is taken as loaddata takes it, and a plain record is checked as a form is', () => {
  for (const odd of [
    { username: 'Ada Lovelace', password: HASH },
    { username: 'ada', email: 'nowhere' },
    { username: 'ada', password: 'not-a-hash' },
  ]) {
    assert.equal(typeof read(dump(odd)), 'object', JSON.stringify(odd));
    assert.equal(typeof read(odd), 'string', JSON.stringify(odd));
  }
  for (const password of ['!', '', 'md5$a$b', HASH]) {
    assert.equal(typeof read({ username: 'ada', password }), 'object', password);
  }
});

test('what cannot be stored, or never log in, is refused, and no value of it is repeated', () => {
  for (const [fields, expected] of [
    [{}, /^username: there is none$/],
    [{ username: '' }, /^username: there is none$/],
    [{ username: ' ada' }, /^username: has blanks around it/],
    [{ username: 7 }, /^username: is no text$/],
    [
      { username: 'x'.repeat(151) },
      /^username: Ensure this value has at most 150 characters \(it has 151\)\.$/,
    ],
    [{ username: 'a\0b' }, /^username: Null characters/],
    [{ username: 'a\ud800' }, /^username: Halves of characters/],
    [{ username: 'ada', password: 7 }, /^password: is no text$/],
    [
      { username: 'ada', password: `${HASH}${'x'.repeat(100)}` },
      /^password: Ensure this value has at most 128/,
    ],
    [{ username: 'ada', first_name: null }, /^first_name: is no text$/],
    [{ username: 'ada', last_name: 'x'.repeat(151) }, /^last_name: Ensure/],
    [{ username: 'ada', email: 'x'.repeat(255) }, /^email: Ensure/],
    [{ username: 'ada', is_staff: 'maybe' }, /^is_staff: is neither true nor false$/],
    [{ username: 'ada', is_staff: null }, /^is_staff: is neither/],
    [{ username: 'ada', is_staff: [true] }, /^is_staff: is neither/],
    [{ username: 'ada', is_staff: 'constructor' }, /^is_staff: is neither/],
    [{ username: 'ada', date_joined: 'yesterday' }, /^date_joined: is no time such as/],
    [{ username: 'ada', date_joined: null }, /^date_joined: is no time/],
    [{ username: 'ada', last_login: 7 }, /^last_login: is no time/],
    [{ username: 'ada', groups: 7 }, /^groups: is no list$/],
    [{ username: 'ada', groups: ['a', null] }, /^groups: has an item 2 that is not understood$/],
    [{ username: 'ada', groups: ['x'.repeat(151)] }, /^groups: has an item 1/],
    [{ username: 'ada', user_permissions: ['add_user'] }, /^user_permissions: has an item 1/],
    [{ username: 'x'.repeat(151), is_staff: '?' }, /^username: .*; is_staff: is neither/],
  ] as const) {
    const problem = read(dump(fields));
    assert.equal(typeof problem, 'string', JSON.stringify(fields));
    assert.match(problem as string, expected);
  }
  assert.match(read({ username: 'ada', password: 'hunter2' }) as string, /^password: is no hash/);
  assert.doesNotMatch(read({ username: 'ada', password: 'hunter2' }) as string, /hunter2/);
  for (const pk of [0, -1, 1.5, 2 ** 31, 'x', '1e3', true, {}]) {
    assert.match(read(dump({ username: 'ada' }, { pk })) as string, /^id: is none/, String(pk));
  }
});

test('what is no record, or of another model', () => {
  for (const value of [null, 7, 'x', [], [{}]]) assert.equal(read(value), 'is no object');
  for (const fields of [null, 7, []]) {
    assert.equal(read({ model: 'auth.user', fields }), 'has fields that are no object');
  }
  assert.equal(read({ model: 'sessions.session', fields: {} }), 'other');
  assert.equal(read({ model: 'constructor', fields: {} }), 'other');
  assert.equal(read({ model: 'auth.group', fields: {} }), 'group');
  assert.equal(typeof read({ model: 'Auth.User', fields: { username: 'ada' } }), 'object');
});

test('members called __proto__ and constructor have no effect', () => {
  const value = JSON.parse(
    '{"__proto__": {"is_superuser": true}, "constructor": 1, "username": "ada", "is_active": true}',
  );
  assert.deepEqual(read(value), {
    ...{ place: 'record 1', id: null, username: 'ada', given: { is_active: true } },
    unknown: ['__proto__', 'constructor'],
  });
});
