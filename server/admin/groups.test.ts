import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { listPermissions } from '../users/permissions.ts';
import { shownMessage, startAdmin, type TestAdmin, type Visitor } from './admin.fixture.ts';

const LIST = '/admin/auth/group/';

let admin: TestAdmin;
let root: Visitor;
let ids: ReadonlyMap<string, string>;

beforeEach(async () => {
  admin = await startAdmin();
  await admin.addUser({ username: 'root', is_staff: true, is_superuser: true });
  root = await admin.visitor('root');
  ids = new Map((await listPermissions(admin.db)).map(({ key, id }) => [key, String(id)]));
});
afterEach(() => admin.close());

/** A visitor who may do just this. */
async function staff(...keys: string[]): Promise<Visitor> {
  const username = `staff${(await admin.db.selectFrom('auth_user').select('id').execute()).length}`;
  await admin.grant(await admin.addUser({ username, is_staff: true }), ...keys);
  return admin.visitor(username);
}

function permissions(...keys: string[]): string[] {
  return keys.map((key) => ids.get(key) ?? assert.fail(key));
}

/** Adds a group by the form and gives its id. */
async function add(name: string, ...keys: string[]): Promise<number> {
  const answer = await root.post(`${LIST}add/`, { name, permissions: permissions(...keys) });
  assert.equal(answer.statusCode, 303, answer.body);
  const where = admin.db.selectFrom('auth_group').select('id').where('name', '=', name.trim());
  return (await where.executeTakeFirstOrThrow()).id;
}

async function stored() {
  const rows = await admin.db
    .selectFrom('auth_group as group')
    .leftJoin('auth_group_permissions as link', 'link.group_id', 'group.id')
    .select(['group.name', 'link.permission_id'])
    .orderBy('group.id')
    .orderBy('link.permission_id')
    .execute();
  return rows.map(({ name, permission_id }) => `${name} ${permission_id ?? '-'}`);
}

/** The hidden fields of the form on a page. */
function hiddenFields(page: string): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const [, name = '', value = ''] of page.matchAll(
    /<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
  )) {
    if (name === 'csrfmiddlewaretoken') continue;
    fields[name] = [...(fields[name] ?? []), value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')];
  }
  return fields;
}

