import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { changesOf, differencesBetween, mergeFields } from './account-differences.ts';
import type { AccountFields } from './accounts.ts';

const FIELDS: AccountFields = {
  username: 'ada',
  first_name: '',
  last_name: '',
  email: '',
  is_active: true,
  is_staff: false,
  is_superuser: false,
  groups: [1, 2],
  user_permissions: [],
  last_login: null,
  date_joined: '2026-03-04 05:06:07.089000',
};

const NAMES = { groups: new Map([[1, 'one']]), user_permissions: new Map([[3, 'three']]) };

test('differences are told for people, field by field', () => {
  const after = { ...FIELDS, is_staff: true, groups: [1], user_permissions: [3], date_joined: 'long ago' };
  const differences = differencesBetween(FIELDS, after, NAMES);
  assert.deepEqual(changesOf(differences), [
    { field: 'Staff status', before: 'no', after: 'yes' },
    { field: 'Groups', before: '(deleted, id 2)', after: null },
    { field: 'User permissions', before: null, after: 'three' },
    { field: 'Date joined', before: '2026-03-04 05:06:07 UTC', after: 'long ago' },
  ]);
  assert.deepEqual(differencesBetween(FIELDS, { ...FIELDS, groups: [2, 1] }, NAMES), []);
});

test('times that differ by less than a second differ', () => {
  const after = { ...FIELDS, date_joined: '2026-03-04 05:06:07' };
  assert.equal(differencesBetween(FIELDS, after, NAMES).length, 1);
});

describe('of three states of a form', () => {
  test('what one changed is his, what he left is theirs', () => {
    const entered = { ...FIELDS, first_name: 'mine', email: 'mine@example.com', groups: [2, 3] };
    const stored = { ...FIELDS, email: 'theirs@example.com', last_name: 'theirs', groups: [1, 2, 4] };
    assert.deepEqual(mergeFields(FIELDS, entered, stored), {
      ...FIELDS,
      first_name: 'mine',
      email: 'mine@example.com',
      last_name: 'theirs',
      groups: [2, 3, 4],
    });
  });

  const ids = fc.uniqueArray(fc.nat({ max: 6 })).map((list) => list.sort((a, b) => a - b));
  const state = fc.record({
    first_name: fc.constantFrom('a', 'b', 'c'),
    is_staff: fc.boolean(),
    groups: ids,
  });

  test('nothing is lost, whoever changed what', () => {
    fc.assert(
      fc.property(state, state, state, (expected, entered, stored) => {
        const [base, mine, theirs] = [expected, entered, stored].map((part) => ({ ...FIELDS, ...part }));
        const merged = mergeFields(base as AccountFields, mine as AccountFields, theirs as AccountFields);
        for (const field of ['first_name', 'is_staff'] as const) {
          const own = entered[field] !== expected[field];
          assert.equal(merged[field], own ? entered[field] : stored[field]);
        }
        for (let id = 0; id <= 6; id += 1) {
          const [was, mineHas, theirsHas] = [expected, entered, stored].map((part) =>
            part.groups.includes(id),
          );
          assert.equal(merged.groups.includes(id), mineHas === was ? theirsHas : mineHas);
        }
      }),
    );
  });
});
