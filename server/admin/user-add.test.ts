import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { settingsOf } from '../../e2e/settings-of.ts';
import { checkPassword, hashPassword } from '../users/hashers.ts';
import { isUsablePassword } from '../users/password-summary.ts';
import { findUserByUsername } from '../users/users.ts';
import { PASSWORD, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';
import { fieldErrors, formOn, textOf } from './page-form.fixture.ts';

const ADD = '/admin/auth/user/add/';
const SUPERUSER = '/admin/createsuperuser/';
const GOOD = 'Correct-hörse-9';

let admin: TestAdmin;
let root: Visitor;

beforeEach(async () => {
  admin = await startAdmin();
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  root = await admin.visitor('root');
});
afterEach(() => admin.close());

async function stored(username: string) {
  const user = await findUserByUsername(admin.db, username);
  assert.ok(user, username);
  return user;
}

async function hasPassword(username: string, password: string): Promise<boolean> {
  return (await checkPassword(password, (await stored(username)).password, settingsOf())).matches;
}

describe('a user is added in two steps:', () => {
  test('a name and a password first, beside which the validators say what they want', async () => {
    const page = await root.get(ADD);
    const text = textOf(page.body);
    assert.match(
      text,
      /First, enter a username and password\. Then, you’ll be able to edit more user options\./,
    );
    assert.match(text, /Your password can’t be entirely numeric\./);
    assert.match(text, /Enter the same password as before, for verification\./);
    const entries = { username: 'ada', password1: ` ${GOOD} `, password2: ` ${GOOD} ` };
    const answer = await root.post(ADD, { ...formOn(page.body), ...entries });
    const ada = await stored('ada');
    assert.equal(answer.headers.location, `/admin/auth/user/${ada.id}/change/`);
    assert.equal(await hasPassword('ada', ` ${GOOD} `), true);
    assert.deepEqual([ada.is_staff, ada.is_superuser, ada.is_active], [0, 0, 1]);
    const next = await root.get(String(answer.headers.location));
    assert.equal(
      shownMessage(next.body),
      'The user “ada” was added successfully. You may edit it again below.',
    );
  });

  test('or another one right away', async () => {
    const form = { username: 'ada', usable_password: 'true', password1: GOOD, password2: GOOD };
    const answer = await root.post(ADD, { ...form, _addanother: '1' });
    assert.equal(answer.headers.location, ADD);
    assert.equal(
      shownMessage((await root.get(ADD)).body),
      'The user “ada” was added successfully. You may add another user below.',
    );
  });

  test('without a password, where none is to be used', async () => {
    await root.post(ADD, { username: 'ada', usable_password: 'false', password1: 'x', password2: 'y' });
    assert.equal(isUsablePassword((await stored('ada')).password), false);
  });

  test('not with what is wrong, and that is said beside each field', async () => {
    const entered = { username: 'eve', usable_password: 'true', password1: GOOD, password2: GOOD };
    for (const [form, errors] of [
      [{ username: '' }, ['This field is required.']],
      [{ username: 'rOOt' }, ['A user with that username already exists.']],
      [
        { username: 'a b' },
        ['Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.'],
      ],
      [{ password2: 'another' }, ['The two password fields didn’t match.']],
      [{ password1: '', password2: '' }, ['This field is required.', 'This field is required.']],
      [{ password1: `${GOOD}\0`, password2: `${GOOD}\0` }, null],
      [
        { password1: '12345', password2: '12345' },
        [
          'This password is too short. It must contain at least 8 characters.',
          'This password is too common.',
          'This password is entirely numeric.',
        ],
      ],
      [
        { username: 'augusta.king', password1: 'augusta.kin', password2: 'augusta.kin' },
        ['The password is too similar to the username.'],
      ],
    ] as const) {
      const answer = await root.post(ADD, { ...entered, ...form });
      assert.equal(answer.statusCode, 200, JSON.stringify(form));
      if (errors !== null) assert.deepEqual(fieldErrors(answer.body), errors);
      assert.doesNotMatch(answer.body, /value="(Correct|12345|augusta\.kin")/);
    }
    assert.equal(await findUserByUsername(admin.db, 'eve'), null);
  });

  test('by nobody who may not change users as well', async () => {
    await admin.grant(await admin.addUser({ username: 'adder', is_staff: true }), 'auth.add_user');
    const adder = await admin.visitor('adder');
    const answer = await adder.get(ADD);
    assert.equal(answer.statusCode, 403);
    assert.match(textOf(answer.body), /needs both the “Can add user” and the “Can change user” permission/);
    const form = { username: 'ada', usable_password: 'true', password1: GOOD, password2: GOOD };
    assert.equal((await adder.post(ADD, form)).statusCode, 403);
    assert.equal(await findUserByUsername(admin.db, 'ada'), null);
  });
});