describe('the list of groups', () => {
  test('says what to do while there is none, and offers it to whoever may', async () => {
    const page = await root.get(LIST);
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /There is no group yet\. .*add one/);
    assert.match(page.body, /href="\/admin\/auth\/group\/add\/"/);
    const viewer = await staff('auth.view_group');
    assert.doesNotMatch((await viewer.get(LIST)).body, /group\/add\//);
  });

  test('shows, orders and searches them', async () => {
    for (const name of ['Editors', 'writers', '50%', 'Dear <b>bold</b>']) await add(name);
    await root.get(LIST);
    const names = async (query: string) =>
      [...(await root.get(`${LIST}${query}`)).body.matchAll(/group\/\d+\/change\/">([^<]+)</g)].map(
        ([, name]) => name,
      );
    assert.deepEqual(await names(''), ['50%', 'Dear &lt;b&gt;bold&lt;/b&gt;', 'Editors', 'writers']);
    assert.deepEqual(await names('?o=-1'), ['writers', 'Editors', 'Dear &lt;b&gt;bold&lt;/b&gt;', '50%']);
    assert.deepEqual(await names('?q=ITE'), ['writers']);
    assert.deepEqual(await names('?q=%25'), ['50%']);
    assert.deepEqual(await names('?q=nothing'), []);
    assert.match((await root.get(`${LIST}?q=nothing`)).body, /Nothing here fits/);
  });
});

describe('a group is added', () => {
  test('with permissions, and found again in the list', async () => {
    const answer = await root.post(`${LIST}add/`, {
      name: ' Editors ',
      permissions: permissions('auth.view_user', 'auth.add_user'),
    });
    assert.equal(answer.headers.location, LIST);
    const page = await root.get(LIST);
    assert.equal(shownMessage(page.body), 'The group “Editors” was added successfully.');
    assert.match(page.body, /The group “<a href="\/admin\/auth\/group\/1\/change\/">Editors<\/a>”/);
    assert.deepEqual(
      await stored(),
      permissions('auth.add_user', 'auth.view_user').map((id) => `Editors ${id}`),
    );
  });

  for (const [button, href, text] of [
    ['_addanother', `${LIST}add/`, 'The group “x” was added successfully. You may add another group below.'],
    ['_continue', `${LIST}1/change/`, 'The group “x” was added successfully. You may edit it again below.'],
  ] as const) {
    test(`and then ${button}`, async () => {
      const answer = await root.post(`${LIST}add/`, { name: 'x', [button]: '1' });
      assert.equal(answer.headers.location, href);
      assert.equal(shownMessage((await root.get(href)).body), text);
    });
  }

  for (const [name, text] of [
    ['  ', 'This field is required.'],
    ['x'.repeat(151), 'Ensure this value has at most 150 characters (it has 151).'],
    ['Taken', 'Group with this Name already exists.'],
  ] as const) {
    test(`but not as ${JSON.stringify(name.slice(0, 5))}, and nothing entered is lost`, async () => {
      await add('Taken');
      const [chosen = ''] = permissions('auth.view_user');
      const answer = await root.post(`${LIST}add/`, { name, permissions: [chosen] });
      assert.equal(answer.statusCode, 200);
      assert.ok(answer.body.includes(text));
      assert.match(answer.body, /Please correct the error below\./);
      assert.match(answer.body, new RegExp(`name="permissions" value="${chosen}" checked`));
      assert.equal((await stored()).length, 1);
    });
  }

  test('by somebody who may only add: he is led to the overview', async () => {
    const adder = await staff('auth.add_group');
    const page = await adder.get(`${LIST}add/`);
    assert.doesNotMatch(page.body, /_continue/);
    const answer = await adder.post(`${LIST}add/`, { name: 'x', _continue: '1' });
    assert.equal(answer.headers.location, '/admin/');
    const text = shownMessage((await adder.get('/admin/')).body);
    assert.equal(text, 'The group “x” was added successfully.');
  });
});

describe('a group is changed', () => {
  test('by its form, which shows what it is', async () => {
    const id = await add('Editors', 'auth.view_user');
    const page = await root.get(`${LIST}${id}/change/`);
    assert.match(page.body, /name="name" value="Editors"/);
    const checked = [...page.body.matchAll(/name="permissions" value="(\d+)" checked/g)].map(
      ([, value]) => value,
    );
    assert.deepEqual(checked, permissions('auth.view_user'));
    assert.match(page.body, /role="group" aria-label="auth \| user"/);
    assert.match(page.body, /role="group" aria-label="token_blacklist \| Blacklisted Token"/);
    const answer = await root.post(`${LIST}${id}/change/`, {
      ...hiddenFields(page.body),
      name: 'Writers',
      permissions: permissions('auth.add_user'),
    });
    assert.equal(answer.headers.location, LIST);
    assert.equal(shownMessage((await root.get(LIST)).body), 'The group “Writers” was changed successfully.');
    assert.deepEqual(await stored(), [`Writers ${permissions('auth.add_user')[0]}`]);
  });

  test('and its history says what, field by field', async () => {
    const id = await add('Editors', 'auth.view_user');
    const page = await root.get(`${LIST}${id}/change/`);
    await root.post(`${LIST}${id}/change/`, { ...hiddenFields(page.body), name: 'Wr<i>ters' });
    const history = (await root.get(`${LIST}${id}/history/`)).body;
    assert.match(history, /Change history: Wr&lt;i&gt;ters/);
    assert.match(history, /Group changed[\s\S]*Name: “Editors” → “Wr&lt;i&gt;ters”/);
    assert.match(history, /Permissions: “auth \| user \| Can view user” → empty/);
    assert.match(history, /Group added[\s\S]*Admin, 127\.0\.0\.1/);
  });

  test('by the second of two: he is told what the first did, and saves both', async () => {
    const id = await add('Editors', 'auth.view_user', 'auth.add_user');
    const href = `${LIST}${id}/change/`;
    const first = hiddenFields((await root.get(href)).body);
    const second = first;
    await root.post(href, { ...first, name: 'Writers', permissions: permissions('auth.view_user') });
    const conflict = await root.post(href, {
      ...second,
      name: 'Editors',
      permissions: permissions('auth.view_user', 'auth.add_user', 'auth.view_group'),
    });
    assert.equal(conflict.statusCode, 200);
    assert.match(conflict.body, /Somebody else changed this meanwhile/);
    assert.match(conflict.body, /<strong>Name<\/strong>: <del>Editors<\/del> <ins>Writers<\/ins>/);
    assert.match(conflict.body, /<strong>Permissions<\/strong>: <del>auth \| user \| Can add user<\/del>/);
    assert.match(conflict.body, /name="name" value="Writers"/);
    const checked = [...conflict.body.matchAll(/name="permissions" value="(\d+)" checked/g)].map(
      ([, value]) => value ?? '',
    );
    assert.deepEqual(checked.sort(), permissions('auth.view_user', 'auth.view_group').sort());
    assert.equal((await stored()).length, 1);
    await root.post(href, { ...hiddenFields(conflict.body), name: 'Writers', permissions: checked });
    assert.deepEqual((await stored()).sort(), checked.map((value) => `Writers ${value}`).sort());
  });

  test('by the second of two, who is told what he would write over', async () => {
    const id = await add('Editors');
    const href = `${LIST}${id}/change/`;
    const form = hiddenFields((await root.get(href)).body);
    await root.post(href, { ...form, name: 'Writers' });
    const conflict = await root.post(href, { ...form, name: 'Authors' });
    assert.match(conflict.body, /name="name" value="Authors"/);
    assert.match(conflict.body, /You entered <ins>Authors<\/ins>: to save again puts that in its place\./);
    await root.post(href, { ...hiddenFields(conflict.body), name: 'Authors' });
    assert.deepEqual(await stored(), ['Authors -']);
  });

  test('but not by a form that does not say what it was filled from', async () => {
    const id = await add('Editors');
    for (const expected of [
      undefined,
      '',
      '{',
      'null',
      '{"name":1,"permissions":{}}',
      '{"name":"a","permissions":["x"]}',
    ]) {
      const answer = await root.post(`${LIST}${id}/change/`, {
        name: 'Writers',
        ...(expected !== undefined && { expected }),
      });
      assert.equal(answer.statusCode, 200);
      assert.match(answer.body, /Somebody else changed this meanwhile/);
    }
    assert.deepEqual(await stored(), ['Editors -']);
  });

  test('by nobody who may only look: he gets no form to send', async () => {
    const id = await add('Editors', 'auth.view_user');
    const viewer = await staff('auth.view_group');
    const page = await viewer.get(`${LIST}${id}/change/`);
    assert.match(page.body, /<h1>View group<\/h1>/);
    assert.doesNotMatch(page.body, /name="_continue"|>Save<|>Delete</);
    const answer = await viewer.post(`${LIST}${id}/change/`, { ...hiddenFields(page.body), name: 'x' });
    assert.equal(answer.statusCode, 403);
    assert.match(answer.body, /You do not have the permission to change groups\./);
  });

  test('by somebody who lacks some of it, within what he has', async () => {
    const id = await add('Editors', 'auth.view_user', 'auth.delete_user');
    const clerk = await staff('auth.change_group', 'auth.view_user');
    const page = (await clerk.get(`${LIST}${id}/change/`)).body;
    const [lacked = '', had = ''] = permissions('auth.delete_user', 'auth.view_user');
    assert.match(page, new RegExp(`value="${lacked}" checked disabled`));
    assert.match(page, new RegExp(`value="${had}" checked >`));
    assert.match(page, /Permissions that you do not have yourself are greyed out/);
    const answer = await clerk.post(`${LIST}${id}/change/`, {
      ...hiddenFields(page),
      name: 'Mine',
      permissions: permissions('auth.add_group', 'auth.change_group'),
    });
    assert.equal(answer.statusCode, 303);
    const kept = permissions('auth.change_group', 'auth.delete_user');
    assert.deepEqual(
      await stored(),
      kept.map((value) => `Mine ${value}`),
    );
  });
});

describe('a group is deleted', () => {
  test('after it was asked, with what goes with it', async () => {
    const id = await add('Editors', 'auth.view_user');
    const member = await admin.addUser({ username: 'member' });
    await admin.db.updateTable('auth_user').set({ username: 'm<b>' }).where('id', '=', member.id).execute();
    await admin.db.insertInto('auth_user_groups').values({ user_id: member.id, group_id: id }).execute();
    const page = (await root.get(`${LIST}${id}/delete/`)).body;
    assert.match(page, /Are you sure you want to delete the group “Editors”\?/);
    for (const text of [
      'Groups: 1',
      'Places of users in them: 1',
      'Permissions granted by them: 1',
      'm&lt;b&gt;',
      'Can view user',
    ]) {
      assert.ok(page.includes(text), text);
    }
    assert.equal((await stored()).length, 1);
    const answer = await root.post(`${LIST}${id}/delete/`);
    assert.equal(answer.headers.location, LIST);
    assert.equal(shownMessage((await root.get(LIST)).body), 'The group “Editors” was deleted successfully.');
    assert.deepEqual(await stored(), []);
    for (const path of ['change', 'delete', 'history']) {
      assert.equal((await root.get(`${LIST}${id}/${path}/`)).statusCode, 404);
    }
    assert.equal((await root.post(`${LIST}${id}/delete/`)).statusCode, 404);
    assert.equal((await root.post(`${LIST}${id}/change/`, { name: 'x' })).statusCode, 404);
  });

  test('but not by somebody who lacks what it grants', async () => {
    const id = await add('Editors', 'auth.view_user');
    const clerk = await staff('auth.delete_group');
    const page = (await clerk.get(`${LIST}${id}/delete/`)).body;
    assert.match(page, /You may not delete the group “Editors”: it grants permissions that you lack\./);
    assert.doesNotMatch(page, /Yes, I’m sure/);
    assert.equal((await clerk.post(`${LIST}${id}/delete/`)).statusCode, 403);
    assert.equal((await stored()).length, 1);
  });

  test('with several others, after it was asked', async () => {
    const chosen = [await add('a'), await add('b', 'auth.view_user')];
    await add('c');
    const ticked = { action: 'delete_selected', _selected_action: chosen.map(String) };
    const page = await root.post(LIST, ticked);
    assert.equal(page.statusCode, 200);
    assert.match(page.body, /Are you sure you want to delete the selected groups\?/);
    assert.equal((await stored()).length, 3);
    const answer = await root.post(LIST, hiddenFields(page.body));
    assert.equal(answer.headers.location, LIST);
    assert.equal(shownMessage((await root.get(LIST)).body), 'Successfully deleted 2 groups.');
    assert.deepEqual(await stored(), ['c -']);
  });

  test('with all that a search finds', async () => {
    for (const name of ['ab', 'ac', 'bc']) await add(name);
    const page = await root.post(`${LIST}?q=a`, { action: 'delete_selected', select_across: '1' });
    assert.match(page.body, /Groups: 2/);
    await root.post(`${LIST}?q=a`, hiddenFields(page.body));
    assert.deepEqual(await stored(), ['bc -']);
  });

  test('not before it was asked again when there are more by now', async () => {
    await add('ab');
    const page = await root.post(`${LIST}?q=a`, { action: 'delete_selected', select_across: '1' });
    await add('ac');
    const again = await root.post(`${LIST}?q=a`, hiddenFields(page.body));
    assert.match(again.body, /Groups: 2/);
    assert.equal((await stored()).length, 2);
  });

  for (const [what, form, text] of [
    [
      'nothing ticked',
      { action: 'delete_selected' },
      'Items must be selected in order to perform actions on them. No items have been changed.',
    ],
    [
      'ids that are none',
      { action: 'delete_selected', _selected_action: ['x', '-1', '0', '9'.repeat(20)] },
      'Items must be selected in order to perform actions on them. No items have been changed.',
    ],
    ['no action', { _selected_action: '1' }, 'No action selected.'],
    ['an unknown action', { action: 'constructor', _selected_action: '1' }, 'No action selected.'],
  ] as const) {
    test(`not with ${what}`, async () => {
      await add('a');
      const answer = await root.post(`${LIST}?q=a`, form);
      assert.equal(answer.headers.location, `${LIST}?q=a`);
      assert.equal(shownMessage((await root.get(LIST)).body), text);
      assert.equal((await stored()).length, 1);
    });
  }

  test('not in the list by somebody who may not', async () => {
    const id = await add('a');
    const viewer = await staff('auth.view_group');
    assert.doesNotMatch((await viewer.get(LIST)).body, /name="action"/);
    const form = { action: 'delete_selected', _selected_action: String(id), confirmed: '1' };
    await viewer.post(LIST, form);
    assert.equal((await stored()).length, 1);
  });

  test('groups that are gone already are not found', async () => {
    const form = { action: 'delete_selected', _selected_action: '77' };
    assert.equal((await root.post(LIST, form)).statusCode, 404);
  });
});
