import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { endAdminSessionsOf } from '../sessions/admin-sessions.ts';
import { makeSetupKey } from '../sessions/setup-keys.ts';
import { setPassword } from '../users/users.ts';
import { PASSWORD, shownMessage, startAdmin, type TestAdmin } from './admin.fixture.ts';

let admin: TestAdmin;
beforeEach(async () => {
  admin = await startAdmin();
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  await admin.addUser({ username: 'clerk', is_staff: true });
  await admin.addUser({ username: 'plain' });
  await admin.addUser({ username: 'off', is_staff: true, is_active: false });
});
afterEach(() => admin.close());

const REFUSED = /Please enter the correct username and password for a staff account\./;

describe('the log-in', () => {
  for (const [username, password] of [
    ['root', 'wrong'],
    ['plain', PASSWORD],
    ['off', PASSWORD],
    ['nobody', PASSWORD],
  ] as const) {
    test(`refuses ${username} with ${password === PASSWORD ? 'the right password' : 'a wrong one'}`, async () => {
      const visitor = await admin.visitor();
      const answer = await visitor.post('/admin/login/', { username, password });
      assert.equal(answer.statusCode, 200);
      assert.match(answer.body, REFUSED);
      assert.doesNotMatch(answer.body, new RegExp(`value="${password}"`));
      assert.equal((await visitor.get('/admin/')).statusCode, 303);
    });
  }

  test('asks for both fields', async () => {
    const visitor = await admin.visitor();
    const { body } = await visitor.post('/admin/login/', { username: ' ' });
    assert.equal(body.match(/This field is required\./g)?.length, 2);
  });

  test('leads back to the page that was asked for, with its query', async () => {
    const visitor = await admin.visitor();
    const { headers } = await visitor.get('/admin/password_change/?a=b');
    assert.equal(headers.location, '/admin/login/?next=%2Fadmin%2Fpassword_change%2F%3Fa%3Db');
    const page = await visitor.get(String(headers.location));
    assert.match(page.body, /name="next" value="\/admin\/password_change\/\?a=b"/);
  });

  for (const next of [
    '//evil.example',
    '/\\evil.example',
    '\\\\evil',
    'https://evil.example',
    'javascript:alert(1)',
    '/a\r\nx: y',
    '',
  ]) {
    test(`goes to the overview instead of ${JSON.stringify(next)}`, async () => {
      const visitor = await admin.visitor();
      const answer = await visitor.post('/admin/login/', { username: 'root', password: PASSWORD, next });
      assert.equal(answer.headers.location, '/admin/');
    });
  }

  test('gives every log-in a session of its own, and ends the one it replaces', async () => {
    const visitor = await admin.visitor('root');
    const first = visitor.cookies.get('jotgate_admin');
    await visitor.post('/admin/login/', { username: 'clerk', password: PASSWORD });
    assert.notEqual(visitor.cookies.get('jotgate_admin'), first);
    const copy = await admin.visitor();
    copy.cookies.set('jotgate_admin', first ?? '');
    assert.equal((await copy.get('/admin/')).statusCode, 303);
  });

  test('does not adopt a session id that was there before', async () => {
    const visitor = await admin.visitor();
    visitor.cookies.set('jotgate_admin', 'mine-already');
    await visitor.logIn('root');
    assert.notEqual(visitor.cookies.get('jotgate_admin'), 'mine-already');
  });

  test('sets last_login, and says in the history who came and who did not', async () => {
    const visitor = await admin.visitor('root');
    await visitor.post('/admin/login/', { username: 'clerk', password: 'wrong' });
    await visitor.post('/admin/login/', { username: 'a-mistyped-password', password: 'x' });
    const events = await admin.db.selectFrom('jotgate_event').selectAll().orderBy('id').execute();
    assert.deepEqual(
      events.map(({ kind, actor_name, object_name, reason }) => [kind, actor_name, object_name, reason]),
      [
        ['admin_login', 'root', '', ''],
        ['admin_login_refused', 'root', 'clerk', 'no_active_account'],
        ['admin_login_refused', 'root', '', 'no_active_account'],
      ],
    );
    const { last_login } = await admin.db
      .selectFrom('auth_user')
      .select('last_login')
      .where('username', '=', 'root')
      .executeTakeFirstOrThrow();
    assert.equal(last_login, '2026-03-04 05:06:07');
  });
});