describe('a superuser is created', () => {
  const FORM = { username: 'second', email: 'second@example.com', password1: GOOD, password2: GOOD };

  test('on a page of its own, which says what the account can do and where to try it', async () => {
    const answer = await root.post(SUPERUSER, FORM);
    const user = await stored('second');
    assert.equal(answer.headers.location, `${SUPERUSER}${user.id}/`);
    assert.deepEqual([user.is_superuser, user.is_staff, user.email], [1, 1, 'second@example.com']);
    const page = await root.get(`${SUPERUSER}${user.id}/`);
    assert.equal(shownMessage(page.body), 'Superuser created successfully.');
    assert.match(page.body, /href="\/api\/token\/">Try it at \/api\/token\/</);
    const token = await admin.app.inject({
      method: 'POST',
      url: '/api/token/',
      payload: { username: 'second', password: GOOD },
    });
    assert.equal(token.statusCode, 200);
    assert.equal((await (await admin.visitor()).get(SUPERUSER)).statusCode, 303);
    const events = await admin.db
      .selectFrom('jotgate_event')
      .select(['kind', 'actor_name', 'object_name'])
      .execute();
    assert.ok(
      events.some(
        ({ kind, actor_name, object_name }) =>
          kind === 'superuser_created' && actor_name === 'root' && object_name === 'second',
      ),
    );
  });

  test('not with what is wrong, and that is said beside each field', async () => {
    const answer = await root.post(SUPERUSER, {
      username: 'Root',
      email: 'nowhere',
      password1: 'password',
      password2: 'password',
    });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(fieldErrors(answer.body), [
      'Enter a valid email address.',
      'This password is too common.',
    ]);
    const taken = await root.post(SUPERUSER, { ...FORM, username: 'Root' });
    assert.deepEqual(fieldErrors(taken.body), ['A user with that username already exists.']);
  });

  test('by superusers alone, and only superusers are shown as such', async () => {
    const keys = ['auth.add_user', 'auth.change_user'];
    const manager = await admin.addUser({ username: 'manager', is_staff: true });
    await admin.grant(manager, ...keys);
    const visitor = await admin.visitor('manager');
    assert.equal((await visitor.get(SUPERUSER)).statusCode, 403);
    assert.equal((await visitor.post(SUPERUSER, FORM)).statusCode, 403);
    assert.equal((await root.get(`${SUPERUSER}${manager.id}/`)).statusCode, 404);
    assert.equal(await findUserByUsername(admin.db, 'second'), null);
  });
});

