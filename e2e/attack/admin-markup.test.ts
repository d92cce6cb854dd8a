import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { ON_POSTGRES } from '../../db/database.fixture.ts';
import { toSqlTime } from '../../db/values.ts';
import { segment } from '../../server/tokens/tokens.fixture.ts';
import { PROJECT_FOLDER } from '../server-process.ts';
import { AdminSite, addressOf, adminRoutes, type Things } from './admin-site.ts';
import { formFor, RING_TABLE } from './admin-table.ts';
import type { AdminVisitor, Form } from './admin-visitor.ts';
import { claims, type Reply } from './attack.ts';

const PAGES = await adminRoutes();

const MARKUP = `"'><img src=x onerror=alert(1)></textarea></script><script>alert(1)</script>{{7*7}}<%= 7*7 %>`;

let site: AdminSite;
let superuser: AdminVisitor;
let viewer: AdminVisitor;

/** Rows with markup wherever there is room for it. */
let things: Things;

before(async () => {
  site = await AdminSite.start();
  superuser = await site.visitor('superuser');
  viewer = await site.visitor('viewer');
  things = await fillWithMarkup();
});
after(() => site.end());

/** Gives every text of Postgres the room that SQLite gives it, whatever its column says. */
const WIDEN = sql`do $$ declare place record; begin
  for place in select table_name, column_name from information_schema.columns
    where table_schema = 'public' and character_maximum_length is not null loop
    execute format('alter table %I alter column %I type text', place.table_name, place.column_name);
  end loop;
end $$`;

/** Puts markup past every form into what is stored, as another program could have. */
async function fillWithMarkup(): Promise<Things> {
  const { db } = site;
  if (ON_POSTGRES) await WIDEN.execute(db);
  const made = await site.things();
  const { user, superuser: other, group, token, event, session, lock } = made;
  const names = { first_name: MARKUP, last_name: MARKUP, email: MARKUP };
  const passwords = [
    `${MARKUP}$${MARKUP}$${MARKUP}$${MARKUP}`,
    `pbkdf2_sha256$${MARKUP}$${MARKUP}$${MARKUP}`,
  ];
  for (const [index, { id }] of [user, other].entries()) {
    const password = passwords[index] as string;
    const fields = { ...names, username: `${MARKUP}${index}`, password };
    await db.updateTable('auth_user').set(fields).where('id', '=', id).execute();
  }
  await db.updateTable('auth_group').set({ name: MARKUP }).where('id', '=', group).execute();
  await db.insertInto('auth_user_groups').values({ user_id: user.id, group_id: group }).execute();
  await addPermission(user.id, group);
  const odd = { [MARKUP]: MARKUP, nested: { [MARKUP]: [MARKUP] }, iss: MARKUP, user_id: MARKUP };
  const header = segment({ alg: MARKUP, kid: MARKUP, [MARKUP]: MARKUP });
  const texts = { jti: MARKUP, token: `${header}.${segment(claims(odd))}` };
  await db.updateTable('token_blacklist_outstandingtoken').set(texts).where('id', '=', token.id).execute();
  await db
    .updateTable('token_blacklist_outstandingtoken')
    .set({ token: MARKUP, jti: `${MARKUP}2` })
    .where('user_id', '=', user.id)
    .where('id', '!=', token.id)
    .execute();
  const place = { address: MARKUP, user_agent: MARKUP };
  await db.updateTable('jotgate_session').set(place).where('id', '=', session).execute();
  await db.updateTable('jotgate_session_token').set(place).where('session_id', '=', session).execute();
  await db
    .insertInto('jotgate_session_incident')
    .values({ ...place, session_id: session, at: toSqlTime(new Date()), kind: MARKUP, jti: MARKUP })
    .execute();
  await db.updateTable('jotgate_login_failure').set({ label: MARKUP }).where('id', '=', lock).execute();
  await addEvents(user.id, token.id);
  return { ...made, event: event + 1 };
}

/** A permission of an app that nobody knows, for a user and for a group. */
async function addPermission(user_id: number, group_id: number): Promise<void> {
  const type = await site.db
    .insertInto('django_content_type')
    .values({ app_label: MARKUP, model: MARKUP })
    .returning('id')
    .executeTakeFirstOrThrow();
  const { id: permission_id } = await site.db
    .insertInto('auth_permission')
    .values({ content_type_id: type.id, codename: MARKUP, name: MARKUP })
    .returning('id')
    .executeTakeFirstOrThrow();
  await site.db.insertInto('auth_user_user_permissions').values({ user_id, permission_id }).execute();
  await site.db.insertInto('auth_group_permissions').values({ group_id, permission_id }).execute();
}

