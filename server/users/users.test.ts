import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newDatabase, onTwoConnections } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { AppError } from '../errors.ts';
import {
  countSuperusers,
  createSuperuser,
  createUser,
  findUserById,
  findUserByUsername,
  groupNames,
  replacePassword,
  setPassword,
  updateLastLogin,
} from './users.ts';

const NOW = new Date('2026-03-04T05:06:07.089Z');
let db: Database;

before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

const isInvalid = (body: unknown) => (error: unknown) => {
  assert.ok(error instanceof AppError);
  assert.equal(error.code, 'invalid');
  assert.deepEqual(error.body, body);
  return true;
};

test('a user is stored as Django stores one', async () => {
  const user = await createUser(
    db,
    { username: 'Ｊane', passwordHash: '!x', email: 'Jane@Example.COM', first_name: 'Jane' },
    NOW,
  );
  assert.deepEqual(user, {
    id: user.id,
    password: '!x',
    last_login: null,
    is_superuser: 0,
    username: 'Jane',
    last_name: '',
    email: 'Jane@example.com',
    is_staff: 0,
    is_active: 1,
    date_joined: '2026-03-04 05:06:07.089000',
    first_name: 'Jane',
  });
  assert.deepEqual(await findUserById(db, user.id), user);
  assert.deepEqual(await findUserByUsername(db, 'Ｊane'), user);
  assert.equal(await findUserByUsername(db, 'jane'), null);
  assert.equal(await findUserById(db, 4711), null);
});

test('a superuser may do everything, and is counted while active', async () => {
  assert.equal(await countSuperusers(db), 0);
  const user = await createSuperuser(db, { username: 'root', passwordHash: '!x' }, NOW);
  assert.deepEqual([user.is_superuser, user.is_staff, user.is_active], [1, 1, 1]);
  await createSuperuser(db, { username: 'retired', passwordHash: '!x', is_active: false }, NOW);
  assert.equal(await countSuperusers(db), 1);
});

test('bad fields are complained about together', async () => {
  await assert.rejects(
    createUser(db, { username: 'a b', passwordHash: '!x', email: 'nowhere' }, NOW),
    isInvalid({
      username: [
        'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      ],
      email: ['Enter a valid email address.'],
    }),
  );
});

test('a name is given once, also when two connections want it at the same time', () =>
  onTwoConnections(async (one, other) => {
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        createUser(index % 2 ? one : other, { username: 'wanted', passwordHash: `!${index}` }, NOW),
      ),
    );
    assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      isInvalid({ username: ['A user with that username already exists.'] })(result.reason);
    }
  }));

test('a password is set, and replaced only where it is still the one that was read', async () => {
  const user = await createUser(db, { username: 'changing', passwordHash: '!1' }, NOW);
  assert.equal(await setPassword(db, user.id, '!2'), true);
  assert.equal(await replacePassword(db, user, '!3'), false);
  assert.equal((await findUserById(db, user.id))?.password, '!2');
  assert.equal(await replacePassword(db, { id: user.id, password: '!2' }, '!3'), true);
  assert.equal((await findUserById(db, user.id))?.password, '!3');
  assert.equal(await setPassword(db, 4711, '!2'), false);
});

test('the last login is noted', async () => {
  const user = await createUser(db, { username: 'visitor', passwordHash: '!x' }, NOW);
  await updateLastLogin(db, user.id, new Date('2026-03-04T05:06:08.000Z'));
  assert.equal((await findUserById(db, user.id))?.last_login, '2026-03-04 05:06:08');
});

test("a user's groups are named in order", async () => {
  const user = await createUser(db, { username: 'member', passwordHash: '!x' }, NOW);
  for (const name of ['writers', 'editors', 'others']) {
    const { id } = await db
      .insertInto('auth_group')
      .values({ name })
      .returning('id')
      .executeTakeFirstOrThrow();
    if (name === 'others') continue;
    await db.insertInto('auth_user_groups').values({ user_id: user.id, group_id: id }).execute();
  }
  assert.deepEqual(await groupNames(db, user.id), ['editors', 'writers']);
});