describe("somebody's password", () => {
  const passwordHref = async (username: string) =>
    `/admin/auth/user/${(await stored(username)).id}/password/`;

  test('is set, and his sessions end while the history has no password', async () => {
    await admin.addUser({ username: 'bob', is_staff: true });
    const bob = await admin.visitor('bob');
    const href = await passwordHref('bob');
    const page = await root.get(href);
    assert.match(textOf(page.body), /Change password: bob Enter a new password for the user bob\./);
    const answer = await root.post(href, { ...formOn(page.body), password1: GOOD, password2: GOOD });
    assert.equal(
      shownMessage((await root.get(String(answer.headers.location))).body),
      'Password changed successfully.',
    );
    assert.equal(await hasPassword('bob', GOOD), true);
    assert.match(String((await bob.get('/admin/')).headers.location), /login/);
    const events = JSON.stringify(await admin.db.selectFrom('jotgate_event').selectAll().execute());
    assert.ok(events.includes('password_changed') && !events.includes(GOOD) && !events.includes('bcrypt'));
  });

  test('of oneself keeps this session and ends the others', async () => {
    const elsewhere = await admin.visitor('root');
    await root.post(await passwordHref('root'), {
      usable_password: 'true',
      password1: GOOD,
      password2: GOOD,
    });
    assert.equal((await root.get('/admin/auth/user/')).statusCode, 200);
    assert.match(String((await elsewhere.get('/admin/auth/user/')).headers.location), /login/);
  });

  test('is checked as any new one', async () => {
    await admin.addUser({ username: 'bob', first_name: 'Bartholomew' });
    const href = await passwordHref('bob');
    for (const [form, errors] of [
      [{ password1: '', password2: '' }, ['This field is required.', 'This field is required.']],
      [{ password1: GOOD, password2: 'x' }, ['The two password fields didn’t match.']],
      [
        { password1: 'bartholomew', password2: 'bartholomew' },
        ['The password is too similar to the first name.'],
      ],
    ] as const) {
      const answer = await root.post(href, { usable_password: 'true', ...form });
      assert.deepEqual(fieldErrors(answer.body), errors);
    }
    assert.equal(await hasPassword('bob', GOOD), false);
  });

  test('is taken away after a question, and given back', async () => {
    await admin.addUser({ username: 'bob' });
    const href = await passwordHref('bob');
    const question = await root.post(href, { usable_password: 'false', password1: '', password2: '' });
    assert.match(
      textOf(question.body),
      /Are you sure you want to take the password of the user “bob” away\?/,
    );
    assert.equal(isUsablePassword((await stored('bob')).password), true);
    const answer = await root.post(href, formOn(question.body));
    const change = await root.get(String(answer.headers.location));
    assert.equal(shownMessage(change.body), 'Password-based authentication was disabled.');
    assert.match(textOf(change.body), /No password set\. Enable password-based authentication for this user/);
    const page = await root.get(href);
    assert.match(textOf(page.body), /Set password: bob .* Enable password-based authentication/);
    assert.equal(formOn(page.body).usable_password, undefined);
    await root.post(href, { password1: GOOD, password2: GOOD });
    assert.equal(await hasPassword('bob', GOOD), true);
  });

  test('is not taken from the last superuser', async () => {
    const answer = await root.post(await passwordHref('root'), { usable_password: 'false', confirmed: '1' });
    assert.equal(answer.statusCode, 403);
    assert.equal(isUsablePassword((await stored('root')).password), true);
  });
});

test('a password that no hasher takes whole is complained about beside its field', async () => {
  const hashers = { PASSWORD_HASHERS: 'bcrypt' };
  const short = await startAdmin(hashers);
  try {
    const passwordHash = await hashPassword(PASSWORD, settingsOf(hashers));
    const rights = { is_staff: true, is_superuser: true };
    const user = await short.addUser({ username: 'short', passwordHash, ...rights });
    const visitor = await short.visitor('short');
    const password = `${GOOD}${'x'.repeat(72)}`;
    const form = { username: 'ada', usable_password: 'true', password1: password, password2: password };
    for (const path of [ADD, SUPERUSER, `/admin/auth/user/${user.id}/password/`]) {
      const answer = await visitor.post(path, form);
      assert.deepEqual(
        [answer.statusCode, fieldErrors(answer.body)],
        [200, ['This password is too long. It must contain at most 72 bytes.']],
        path,
      );
    }
  } finally {
    await short.close();
  }
});
