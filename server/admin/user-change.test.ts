import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRow } from '../../db/tables.ts';
import { findAccount } from '../users/accounts.ts';
import { listPermissions } from '../users/permissions.ts';
import { type Form, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';
import { fieldErrors, formOn, textOf } from './page-form.fixture.ts';

const LIST = '/admin/auth/user/';

let admin: TestAdmin;
let root: Visitor;
let ada: UserRow;

beforeEach(async () => {
  admin = await startAdmin();
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  ada = await admin.addUser({ username: 'ada', first_name: 'Ada', email: 'ada@example.com' });
  root = await admin.visitor('root');
});
afterEach(() => admin.close());

const changeHref = (user: UserRow) => `${LIST}${user.id}/change/`;

async function staff(username: string, ...keys: string[]): Promise<Visitor> {
  await admin.grant(await admin.addUser({ username, is_staff: true }), ...keys);
  return admin.visitor(username);
}

async function addGroup(name: string): Promise<number> {
  const rows = admin.db.insertInto('auth_group').values({ name });
  return (await rows.returning('id').executeTakeFirstOrThrow()).id;
}

/** Sends the change form as it is on the page, with some entries. */
async function save(visitor: Visitor, user: UserRow, entries: Form = {}, query = '') {
  const page = await visitor.get(changeHref(user) + query);
  return visitor.post(changeHref(user) + query, { ...formOn(page.body), ...entries });
}

async function stored(user: UserRow) {
  const account = await findAccount(admin.db, user.id);
  assert.ok(account);
  return account;
}

describe('the change form', () => {
  test('has the field sets of Django, and of a password no more than it shows', async () => {
    const { statusCode, body } = await root.get(changeHref(ada));
    assert.equal(statusCode, 200);
    const text = textOf(body);
    for (const part of [
      'Change user',
      'Personal info',
      'Permissions',
      'Important dates',
      'Superuser status',
    ]) {
      assert.ok(text.includes(part), part);
    }
    assert.match(
      text,
      /algorithm : bcrypt_sha256 work factor : 04 salt : [./\w]{6}\*{16} checksum : [./\w]{6}\*{25}/,
    );
    assert.match(body, /href="\.\.\/password\/">this form</);
    assert.ok(!body.includes(ada.password.slice(-20)));
  });

  test('sent as it is changes nothing, not even the fraction of a second', async () => {
    await admin.db
      .updateTable('auth_user')
      .set({ date_joined: '2026-01-02 03:04:05.678901', last_login: '2026-02-03 04:05:06.000001' })
      .where('id', '=', ada.id)
      .execute();
    const before = await stored(ada);
    assert.equal((await save(root, ada)).statusCode, 303);
    assert.deepEqual(await stored(ada), before);
    const { body } = await root.get(`${LIST}${ada.id}/history/`);
    assert.match(body, /doesn’t have a change history/);
  });

  test('changes every field, and says so in the words of Django', async () => {
    const group = await addGroup('editors');
    const [permission] = await listPermissions(admin.db);
    assert.ok(permission);
    const answer = await save(root, ada, {
      username: 'lovelace',
      first_name: '',
      last_name: 'King',
      email: 'ada@new.example',
      is_active: [],
      is_staff: 'on',
      groups: String(group),
      user_permissions: String(permission.id),
      last_login_0: '2026-02-03',
      last_login_1: '04:05',
      date_joined_0: '2025-01-02',
      date_joined_1: '03:04:05',
    });
    assert.deepEqual([answer.statusCode, answer.headers.location], [303, LIST]);
    const message = shownMessage((await root.get(LIST)).body);
    assert.equal(message, 'The user “lovelace” was changed successfully.');
    const { user, groupIds, permissionIds } = await stored(ada);
    assert.deepEqual(
      [user.username, user.first_name, user.last_name, user.email, user.is_active, user.is_staff],
      ['lovelace', '', 'King', 'ada@new.example', 0, 1],
    );
    assert.deepEqual([groupIds, permissionIds], [[group], [permission.id]]);
    assert.deepEqual([user.last_login, user.date_joined], ['2026-02-03 04:05:00', '2025-01-02 03:04:05']);
    const history = textOf((await root.get(`${LIST}${ada.id}/history/`)).body);
    for (const part of ['root', 'User changed', 'Username: “ada” → “lovelace”']) {
      assert.ok(history.includes(part), `${part} in ${history}`);
    }
  });

  for (const [button, location, message] of [
    ['_save', LIST, 'The user “ada” was changed successfully.'],
    [
      '_addanother',
      `${LIST}add/`,
      'The user “ada” was changed successfully. You may add another user below.',
    ],
    ['_continue', null, 'The user “ada” was changed successfully. You may edit it again below.'],
  ] as const) {
    test(`goes on as ${button} says`, async () => {
      const answer = await save(root, ada, { last_name: 'King', [button]: '1' });
      assert.equal(answer.headers.location, location ?? changeHref(ada));
      assert.equal(shownMessage((await root.get(String(answer.headers.location))).body), message);
    });
  }

  test('leads back to the list as it was filtered', async () => {
    const list = `${LIST}?is_staff__exact=0&q=ada`;
    const page = await root.get(changeHref(ada), { referer: `http://localhost${list}` });
    const [, action = ''] = /<form class="admin-form" method="post" action="([^"]*)"/.exec(page.body) ?? [];
    assert.match(page.body, /delete\/\?_changelist_filters=is_staff__exact%3D0%26q%3Dada"/);
    const form = { ...formOn(page.body), last_name: 'King' };
    const again = await root.post(action, { ...form, username: '' });
    assert.ok(again.body.includes(action));
    assert.equal((await root.post(action, form)).headers.location, list);
    for (const referer of ['http://localhost/admin/', `${LIST}1/change/?q=a`, 'about:blank', '']) {
      assert.doesNotMatch(
        (await root.get(changeHref(ada), { referer })).body,
        /_changelist_filters/,
        referer,
      );
    }
    const forged = await save(root, ada, {}, '?_changelist_filters=%0d%0aX:1%26//evil.example');
    assert.equal(forged.headers.location, `${LIST}?%0D%0AX%3A1=&%2F%2Fevil.example=`);
  });

  test('complains beside its fields, and keeps what was entered', async () => {
    const answer = await save(root, ada, {
      username: 'a b',
      email: 'nowhere',
      last_name: '<b>',
      groups: ['4711', 'x'],
      date_joined_0: '2026-02-30',
      date_joined_1: 'noon',
      last_login_0: '',
      last_login_1: '04:05',
    });
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(fieldErrors(answer.body), [
      'Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.',
      'Enter a valid email address.',
      'Select a valid choice. x is not one of the available choices.',
      'Enter a valid date.',
      'Enter a valid date.',
      'Enter a valid time.',
    ]);
    assert.match(answer.body, /Please correct the errors below\./);
    const kept = formOn(answer.body);
    assert.deepEqual([kept.username, kept.email, kept.last_name], [['a b'], ['nowhere'], ['<b>']]);
    assert.deepEqual(kept.date_joined_0, ['2026-02-30']);
    assert.equal((await stored(ada)).user.username, 'ada');
  });

  test('refuses a name that somebody has', async () => {
    const answer = await save(root, ada, { username: 'root' });
    assert.deepEqual(fieldErrors(answer.body), ['A user with that username already exists.']);
  });

  test('shows markup in any field as text', async () => {
    const markup = '<script>alert(1)</script>"\'';
    await save(root, ada, { first_name: markup, last_name: markup });
    for (const page of [changeHref(ada), LIST, `${LIST}${ada.id}/history/`, `${LIST}${ada.id}/delete/`]) {
      assert.doesNotMatch((await root.get(page)).body, /<script>alert/, page);
    }
    assert.equal((await stored(ada)).user.first_name, markup);
  });

  test('of nobody is not found', async () => {
    for (const page of ['change', 'password', 'delete', 'history']) {
      assert.equal((await root.get(`${LIST}4711/${page}/`)).statusCode, 404, page);
      assert.equal((await root.get(`${LIST}x/${page}/`)).statusCode, 404, page);
    }
  });

  test('stands where Django leads to from the bare address', async () => {
    assert.equal((await root.get(`${LIST}${ada.id}/`)).headers.location, changeHref(ada));
  });
});

