import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupReference, joinNames, permissionReference, splitNames } from './grant-references.ts';

test('a group goes by its name, its natural key or its id', () => {
  assert.equal(groupReference('editors'), 'editors');
  assert.equal(groupReference(['editors']), 'editors');
  assert.equal(groupReference(7), 7);
  for (const value of ['', [], ['a', 'b'], [['a']], 0, -1, 1.5, null, {}, true]) {
    assert.equal(groupReference(value), null, JSON.stringify(value));
  }
});

test('a permission goes by its natural key, its key or its id', () => {
  const addUser = { codename: 'add_user', appLabel: 'auth', model: 'user' };
  assert.deepEqual(permissionReference(['add_user', 'auth', 'user']), addUser);
  assert.deepEqual(permissionReference('auth.add_user'), { ...addUser, model: null });
  assert.equal(permissionReference(13), 13);
  for (const value of ['', 'add_user', '.x', ['add_user', 'auth'], ['a', 'b', 1], 0, '13', null, {}]) {
    assert.equal(permissionReference(value), null, JSON.stringify(value));
  }
});

test('names in one cell come out as they went in', () => {
  assert.deepEqual(splitNames('editors; authors ;;  '), ['editors', 'authors']);
  assert.deepEqual(splitNames(''), []);
  for (const names of [
    ['a'],
    ['a;b', 'c\\d'],
    [' a ', 'b '],
    ['\\'],
    [';'],
    ['  '],
    ['a\\', 'b'],
    ['a b', '\t'],
  ]) {
    assert.deepEqual(splitNames(joinNames(names)), names, joinNames(names));
  }
});
