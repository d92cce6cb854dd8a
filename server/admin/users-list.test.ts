import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserRow } from '../../db/tables.ts';
import { toSqlTime } from '../../db/values.ts';
import { findUserById } from '../users/users.ts';
import { type Form, shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';
import { formOn, textOf } from './page-form.fixture.ts';

const LIST = '/admin/auth/user/';

let admin: TestAdmin;
let root: Visitor;
let people: Record<'root' | 'ada' | 'bob' | 'eve', UserRow>;

beforeEach(async () => {
  admin = await startAdmin();
  people = {
    root: await admin.addUser({
      username: 'root',
      is_staff: true,
      is_superuser: true,
      email: 'root@z.example',
    }),
    ada: await admin.addUser({ username: 'ada', first_name: 'Ada', last_name: 'King', email: 'b@z.example' }),
    bob: await admin.addUser({ username: 'bob', first_name: 'Bob', is_staff: true, email: 'a@z.example' }),
    eve: await admin.addUser({ username: 'eve', is_active: false, email: 'c@z.example' }),
  };
  root = await admin.visitor('root');
});
afterEach(() => admin.close());

/** The usernames on the list, in order. */
async function listed(query = '', visitor = root): Promise<string[]> {
  const { statusCode, body } = await visitor.get(LIST + query);
  assert.equal(statusCode, 200);
  return [...body.matchAll(/href="\d+\/change\/">([^<]*)<\/a>/g)].map(([, name = '']) => name);
}

async function staff(username: string, ...keys: string[]): Promise<Visitor> {
  await admin.grant(await admin.addUser({ username, is_staff: true }), ...keys);
  return admin.visitor(username);
}

async function addToken(user: UserRow, jti: string): Promise<void> {
  const at = (seconds: number) => toSqlTime(new Date((admin.clock.now + seconds) * 1000));
  const row = { token: 'a.b', created_at: at(0), expires_at: at(3600), user_id: user.id, jti };
  await admin.db.insertInto('token_blacklist_outstandingtoken').values(row).execute();
}

/** Chooses an action for some users, and sends the question that comes back with a yes. */
async function act(action: string, users: readonly UserRow[], form: Form = {}, visitor = root) {
  await visitor.get(LIST);
  const ids = users.map(({ id }) => String(id));
  const question = await visitor.post(LIST, { action, _selected_action: ids, ...form });
  return { question, confirm: () => visitor.post(LIST, formOn(question.body)) };
}

describe('the list of users', () => {
  test('has the columns, filters and tools of Django', async () => {
    const { body } = await root.get(LIST);
    const text = textOf(body);
    assert.match(text, /Username Email address First name Last name Staff status/);
    assert.match(
      text,
      /By staff status All Yes No By superuser status All Yes No By active All Yes No By date joined/,
    );
    assert.match(text, /All Today Past 7 days This month This year/);
    assert.match(text, /Export as CSV Create superuser Add user/);
    assert.match(text, /Delete selected users Activate selected users Deactivate selected users/);
    assert.match(text, /ada b@z\.example Ada King No/);
    assert.match(text, /4 users/);
  });

  test('is ordered by username, or by the column that is clicked', async () => {
    assert.deepEqual(await listed(), ['ada', 'bob', 'eve', 'root']);
    assert.deepEqual(await listed('?o=-1'), ['root', 'eve', 'bob', 'ada']);
    assert.deepEqual(await listed('?o=2'), ['bob', 'ada', 'eve', 'root']);
    assert.deepEqual(await listed('?o=-5.1'), ['bob', 'root', 'ada', 'eve']);
  });

  test('is searched by every word, and filtered by all that is chosen', async () => {
    for (const [query, names] of [
      ['?q=KING+ada', ['ada']],
      ['?q=z.example', ['ada', 'bob', 'eve', 'root']],
      ['?q=king+bob', []],
      ['?is_staff__exact=1', ['bob', 'root']],
      ['?is_staff__exact=1&is_superuser__exact=0', ['bob']],
      ['?is_active__exact=0', ['eve']],
      ['?date_joined=today', ['ada', 'bob', 'eve', 'root']],
      ['?is_active__exact=%27', ['ada', 'bob', 'eve', 'root']],
    ] as const) {
      assert.deepEqual(await listed(query), names, query);
    }
    admin.clock.now += 86_400;
    await root.logIn('root');
    assert.deepEqual(await listed('?date_joined=today'), []);
    assert.deepEqual((await listed('?date_joined=past_7_days')).length, 4);
  });

  test('is filtered by group, once there is one', async () => {
    const rows = admin.db.insertInto('auth_group').values({ name: 'editors' });
    const { id } = await rows.returning('id').executeTakeFirstOrThrow();
    await admin.db.insertInto('auth_user_groups').values({ user_id: people.ada.id, group_id: id }).execute();
    assert.match(textOf((await root.get(LIST)).body), /By groups All editors/);
    assert.deepEqual(await listed(`?groups__id__exact=${id}`), ['ada']);
  });

  test('comes in pages of a hundred, the page under 60 KB with its style and script', async () => {
    const rows = Array.from({ length: 250 }, (_, index) => ({
      ...people.eve,
      id: 1000 + index,
      username: `augusta.king${index}`,
      email: `augusta.king${index}@example.com`,
      first_name: 'Augusta',
      last_name: 'Lovelace',
    }));
    for (const row of rows) await admin.db.insertInto('auth_user').values(row).execute();
    const page = await root.get(`${LIST}?is_active__exact=0&q=augusta`);
    assert.match(textOf(page.body), /250 users/);
    const files = [
      '/static/css/jotgate.css',
      '/static/css/admin.css',
      '/static/js/jotgate.js',
      '/static/js/copy.js',
      '/static/js/times.js',
    ];
    const sizes = await Promise.all(files.map(async (file) => (await root.get(file)).body.length));
    const total = sizes.reduce((sum, size) => sum + size, page.body.length);
    assert.ok(total < 60 * 1024, `${total} bytes, of which the page is ${page.body.length}`);
    assert.equal((await listed('?p=3')).length, 54);
  });

  test('offers each what he may do', async () => {
    const viewer = await staff('viewer', 'auth.view_user');
    const text = textOf((await viewer.get(LIST)).body);
    assert.match(text, /Select user to view/);
    assert.doesNotMatch(text, /Add user|Create superuser|Action/);
    const remover = await staff('remover', 'auth.view_user', 'auth.delete_user');
    const offered = textOf((await remover.get(LIST)).body);
    assert.match(offered, /Delete selected users/);
    assert.doesNotMatch(offered, /ctivate selected|Make tokens/);
  });
});

describe('what is done with several users', () => {
  test('takes an action and users', async () => {
    await root.get(LIST);
    for (const [form, message] of [
      [{ _selected_action: '1' }, 'No action selected.'],
      [{ action: 'fly', _selected_action: '1' }, 'No action selected.'],
      [
        { action: 'delete_selected' },
        'Items must be selected in order to perform actions on them. No items have been changed.',
      ],
    ] as const) {
      const answer = await root.post(`${LIST}?q=a`, form);
      assert.deepEqual([answer.statusCode, answer.headers.location], [303, `${LIST}?q=a`]);
      assert.equal(shownMessage((await root.get(LIST)).body), message);
    }
  });

  test('deletes after it has said what goes and who stays', async () => {
    await addToken(people.ada, 'token-1');
    const { question, confirm } = await act('delete_selected', [people.ada, people.root, people.bob]);
    const text = textOf(question.body);
    assert.match(text, /Are you sure you want to delete the selected users\?/);
    assert.match(text, /One outstanding token stays on record without an owner\./);
    assert.match(
      text,
      /Summary Users: 2 Users ada bob Left as they are root: You cannot delete your own account\./,
    );
    assert.ok(await findUserById(admin.db, people.ada.id));
    const done = await confirm();
    assert.deepEqual([done.statusCode, done.headers.location], [303, LIST]);
    assert.equal(shownMessage((await root.get(LIST)).body), 'Successfully deleted 2 users.');
    assert.deepEqual(await listed(), ['eve', 'root']);
  });

  test('deactivates, ends sessions, and activates again', async () => {
    const bob = await admin.visitor('bob');
    const off = await act('deactivate', Object.values(people));
    const text = textOf(off.question.body);
    assert.match(
      text,
      /2 users cannot log in any more, .* Users ada bob Left as they are root: You cannot deactivate/,
    );
    assert.match(text, /As long as they are inactive, every token of theirs is refused\./);
    await off.confirm();
    assert.equal(shownMessage((await root.get(LIST)).body), 'Successfully deactivated 2 users.');
    assert.match(String((await bob.get('/admin/')).headers.location), /login/);
    assert.deepEqual(await listed('?is_active__exact=1'), ['root']);
    const on = await act('activate', [people.ada, people.root]);
    assert.match(textOf(on.question.body), /1 user can log in again/);
    await on.confirm();
    assert.equal(shownMessage((await root.get(LIST)).body), 'Successfully activated 1 user.');
    assert.deepEqual(await listed('?is_active__exact=1'), ['ada', 'root']);
  });

  test('makes tokens worthless, and says first how many and until when access lasts', async () => {
    await addToken(people.ada, 'token-1');
    await addToken(people.ada, 'token-2');
    await addToken(people.bob, 'token-3');
    const { question, confirm } = await act('revoke_tokens', [people.ada]);
    assert.match(
      textOf(question.body),
      /2 refresh tokens die now : refused .* they can still pass until 2026-03-04 05:11:07 UTC at the latest/,
    );
    await confirm();
    assert.equal(shownMessage((await root.get(LIST)).body), 'Successfully revoked 2 tokens.');
    assert.equal(
      (await admin.db.selectFrom('token_blacklist_blacklistedtoken').select('id').execute()).length,
      2,
    );
  });

  test('reaches all that the list finds', async () => {
    await root.get(LIST);
    const question = await root.post(`${LIST}?is_staff__exact=0`, {
      action: 'delete_selected',
      select_across: '1',
    });
    assert.match(textOf(question.body), /Users: 2 Users ada eve/);
    await root.post(`${LIST}?is_staff__exact=0`, formOn(question.body));
    assert.deepEqual(await listed(), ['bob', 'root']);
  });

  test('asks again where there is nobody it could be done to, and has no button', async () => {
    const manager = await staff('manager', 'auth.view_user', 'auth.change_user', 'auth.delete_user');
    for (const [action, title] of [
      ['delete_selected', 'Cannot delete selected users'],
      ['deactivate', 'Cannot deactivate selected users'],
    ] as const) {
      const { question, confirm } = await act(action, [people.root], {}, manager);
      assert.match(textOf(question.body), new RegExp(`${title}.*root: Only a superuser may`));
      assert.doesNotMatch(question.body, /<button class="button button-danger/);
      await confirm();
      assert.equal((await findUserById(admin.db, people.root.id))?.is_active, 1);
    }
  });

  test('is refused to whoever may not', async () => {
    const viewer = await staff('viewer', 'auth.view_user');
    const form = { action: 'delete_selected', _selected_action: String(people.ada.id), confirmed: '1' };
    await viewer.post(LIST, form);
    assert.equal(shownMessage((await viewer.get(LIST)).body), 'No action selected.');
    assert.ok(await findUserById(admin.db, people.ada.id));
  });
});

describe('the export', () => {
  test('is CSV of what is filtered, is in the history, and has no hash', async () => {
    const answer = await root.get(`${LIST}export/?is_staff__exact=0&q=z.example`);
    assert.match(String(answer.headers['content-type']), /^text\/csv/);
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="users.csv"');
    const lines = answer.body.split('\r\n');
    assert.equal(
      lines[0],
      'username,email,first_name,last_name,is_staff,is_superuser,is_active,date_joined,last_login,groups',
    );
    assert.deepEqual(
      lines.slice(1, 3).map((line) => line.split(',')[0]),
      ['ada', 'eve'],
    );
    assert.equal(lines.length, 4);
    assert.doesNotMatch(answer.body, /bcrypt|\$/);
    const events = await admin.db
      .selectFrom('jotgate_event')
      .selectAll()
      .where('kind', '=', 'exported')
      .execute();
    assert.deepEqual(
      events.map(({ actor_name, reason }) => [actor_name, reason]),
      [['root', 'Users is_staff__exact=0&q=z.example']],
    );
  });
});

describe('deleting one user', () => {
  test('asks first and lists what goes with the account', async () => {
    const page = await root.get(`${LIST}${people.ada.id}/delete/`);
    assert.match(textOf(page.body), /Are you sure you want to delete the user “ada”\? .* Summary Users: 1/);
    const answer = await root.post(`${LIST}${people.ada.id}/delete/`, formOn(page.body));
    assert.equal(answer.headers.location, LIST);
    assert.equal(shownMessage((await root.get(LIST)).body), 'The user “ada” was deleted successfully.');
    assert.equal(await findUserById(admin.db, people.ada.id), null);
    assert.equal((await root.post(`${LIST}${people.ada.id}/delete/`)).statusCode, 404);
  });

  test('is not done to oneself', async () => {
    const page = await root.get(`${LIST}${people.root.id}/delete/`);
    assert.match(textOf(page.body), /Cannot delete user .* root: You cannot delete your own account\./);
    assert.equal((await root.post(`${LIST}${people.root.id}/delete/`)).statusCode, 403);
    assert.doesNotMatch((await root.get(`${LIST}${people.root.id}/change/`)).body, /delete\/"/);
  });
});