/** Events with markup in every column, one of a kind that only a later version knows; and two of Django's. */
async function addEvents(userId: number, tokenId: number): Promise<void> {
  const event = {
    at: toSqlTime(new Date()),
    kind: 'user_changed',
    via: MARKUP,
    actor_id: userId,
    actor_name: MARKUP,
    object_type: 'user',
    object_id: String(userId),
    object_name: MARKUP,
    reason: MARKUP,
    changes: JSON.stringify([{ field: MARKUP, before: MARKUP, after: MARKUP }]),
    address: MARKUP,
    user_agent: MARKUP,
    count: 1,
  };
  const token = { object_type: 'outstandingtoken', object_id: String(tokenId) };
  for (const row of [
    event,
    { ...event, kind: MARKUP, object_type: MARKUP, object_id: MARKUP },
    { ...event, ...token, kind: 'token_blacklisted', changes: '[]' },
  ]) {
    await site.db.insertInto('jotgate_event').values(row).execute();
  }
  const type = await site.db
    .selectFrom('django_content_type')
    .select('id')
    .where('model', '=', 'user')
    .executeTakeFirstOrThrow();
  for (const change_message of [
    MARKUP,
    JSON.stringify([{ changed: { fields: [MARKUP] } }, { [MARKUP]: 1 }]),
  ]) {
    await site.db
      .insertInto('django_admin_log')
      .values({
        object_id: String(userId),
        object_repr: MARKUP,
        action_flag: 2,
        change_message,
        content_type_id: type.id,
        user_id: userId,
        action_time: toSqlTime(new Date()),
      })
      .execute();
  }
}