describe('two administrators on one account', () => {
  test('the second is told what changed and by whom, loses nothing, and can save again', async () => {
    await admin.addUser({ username: 'second', is_staff: true, is_superuser: true });
    const second = await admin.visitor('second');
    const group = await addGroup('editors');
    const opened = formOn((await root.get(changeHref(ada))).body);
    await save(second, ada, { first_name: 'Augusta', email: 'second@example.com', groups: String(group) });
    const answer = await root.post(changeHref(ada), {
      ...opened,
      last_name: 'King',
      email: 'first@example.com',
      is_staff: 'on',
    });
    assert.equal(answer.statusCode, 200);
    const text = textOf(answer.body);
    assert.match(text, /Somebody else changed this meanwhile/);
    assert.match(text, /First name : Ada Augusta by second/);
    assert.match(text, /Email address : ada@example\.com second@example\.com by second/);
    assert.match(text, /You entered first@example\.com : to save again puts that in its place\./);
    assert.match(text, /Groups : editors by second/);
    const { user } = await stored(ada);
    assert.deepEqual([user.last_name, user.is_staff], ['', 0]);
    const merged = formOn(answer.body);
    assert.deepEqual(
      [merged.first_name, merged.last_name, merged.email, merged.is_staff, merged.groups],
      [['Augusta'], ['King'], ['first@example.com'], ['on'], [String(group)]],
    );
    assert.equal((await root.post(changeHref(ada), merged)).statusCode, 303);
    const after = await stored(ada);
    assert.deepEqual(
      [after.user.first_name, after.user.last_name, after.user.email, after.groupIds],
      ['Augusta', 'King', 'first@example.com', [group]],
    );
  });

  test('what another program changed is told as well', async () => {
    const opened = formOn((await root.get(changeHref(ada))).body);
    await admin.db.updateTable('auth_user').set({ is_active: 0 }).where('id', '=', ada.id).execute();
    const answer = await root.post(changeHref(ada), { ...opened, last_name: 'King' });
    assert.match(textOf(answer.body), /Active : yes no Personal|Active : yes no Username/);
    const merged = formOn(answer.body);
    assert.deepEqual([merged.is_active, merged.last_name], [undefined, ['King']]);
  });

  test('a form that does not say what it was filled from changes nothing unseen', async () => {
    const { _expected, ...form } = formOn((await root.get(changeHref(ada))).body);
    assert.ok(_expected);
    for (const expected of [
      undefined,
      '',
      '{',
      '[]',
      'null',
      '{"username":1}',
      `{"username":"${'x'.repeat(999)}"}`,
    ]) {
      const sent = expected === undefined ? form : { ...form, _expected: expected };
      const answer = await root.post(changeHref(ada), { ...sent, first_name: 'Eve' });
      assert.equal(answer.statusCode, 200, expected);
      assert.equal((await stored(ada)).user.first_name, 'Ada');
      assert.equal((await root.post(changeHref(ada), formOn(answer.body))).statusCode, 303);
      await save(root, ada, { first_name: 'Ada' });
    }
  });
});

