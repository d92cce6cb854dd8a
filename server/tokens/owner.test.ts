import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { passwordMark } from './claims.ts';
import { findOwner, requireOwner } from './owner.ts';
import { newDatabase, newUser, ownerOf, refusalOf, updateUser } from './tokens.fixture.ts';

const REFUSALS = {
  missing: 'bearer_user_not_found',
  inactive: 'bearer_user_inactive',
  passwordChanged: 'bearer_password_changed',
} as const;

let db: Database;
let user: UserRow;

before(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
after(() => db.destroy());

describe('the id of a user', () => {
  test('as a string or a number', async () => {
    for (const id of [String(user.id), user.id])
      assert.deepEqual(await findOwner(db, settingsOf(), id), ownerOf(user));
  });

  const odd: readonly unknown[] = [
    ...[
      undefined,
      null,
      '',
      ' ',
      0,
      '0',
      -1,
      '-1',
      '+1',
      1.5,
      '1.5',
      '1e0',
      ' 1',
      '1 ',
      '1\n',
      '0x1',
      '1n',
      '١',
    ],
    ...[
      true,
      false,
      NaN,
      Infinity,
      1e300,
      2 ** 53,
      '9007199254740993',
      '9'.repeat(400),
      2,
      '2',
      'ada',
      '1;--',
      "' or 1=1",
    ],
    ...[
      [],
      ['1'],
      [1],
      {},
      { id: 1 },
      { toString: () => '1' },
      Symbol.iterator,
      '__proto__',
      'constructor',
      '1\0',
    ],
  ];
  for (const id of odd) {
    test(`${typeof id} ${JSON.stringify(id)?.slice(0, 40)} is nobody`, async () => {
      assert.equal(await findOwner(db, settingsOf(), id), null);
    });
  }
});

describe('by username', () => {
  const settings = settingsOf({ USER_ID_FIELD: 'username' });
  test('the text is the name', async () => {
    assert.deepEqual(await findOwner(db, settings, 'ada'), ownerOf(user));
  });
  test('a number is a name too', async () => {
    const numbered = await newUser(db, '4711');
    assert.deepEqual(await findOwner(db, settings, 4711), ownerOf(numbered));
  });
  for (const id of [
    'Ada',
    ' ada',
    'ada\0',
    '',
    null,
    ['ada'],
    { username: 'ada' },
    1,
    true,
    'x'.repeat(100_000),
  ]) {
    test(`${JSON.stringify(id).slice(0, 40)} is nobody`, async () => {
      assert.equal(await findOwner(db, settings, id), null);
    });
  }
});

describe('fit to use a token', () => {
  const claims = () => ({ user_id: String(user.id) });

  test('a user who is there and active', async () => {
    assert.deepEqual(await requireOwner(db, settingsOf(), claims(), REFUSALS), ownerOf(user));
  });
  test('nobody', async () => {
    for (const id of [undefined, '999', null, []]) {
      const call = () => requireOwner(db, settingsOf(), { user_id: id }, REFUSALS);
      assert.equal(await refusalOf(call), 'bearer_user_not_found');
    }
  });
  test('the id of a prototype is no id', async () => {
    const inherited = JSON.parse(`{"__proto__": {"user_id": "${user.id}"}}`);
    assert.equal(
      await refusalOf(() => requireOwner(db, settingsOf(), inherited, REFUSALS)),
      'bearer_user_not_found',
    );
  });
  test('who was switched off is not, unless nobody asks', async () => {
    const off = await newUser(db, 'off', { is_active: false });
    const of = { user_id: off.id };
    assert.equal(await refusalOf(() => requireOwner(db, settingsOf(), of, REFUSALS)), 'bearer_user_inactive');
    const lax = settingsOf({ CHECK_USER_IS_ACTIVE: 'false' });
    assert.deepEqual(await requireOwner(db, lax, of, REFUSALS), ownerOf(off));
  });
  test('whose password changed is not, where that is asked', async () => {
    const strict = settingsOf({ CHECK_REVOKE_TOKEN: 'true' });
    const marked = { ...claims(), hash_password: passwordMark(user) };
    assert.deepEqual(await requireOwner(db, strict, marked, REFUSALS), ownerOf(user));
    for (const mark of [
      undefined,
      null,
      '',
      passwordMark(user).toLowerCase(),
      [passwordMark(user)],
      'F'.repeat(32),
    ]) {
      const call = () => requireOwner(db, strict, { ...marked, hash_password: mark }, REFUSALS);
      assert.equal(await refusalOf(call), 'bearer_password_changed');
    }
    assert.equal(
      await refusalOf(() => requireOwner(db, strict, claims(), REFUSALS)),
      'bearer_password_changed',
    );
    await updateUser(db, user, { password: '!another' });
    assert.equal(
      await refusalOf(() => requireOwner(db, strict, marked, REFUSALS)),
      'bearer_password_changed',
    );
    await updateUser(db, user, { password: user.password });
  });
});