describe('a session', () => {
  test('is over after an hour of nothing, and after twelve hours in any case', async () => {
    const idle = await admin.visitor('root');
    const busy = await admin.visitor('root');
    for (let passed = 0; passed < 11; passed += 1) {
      admin.clock.now += 3_599;
      assert.equal((await busy.get('/admin/')).statusCode, 200, `after ${passed} hours`);
    }
    assert.equal((await idle.get('/admin/')).statusCode, 303);
    admin.clock.now += 3_599;
    await busy.get('/admin/');
    admin.clock.now += 20;
    assert.equal((await busy.get('/admin/')).statusCode, 303);
  });

  for (const [what, change] of [
    ['demoted', { is_staff: 0 }],
    ['deactivated', { is_active: 0 }],
  ] as const) {
    test(`is gone when its owner was ${what}, also when that is undone`, async () => {
      const visitor = await admin.visitor('clerk');
      await admin.db.updateTable('auth_user').set(change).where('username', '=', 'clerk').execute();
      assert.equal((await visitor.get('/admin/')).statusCode, 303);
      await admin.db.updateTable('auth_user').set({ is_staff: 1, is_active: 1 }).execute();
      assert.equal((await visitor.get('/admin/')).statusCode, 303);
    });
  }

  test('is gone when the password was changed elsewhere', async () => {
    const visitor = await admin.visitor('clerk');
    await setPassword(admin.db, 2, 'another hash');
    assert.equal((await visitor.get('/admin/')).statusCode, 303);
  });

  test('is dead after the log-out, for whoever copied its cookie too', async () => {
    const visitor = await admin.visitor('root');
    const copy = await admin.visitor();
    copy.cookies.set('jotgate_admin', visitor.cookies.get('jotgate_admin') ?? '');
    assert.equal((await copy.get('/admin/')).statusCode, 200);
    await visitor.get('/admin/');
    const answer = await visitor.post('/admin/logout/');
    assert.equal(answer.headers.location, '/admin/login/');
    assert.equal((await copy.get('/admin/')).statusCode, 303);
    assert.equal((await visitor.get('/admin/logout/')).statusCode, 405);
  });

  test('of a user can be ended from outside', async () => {
    const visitor = await admin.visitor('root');
    await endAdminSessionsOf(admin.db, [1]);
    assert.equal((await visitor.get('/admin/')).statusCode, 303);
  });

  test('keeps only a hash of its key', async () => {
    const visitor = await admin.visitor('root');
    const rows = await admin.db.selectFrom('jotgate_admin_session').selectAll().execute();
    assert.doesNotMatch(
      JSON.stringify(rows),
      new RegExp(visitor.cookies.get('jotgate_admin') ?? 'no cookie'),
    );
  });
});

describe('the change of one’s own password', () => {
  const good = { old_password: PASSWORD, new_password1: 'Correct-horse-7', new_password2: 'Correct-horse-7' };

  test('keeps this session, ends the others, and opens with the new password alone', async () => {
    const visitor = await admin.visitor('clerk');
    const other = await admin.visitor('clerk');
    const answer = await visitor.post('/admin/password_change/', good);
    assert.equal(answer.headers.location, '/admin/');
    assert.match(shownMessage((await visitor.get('/admin/')).body) ?? '', /^Your password was changed\./);
    assert.equal((await other.get('/admin/')).statusCode, 303);
    const again = await admin.visitor();
    assert.match(
      (await again.post('/admin/login/', { username: 'clerk', password: PASSWORD })).body,
      REFUSED,
    );
    await again.logIn('clerk', 'Correct-horse-7');
  });

  for (const [what, change, complaint] of [
    ['another old password', { old_password: 'nope' }, /Your old password was entered incorrectly/],
    ['two that differ', { new_password2: 'Correct-horse-8' }, /The two password fields didn’t match\./],
    ['a short one', { new_password1: 'x7!', new_password2: 'x7!' }, /This password is too short\./],
    [
      'one like the username',
      { new_password1: 'clerk-77', new_password2: 'clerk-77' },
      /too similar to the username/,
    ],
    ['nothing', { old_password: '', new_password1: '', new_password2: '' }, /This field is required\./],
  ] as const) {
    test(`is refused with ${what}`, async () => {
      const visitor = await admin.visitor('clerk');
      const { statusCode, body } = await visitor.post('/admin/password_change/', { ...good, ...change });
      assert.equal(statusCode, 200);
      assert.match(body, complaint);
      const again = await admin.visitor();
      await again.logIn('clerk');
    });
  }
});