describe('who may not do everything', () => {
  test('with the permission to view sees, and changes nothing', async () => {
    const viewer = await staff('viewer', 'auth.view_user');
    const page = await viewer.get(changeHref(ada));
    assert.match(page.body, /<h1>View user<\/h1>/);
    assert.doesNotMatch(page.body, /name="_save"|password\/"|delete\/"/);
    assert.match(page.body, />Close</);
    const answer = await viewer.post(changeHref(ada), { username: 'eve' });
    assert.equal(answer.statusCode, 403);
    assert.match(textOf(answer.body), /You do not have the permission to change users\./);
    assert.equal((await viewer.get(`${LIST}${ada.id}/password/`)).statusCode, 403);
    assert.equal((await viewer.get(`${LIST}${ada.id}/delete/`)).statusCode, 403);
    assert.equal((await stored(ada)).user.username, 'ada');
  });

  test('with the permission to change leaves superusers alone', async () => {
    const manager = await staff('manager', 'auth.change_user', 'auth.delete_user');
    const [superuser] = await admin.db
      .selectFrom('auth_user')
      .selectAll()
      .where('username', '=', 'root')
      .execute();
    assert.ok(superuser);
    const page = await manager.get(changeHref(superuser));
    assert.match(textOf(page.body), /View user root .*Only a superuser may change a superuser\./);
    const form = formOn((await manager.get(changeHref(ada))).body);
    assert.equal((await manager.post(changeHref(superuser), form)).statusCode, 403);
    for (const action of ['password', 'delete']) {
      const passwords = {
        password1: 'Correct-horse-9',
        password2: 'Correct-horse-9',
        usable_password: 'true',
      };
      assert.equal((await manager.post(`${LIST}${superuser.id}/${action}/`, passwords)).statusCode, 403);
    }
    assert.deepEqual((await stored(superuser)).user, superuser);
  });

  test('is not promoted, nor promotes, by a field that the form does not offer', async () => {
    const manager = await staff('manager', 'auth.change_user');
    const [self] = await admin.db
      .selectFrom('auth_user')
      .selectAll()
      .where('username', '=', 'manager')
      .execute();
    assert.ok(self);
    const ids = new Map((await listPermissions(admin.db)).map(({ key, id }) => [key, String(id)]));
    for (const user of [self, ada]) {
      const forged = await save(manager, user, { is_superuser: 'on' });
      assert.deepEqual(fieldErrors(forged.body), [
        'Only a superuser may give superuser status or take it away.',
      ]);
      const own = formOn((await manager.get(changeHref(user))).body).user_permissions ?? [];
      const granted = await save(manager, user, {
        user_permissions: [...own, String(ids.get('auth.add_user'))],
      });
      assert.deepEqual(fieldErrors(granted.body), [
        'You may not grant permissions you lack (auth.add_user).',
      ]);
      assert.equal((await stored(user)).user.is_superuser, 0);
    }
  });

  test('without any permission for users finds no page of theirs', async () => {
    const other = await staff('other', 'auth.view_group');
    for (const path of [
      '',
      'add/',
      'export/',
      `${ada.id}/change/`,
      `${ada.id}/delete/`,
      `${ada.id}/history/`,
    ]) {
      assert.equal((await other.get(LIST + path)).statusCode, 403, path);
    }
  });
});