/** Every tag that our templates are made of. */
const TAGS = new Set(
  readdirSync(join(PROJECT_FOLDER, 'views'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.eta'))
    .flatMap(
      (path) => readFileSync(join(PROJECT_FOLDER, 'views', path), 'utf8').match(/(?<=<)[a-z][a-z\d]*/g) ?? [],
    ),
);

/** That a page is of our own tags alone, without a script or style of its own, and leads nowhere else. */
function assertInert({ status, headers, body }: Reply, what: string): void {
  assert.ok(status < 500, `${what}: ${status}`);
  if (!String(headers['content-type'] ?? '').startsWith('text/html')) return;
  const page = body.replace(/^<!doctype html>/, '').replace(/<!--[\s\S]*?-->/g, '');
  for (const [tag, name = '', attributes = ''] of page.matchAll(/<\/?([^\s>/]+)([^>]*)>?/g)) {
    assert.ok(TAGS.has(name), `${what}: ${tag}`);
    const names = attributes.replace(/="[^"]*"/g, '=');
    assert.doesNotMatch(names, /['"]|=[^\s/]/, `${what}: an attribute that is not in quotes in ${tag}`);
    assert.doesNotMatch(names, /(^|\s)(on[a-z]+|style|srcdoc|formaction)=/i, `${what}: ${tag}`);
    if (name === 'script' && !tag.startsWith('</')) assert.match(attributes, / src="\/static\/js\/\w+\.js"/);
    if (name === 'img') assert.match(attributes, / src="\/static\/icons\//, `${what}: ${tag}`);
    for (const [, address = ''] of attributes.matchAll(/\s(?:href|src|action)="([^"]*)"/g)) {
      assert.doesNotMatch(address, /^\s*([a-z][a-z\d+.-]*:|[/\\]{2})/i, `${what} leads to ${address}`);
    }
  }
  assert.doesNotMatch(page, /<script[^>]*>(?!<\/script>)/, `${what}: a script of its own`);
  assert.doesNotMatch(page, /\{\{49|49 ?%>|&gt;49|49&lt;/, `${what}: a template was run`);
}

/** Asks for the page after a redirect, which shows the message. */
async function assertInertBeyond(visitor: AdminVisitor, reply: Reply, what: string): Promise<void> {
  assertInert(reply, what);
  const { location } = reply.headers;
  if (location !== undefined) assertInert(await visitor.get(String(location)), `${what}, and then`);
}

describe('case 32: markup is inert', () => {
  test('a page that is not is found out', () => {
    const page = (body: string): Reply => ({ status: 200, headers: { 'content-type': 'text/html' }, body });
    for (const bad of [
      '<img src=x onerror=alert(1)>',
      '<p onclick="a()">',
      '<u>',
      '<a href="javascript:alert(1)">',
      '<a href="//evil.example">',
      `<a href="x" title='y'>`,
      '<script>alert(1)</script>',
      '<p style="color: red">',
      '<p>{{49}}',
      '<input value="" autofocus onfocus="x">',
    ]) {
      assert.throws(() => assertInert(page(bad), ''), bad);
    }
  });
  test('on every page, for who may do everything, and for who may only look', () =>
    site.attack.case(32, async () => {
      for (const { path } of PAGES) {
        const address = addressOf(path, things);
        for (const visitor of [superuser, viewer]) {
          const reply = await visitor.get(address);
          assertInert(reply, address);
          // The question before a session is ended names nobody.
          const isShown = reply.status === 200 && path.includes(':id') && !path.endsWith('/end/');
          if (isShown) assert.ok(reply.body.includes('&lt;img src=x'), `${address} shows nothing of it`);
        }
      }
    }));
  test('on the pages of a ring of keys', async () => {
    const ring = await AdminSite.start({ KEY_RING: 'true' });
    try {
      if (ON_POSTGRES) await WIDEN.execute(ring.db);
      const made = await ring.things();
      const odd = { kid: MARKUP, algorithm: MARKUP };
      await ring.db.updateTable('jotgate_signing_key').set(odd).where('id', '=', made.key).execute();
      const visitor = await ring.visitor('superuser');
      for (const path of Object.keys(RING_TABLE)) {
        const address = addressOf(path, made);
        const reply = await visitor.get(address);
        assert.equal(reply.status, 200, address);
        assert.ok(reply.body.includes('&lt;img src=x'), `${address} shows nothing of it`);
        assertInert(reply, address);
        await assertInertBeyond(
          visitor,
          await visitor.post(address, { action: MARKUP, version: MARKUP }),
          address,
        );
      }
    } finally {
      await ring.end();
    }
  });
  test('of every thing by itself, and of none', () =>
    site.attack.case(32, async () => {
      for (const path of ['/admin/history/:id/', '/admin/token_blacklist/outstandingtoken/:id/change/']) {
        for (let id = 1; id < things.event + 5; id += 1)
          assertInert(await superuser.get(path.replace(':id', String(id))), path);
      }
      for (const history of ['auth/user', 'auth/group', 'token_blacklist/outstandingtoken']) {
        for (const id of [things.user.id, things.superuser.id, things.group, things.token.id]) {
          const address = `/admin/${history}/${id}/history/`;
          assertInert(await superuser.get(address), address);
        }
      }
    }));
  test('in every parameter of every page', () =>
    site.attack.case(32, async () => {
      const names = [
        ...[
          'q',
          'o',
          'p',
          'next',
          'key',
          'token',
          'e',
          'all',
          '_changelist_filters',
          'when',
          'group',
          'kind',
          'via',
        ],
        ...['state', 'user', 'user__id__exact', 'is_staff__exact', 'groups__id__exact', 'date_joined'],
      ];
      const values = [MARKUP, 'javascript:alert(1)', '1', String(things.user.id)];
      for (const { path } of PAGES) {
        const address = addressOf(path, things);
        for (const value of values) {
          const every = new URLSearchParams(names.map((name) => [name, value]));
          assertInert(await superuser.get(`${address}?${every}`), `${address} ${value}`);
          assertInert(await viewer.get(`${address}?${every}`), `${address} ${value}`);
        }
        assertInert(
          await superuser.get(`${address}?${encodeURIComponent(MARKUP)}=${encodeURIComponent(MARKUP)}`),
          address,
        );
        for (const name of names) {
          const one = new URLSearchParams({ [name]: MARKUP, [MARKUP]: '1' });
          if (/\/$/.test(path) && !path.includes(':id'))
            assertInert(await superuser.get(`${address}?${one}`), `${address} ${name}`);
        }
      }
    }));
  test('in every field of every form that is refused, and in what is told of it', () =>
    site.attack.case(32, async () => {
      const fields = [
        ...[
          'username',
          'first_name',
          'last_name',
          'email',
          'name',
          'jti',
          'key',
          'action',
          '_selected_action',
          'lock',
        ],
        ...[
          'groups',
          'user_permissions',
          'permissions',
          'last_login_0',
          'last_login_1',
          'date_joined_0',
          'date_joined_1',
        ],
        ...['password1', 'password2', 'old_password', 'new_password1', 'new_password2', 'usable_password'],
        ...[
          '_expected',
          'expected',
          'next',
          'confirmed',
          'counted',
          'version',
          'select_across',
          'is_superuser',
          'password',
        ],
      ];
      const form = Object.fromEntries(fields.map((field) => [field, MARKUP]));
      for (const { path } of PAGES.filter(({ post }) => post !== undefined)) {
        const visitor = await site.visitor('superuser');
        const address = addressOf(path, await site.things());
        await assertInertBeyond(visitor, await visitor.post(address, form), address);
        const filled = { ...(await formFor(path, things, visitor)) };
        const odd = Object.fromEntries(Object.keys(filled).map((name) => [name, MARKUP]));
        await assertInertBeyond(
          visitor,
          await visitor.post(`${address}?q=${encodeURIComponent(MARKUP)}`, odd),
          address,
        );
      }
      superuser = await site.visitor('superuser');
    }));
  test('when two change one thing, and the second is told', () =>
    site.attack.case(32, async () => {
      for (const path of [
        `/admin/auth/user/${things.user.id}/change/`,
        `/admin/auth/group/${things.group}/change/`,
      ]) {
        const form = await superuser.formOn(path);
        for (const edit of [
          { first_name: `${MARKUP}3`, name: `${MARKUP}3` },
          { _expected: '', expected: '' },
          { _expected: '{}', expected: '{}' },
        ] as Form[]) {
          await assertInertBeyond(superuser, await superuser.post(path, { ...form, ...edit }), path);
        }
        const old = JSON.stringify({ name: MARKUP, permissions: [9_999] });
        const reply = await superuser.post(path, { ...form, expected: old, _expected: old });
        assert.equal(reply.status, 200, path);
        assert.ok(reply.body.includes('&lt;img src=x'), path);
        assertInert(reply, path);
      }
    }));
  test('in every question, and in what is said when it is done', () =>
    site.attack.case(32, async () => {
      const visitor = superuser;
      const rows = {
        'auth/user': things.user.id,
        'auth/group': things.group,
        sessions: things.session,
        'token_blacklist/blacklistedtoken': things.entry,
      };
      for (const [list, id] of Object.entries(rows)) {
        for (const action of ['delete_selected', 'activate', 'deactivate', 'revoke_tokens', 'end_selected']) {
          for (const chosen of [{ _selected_action: String(id) }, { select_across: '1' }] as Form[]) {
            const reply = await visitor.post(`/admin/${list}/`, { action, ...chosen });
            await assertInertBeyond(visitor, reply, `${list} ${action}`);
          }
        }
      }
      for (const { path } of PAGES.filter((page) => page.post !== undefined && page.path.includes(':id'))) {
        if (path in RING_TABLE) continue;
        const form = path.includes('/change/') ? await visitor.formOn(addressOf(path, things)) : {};
        if (path.endsWith('/delete/') || path.endsWith('/password/')) continue;
        await assertInertBeyond(visitor, await visitor.post(addressOf(path, things), form), path);
      }
      for (const path of PAGES.map((page) => page.path).filter((path) => path.endsWith('/delete/'))) {
        const reply = await visitor.post(addressOf(path, things));
        assert.equal(reply.status, 303, path);
        await assertInertBeyond(visitor, reply, path);
      }
    }));
  test('in a message that another makes up: it is not shown', () =>
    site.attack.case(32, async () => {
      const message = Buffer.from(
        JSON.stringify({ level: 'error', text: 'Send your password to eve' }),
      ).toString('base64url');
      for (const value of [
        message,
        `${message}.`,
        `${message}.${'A'.repeat(43)}`,
        MARKUP.replace(/[;,\s"]/g, ''),
        '%',
        '__proto__',
      ]) {
        const visitor = await site.visitor('superuser');
        visitor.cookies.set('jotgate_message', value);
        const reply = await visitor.get('/admin/');
        assert.equal(reply.status, 200);
        assert.ok(!reply.body.includes('Send your password'));
        assertInert(reply, value);
      }
    }));
  test('at any address there is nothing at', () =>
    site.attack.case(32, async () => {
      const odd = encodeURIComponent(MARKUP);
      for (const address of [
        `/admin/${odd}/`,
        `/admin/auth/user/${odd}/change/`,
        `/admin/auth/user/${odd}`,
        `/admin/auth/${odd}?${odd}`,
        '/admin/%',
        '/admin/%ff/',
        '/admin/*',
        '/admin/:id/',
      ])
        for (const visitor of [superuser, await site.visitor('anonymous')])
          assertInert(await visitor.get(address), address);
    }));
  test('in exports it is text: no HTML, and no formula', () =>
    site.attack.case(32, async () => {
      const account = {
        username: 'formula',
        first_name: '=HYPERLINK("http://evil")',
        last_name: '+1',
        email: '@a',
      };
      const { id } = await site.account({ username: 'formula' });
      await site.db.updateTable('auth_user').set(account).where('id', '=', id).execute();
      for (const path of PAGES.map((page) => page.path).filter((path) => path.endsWith('/export/'))) {
        const { status, headers, body } = await superuser.get(path);
        assert.equal(status, 200, path);
        assert.match(String(headers['content-disposition']), /^attachment; filename="[\w.-]+"$/);
        assert.match(String(headers['content-type']), /^(text\/csv|application\/jsonl); charset=utf-8$/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        if (!path.includes('/user/')) continue;
        for (const cell of body.split(/[,\r\n]/))
          assert.doesNotMatch(cell, /^"?[=+@\t\r-]/, 'a spreadsheet would run it');
      }
    }));
});