describe('the first superuser', () => {
  const form = {
    username: 'first',
    email: 'f@example.com',
    password1: 'Correct-horse-7',
    password2: 'Correct-horse-7',
  };
  const moment = () => new Date(admin.clock.now * 1000);

  beforeEach(async () => {
    await admin.db.updateTable('auth_user').set({ is_superuser: 0 }).execute();
  });

  test('is created once with the address of the start, and logged in', async () => {
    const key = await makeSetupKey(admin.db, moment());
    const visitor = await admin.visitor();
    assert.equal((await visitor.get(`/admin/setup/?key=${key}`)).statusCode, 200);
    const answer = await visitor.post('/admin/setup/', { key, ...form });
    assert.equal(answer.headers.location, '/admin/');
    assert.match(shownMessage((await visitor.get('/admin/')).body) ?? '', /^Welcome, first\./);
    assert.equal((await visitor.get(`/admin/setup/?key=${key}`)).statusCode, 404);
    assert.equal((await visitor.post('/admin/setup/', { key, ...form, username: 'second' })).statusCode, 404);
    const rows = await admin.db.selectFrom('jotgate_setup_key').selectAll().execute();
    assert.deepEqual(rows, []);
  });

  test('says beside the fields what is wrong, and keeps the key good', async () => {
    const key = await makeSetupKey(admin.db, moment());
    const visitor = await admin.visitor();
    await visitor.get(`/admin/setup/?key=${key}`);
    const { body } = await visitor.post('/admin/setup/', {
      key,
      username: 'clerk',
      email: 'no address',
      password1: '12345678',
      password2: '12345678',
    });
    for (const text of [
      'A user with that username already exists.',
      'Enter a valid email address.',
      'This password is too common.',
      'This password is entirely numeric.',
    ]) {
      assert.ok(body.includes(text), text);
    }
    assert.equal((await visitor.post('/admin/setup/', { key, ...form })).statusCode, 303);
  });

  test('needs a good key: none, another, one that is too old are 404', async () => {
    const key = await makeSetupKey(admin.db, moment());
    const visitor = await admin.visitor();
    assert.equal((await visitor.get(`/admin/setup/?key=${key}`)).statusCode, 200);
    for (const url of ['/admin/setup/', '/admin/setup/?key=', `/admin/setup/?key=${key}x`]) {
      assert.equal((await visitor.get(url)).statusCode, 404, url);
    }
    admin.clock.now += 30 * 60;
    assert.equal((await visitor.get(`/admin/setup/?key=${key}`)).statusCode, 404);
    assert.equal((await visitor.post('/admin/setup/', { key, ...form })).statusCode, 404);
  });

  test('is one, of two who come at the same time', async () => {
    const keys = await Promise.all([makeSetupKey(admin.db, moment()), makeSetupKey(admin.db, moment())]);
    const visitors = await Promise.all([admin.visitor(), admin.visitor()]);
    await Promise.all(visitors.map((visitor, i) => visitor.get(`/admin/setup/?key=${keys[i]}`)));
    const answers = await Promise.all(
      visitors.map((visitor, i) =>
        visitor.post('/admin/setup/', { key: keys[i] ?? '', ...form, username: `u${i}` }),
      ),
    );
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [303, 404]);
  });

  test('is what /admin/ leads to while there is none', async () => {
    const visitor = await admin.visitor();
    const { headers } = await visitor.get('/admin/');
    assert.match(
      (await visitor.get(String(headers.location))).body,
      /No superuser yet[\s\S]*createsuperuser/,
    );
  });
});