test('who is demoted or switched off is out of the admin at once', async () => {
  const manager = await staff('manager', 'auth.change_user');
  const [user] = await admin.db
    .selectFrom('auth_user')
    .selectAll()
    .where('username', '=', 'manager')
    .execute();
  assert.ok(user);
  assert.equal((await manager.get(LIST)).statusCode, 200);
  await save(root, user, { is_staff: [] });
  const sessions = admin.db.selectFrom('jotgate_admin_session').select('id').where('user_id', '=', user.id);
  assert.deepEqual(await sessions.execute(), []);
  assert.match(String((await manager.get(LIST)).headers.location), /^\/admin\/login\//);
});

test('the last superuser is not demoted, and nobody deactivates himself', async () => {
  const [self] = await admin.db.selectFrom('auth_user').selectAll().where('username', '=', 'root').execute();
  assert.ok(self);
  const demoted = await save(root, self, { is_superuser: [] });
  assert.equal(demoted.statusCode, 403);
  assert.match(textOf(demoted.body), /This would leave no active superuser who can log in\./);
  const deactivated = await save(root, self, { is_active: [] });
  assert.deepEqual(fieldErrors(deactivated.body), ['You cannot deactivate your own account.']);
  assert.equal((await stored(self)).user.is_superuser, 1);
});
