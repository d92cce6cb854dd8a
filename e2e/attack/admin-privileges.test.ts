import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UserRow } from '../../db/tables.ts';
import { AdminSite, type Things } from './admin-site.ts';
import type { AdminVisitor, Form } from './admin-visitor.ts';
import { PASSWORD, type Reply } from './attack.ts';

let site: AdminSite;

/** Staff who may do everything with users, and nothing else. */
let editor: AdminVisitor;
/** Staff who may do everything with groups, and nothing else. */
let grouper: AdminVisitor;
let superuser: AdminVisitor;

/** A group with every permission there is, and one with what an editor has too. */
let powerful: number;
let modest: number;
let everyPermission: string[];

before(async () => {
  site = await AdminSite.start();
  for (const username of ['editor', 'grouper']) await site.account({ username, is_staff: true });
  await site.grant('editor', '%_user');
  await site.grant('grouper', '%_group');
  [powerful, modest] = [await newGroup('Powerful', '%'), await newGroup('Modest', 'view_user')];
  const permissions = await site.db.selectFrom('auth_permission').select('id').execute();
  everyPermission = permissions.map(({ id }) => String(id));
  editor = await enter('editor');
  grouper = await enter('grouper');
  superuser = await enter('superuser');
});
after(() => site.end());

async function enter(username: string): Promise<AdminVisitor> {
  const visitor = await site.visitor('anonymous');
  assert.equal((await visitor.logIn(username)).status, 303);
  return visitor;
}

async function newGroup(name: string, codenames: string): Promise<number> {
  const { id } = await site.db
    .insertInto('auth_group')
    .values({ name })
    .returning('id')
    .executeTakeFirstOrThrow();
  await site.db
    .insertInto('auth_group_permissions')
    .columns(['group_id', 'permission_id'])
    .expression((eb) =>
      eb
        .selectFrom('auth_permission')
        .select([eb.val(id).as('group_id'), 'id'])
        .where('codename', 'like', codenames),
    )
    .execute();
  return id;
}

const changePath = ({ id }: Pick<UserRow, 'id'>) => `/admin/auth/user/${id}/change/`;

/** That a form was refused, as a whole: 403, or the form again with what is wrong with it. */
async function refused(what: string, send: () => Promise<Reply>): Promise<Reply> {
  let reply: Reply | undefined;
  await site.changesNothing(what, async () => {
    reply = await send();
  });
  assert.ok([200, 403].includes(reply?.status ?? 0), `${what}: ${reply?.status} ${reply?.headers.location}`);
  return reply as Reply;
}

/** What an account may do, by every way there is. */
async function powers(id: number) {
  const { is_staff, is_superuser } = await site.db
    .selectFrom('auth_user')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  const own = await site.db
    .selectFrom('auth_user_user_permissions')
    .select('permission_id')
    .where('user_id', '=', id)
    .orderBy('permission_id')
    .execute();
  const groups = await site.db
    .selectFrom('auth_user_groups')
    .select('group_id')
    .where('user_id', '=', id)
    .orderBy('group_id')
    .execute();
  return JSON.stringify([is_staff, is_superuser, own, groups]);
}

describe('case 33: nobody makes himself, or another, more than he is', () => {
  /** Whose form is sent, and by whom. */
  const targets: Readonly<Record<string, () => Promise<UserRow>>> = {
    'his own form': () => site.user('editor'),
    'the form of a friend': async () => (await site.things()).user,
  };
  /** What is sent that the form does not offer, or not to him; as from what it was filled from if it says so. */
  const additions: Readonly<Record<string, () => Record<string, unknown>>> = {
    'superuser status': () => ({ is_superuser: 'on' }),
    'superuser status, as a number': () => ({ is_superuser: '1' }),
    'superuser status, said to be there before': () => ({ _expected: { is_superuser: true } }),
    'superuser status, there before and sent': () => ({
      is_superuser: 'on',
      _expected: { is_superuser: true },
    }),
    'every permission': () => ({ user_permissions: everyPermission }),
    'every permission, said to be there before': () => ({
      user_permissions: everyPermission,
      _expected: { user_permissions: everyPermission.map(Number) },
    }),
    'a group with every permission': () => ({ groups: [String(powerful)] }),
    'a group with every permission, said to be there before': () => ({
      groups: [String(powerful)],
      _expected: { groups: [powerful] },
    }),
    'a group with every permission, twice and among others': () => ({
      groups: [String(modest), String(powerful), String(powerful)],
    }),
    'a group that is written otherwise': () => ({
      groups: [`0${powerful}`, ` ${powerful}`, `${powerful}.0`],
    }),
    'a form filled from nothing, and everything': () => ({
      _expected: null,
      is_superuser: 'on',
      groups: [String(powerful)],
      user_permissions: everyPermission,
    }),
  };
  for (const [whose, target] of Object.entries(targets)) {
    for (const [what, addition] of Object.entries(additions)) {
      test(`by ${whose}: ${what}`, () =>
        site.attack.case(33, async () => {
          const user = await target();
          const before = await powers(user.id);
          const form = await editor.formOn(changePath(user));
          const { _expected, ...added } = addition();
          const filledFrom = JSON.parse(form._expected?.[0] ?? 'null');
          const expected =
            _expected === null ? null : { ...filledFrom, ...(_expected as object | undefined) };
          await editor.post(changePath(user), {
            ...form,
            ...(added as Form),
            ...(expected === null ? { _expected: '' } : { _expected: JSON.stringify(expected) }),
          });
          assert.equal(await powers(user.id), before);
        }));
    }
  }
  test('a whole form with more than it offers is refused, and what it offers is not', () =>
    site.attack.case(33, async () => {
      const { user } = await site.things();
      const form = await editor.formOn(changePath(user));
      for (const added of [
        { is_superuser: 'on' },
        { user_permissions: everyPermission },
        { groups: [String(powerful)] },
      ])
        await refused(Object.keys(added)[0] ?? '', () =>
          editor.post(changePath(user), { ...form, ...added }),
        );
      const { status } = await editor.post(changePath(user), {
        ...form,
        is_staff: 'on',
        groups: [String(modest)],
      });
      assert.equal(status, 303);
      const groups = await site.db
        .selectFrom('auth_user_groups')
        .select('group_id')
        .where('user_id', '=', user.id)
        .execute();
      assert.deepEqual(groups, [{ group_id: modest }]);
    }));
  test('a new user is what the form makes, whatever else is sent', () =>
    site.attack.case(33, async () => {
      const { status } = await editor.post('/admin/auth/user/add/', {
        username: 'made',
        usable_password: 'true',
        password1: 'pw-Another-456',
        password2: 'pw-Another-456',
        is_staff: 'on',
        is_superuser: 'on',
        groups: [String(powerful)],
        user_permissions: everyPermission,
        id: String((await site.user('superuser')).id),
        __proto__: 'x',
        constructor: 'x',
      });
      assert.equal(status, 303);
      const { id, is_staff, is_superuser } = await site.user('made');
      assert.deepEqual({ is_staff, is_superuser }, { is_staff: 0, is_superuser: 0 });
      assert.equal(await powers(id), JSON.stringify([0, 0, [], []]));
    }));
  test('the page that makes superusers is for superusers', () =>
    site.attack.case(33, async () => {
      const passwords = { password1: 'pw-Another-456', password2: 'pw-Another-456' };
      const manager = await enter('manager');
      for (const visitor of [editor, manager]) {
        const form = { username: 'usurper', email: '', ...passwords };
        const reply = await refused('usurper', () => visitor.post('/admin/createsuperuser/', form));
        assert.equal(reply.status, 403);
      }
    }));
  test('nor does who may do everything but be a superuser', () =>
    site.attack.case(33, async () => {
      const manager = await enter('manager');
      for (const { id } of [await site.user('manager'), (await site.things()).user]) {
        const form = await manager.formOn(changePath({ id }));
        await refused('a manager', () => manager.post(changePath({ id }), { ...form, is_superuser: 'on' }));
      }
    }));
  test('a group is given nothing that its giver lacks', () =>
    site.attack.case(33, async () => {
      const { id } = await site.user('grouper');
      const own = await site.db
        .selectFrom('auth_user_user_permissions')
        .select('permission_id')
        .where('user_id', '=', id)
        .execute();
      /** What a group has that its giver has not. */
      const beyond = (group: number) =>
        site.db
          .selectFrom('auth_group_permissions')
          .select('permission_id')
          .where('group_id', '=', group)
          .where(
            'permission_id',
            'not in',
            own.map(({ permission_id }) => permission_id),
          )
          .orderBy('permission_id')
          .execute();
      await grouper.post('/admin/auth/group/add/', { name: 'Grown', permissions: everyPermission });
      const grown = await site.db
        .selectFrom('auth_group')
        .select('id')
        .where('name', '=', 'Grown')
        .executeTakeFirst();
      if (grown !== undefined) assert.deepEqual(await beyond(grown.id), []);
      const path = `/admin/auth/group/${modest}/change/`;
      const before = await beyond(modest);
      assert.equal(before.length, 1);
      for (const pretend of [{}, { permissions: everyPermission.map(Number) }, null]) {
        const form = await grouper.formOn(path);
        const expected = { ...JSON.parse(form.expected?.[0] ?? '{}'), ...pretend };
        await grouper.post(path, {
          ...form,
          permissions: everyPermission,
          expected: pretend === null ? '' : JSON.stringify(expected),
        });
        assert.deepEqual(await beyond(modest), before);
      }
    }));
  test('a bulk action that is not offered is none', () =>
    site.attack.case(33, async () => {
      const { user } = await site.things();
      const viewer = await enter('viewer');
      for (const action of [
        'delete_selected',
        'activate',
        'deactivate',
        'revoke_tokens',
        'make_superuser',
        '__proto__',
        'constructor',
        'toString',
        '',
      ]) {
        const form = { action, _selected_action: String(user.id), confirmed: '1', counted: '1' };
        await site.changesNothing(action, () => viewer.post('/admin/auth/user/', form));
      }
      const form = {
        action: 'revoke_tokens',
        _selected_action: String(user.id),
        confirmed: '1',
        counted: '1',
      };
      await site.changesNothing('revoke_tokens', () => editor.post('/admin/auth/user/', form));
    }));
});

describe('case 33: nobody lays hands on those above him', () => {
  /** What can be done to an account, by who may do all of it to others. */
  const deeds: Readonly<Record<string, (visitor: AdminVisitor, user: UserRow) => Promise<Reply>>> = {
    'a new name': async (visitor, user) => {
      const form = await superuser.formOn(changePath(user));
      return visitor.post(changePath(user), { ...form, username: `${user.username}-taken` });
    },
    'another address': async (visitor, user) => {
      const form = await superuser.formOn(changePath(user));
      return visitor.post(changePath(user), { ...form, email: 'eve@evil.example' });
    },
    'no more staff': async (visitor, user) => {
      const { is_staff: _, ...form } = await superuser.formOn(changePath(user));
      return visitor.post(changePath(user), form);
    },
    'no more superuser': async (visitor, user) => {
      const { is_superuser: _, user_permissions: __, ...form } = await superuser.formOn(changePath(user));
      return visitor.post(changePath(user), form);
    },
    'switched off': async (visitor, user) => {
      const { is_active: _, ...form } = await superuser.formOn(changePath(user));
      return visitor.post(changePath(user), form);
    },
    'another password': (visitor, { id }) =>
      visitor.post(`/admin/auth/user/${id}/password/`, {
        usable_password: 'true',
        password1: 'pw-Another-456',
        password2: 'pw-Another-456',
      }),
    'no password': (visitor, { id }) =>
      visitor.post(`/admin/auth/user/${id}/password/`, { usable_password: 'false', confirmed: '1' }),
    deleted: (visitor, { id }) => visitor.post(`/admin/auth/user/${id}/delete/`),
  };
  const above: Readonly<Record<string, (things: Things) => Promise<UserRow>>> = {
    'a superuser': async ({ superuser: other }) => other,
    'who has permissions he lacks': async () => site.user('manager'),
    'who has them by a group': async ({ user }) => {
      await site.db.insertInto('auth_user_groups').values({ user_id: user.id, group_id: powerful }).execute();
      return user;
    },
    'who has them and is switched off': async ({ superuser: other }) => {
      await site.db.updateTable('auth_user').set({ is_active: 0 }).where('id', '=', other.id).execute();
      return site.user(other.username);
    },
  };
  for (const [who, find] of Object.entries(above)) {
    for (const [what, deed] of Object.entries(deeds)) {
      test(`${who}: ${what}`, () =>
        site.attack.case(33, async () => {
          const user = await find(await site.things());
          const reply = await refused(`${who}: ${what}`, () => deed(editor, user));
          assert.equal(reply.status, 403);
        }));
    }
    test(`${who}: deleted, switched off or on with others`, () =>
      site.attack.case(33, async () => {
        const user = await find(await site.things());
        for (const action of ['delete_selected', 'deactivate', 'activate']) {
          const form = { action, _selected_action: String(user.id), confirmed: '1', counted: '1' };
          await site.changesNothing(`${who}: ${action}`, () => editor.post('/admin/auth/user/', form));
        }
      }));
  }
  test('a password is changed of oneself alone, whoever else the form names', () =>
    site.attack.case(33, async () => {
      const { id, password } = await site.user('superuser');
      await site.account({ username: 'guileless', is_staff: true });
      const visitor = await enter('guileless');
      const { status } = await visitor.post(`/admin/password_change/?user=${id}&id=${id}`, {
        old_password: PASSWORD,
        new_password1: 'pw-Another-456',
        new_password2: 'pw-Another-456',
        id: String(id),
        user_id: String(id),
        username: 'superuser',
      });
      assert.equal(status, 303);
      assert.equal((await site.user('superuser')).password, password);
      assert.notEqual((await site.user('guileless')).password, password);
    }));
});

describe('case 33: the last superuser who can log in stays', () => {
  let lonely: AdminSite;
  let root: AdminVisitor;

  before(async () => {
    lonely = await AdminSite.start();
    // Superusers who cannot log in are none.
    for (const [username, fields] of Object.entries({
      asleep: { is_active: 0 },
      passwordless: { password: '!none' },
      outside: { is_staff: 0 },
    } as const)) {
      const { id } = await lonely.account({ username, is_staff: true, is_superuser: true });
      await lonely.db.updateTable('auth_user').set(fields).where('id', '=', id).execute();
    }
    root = await lonely.visitor('superuser');
  });
  after(() => lonely.end());

  async function stays(what: string, send: (id: number) => Promise<Reply>): Promise<void> {
    const { id } = await lonely.user('superuser');
    const before = await lonely.state();
    const reply = await send(id);
    assert.ok(reply.status < 500, `${what}: ${reply.status}`);
    assert.ok((await lonely.state()) === before, `${what}: something was changed`);
    assert.ok(await root.isIn(), `${what}: he is out`);
  }

  const without = async (id: number, field: string) => {
    const { [field]: _, ...form } = await root.formOn(changePath({ id }));
    return root.post(changePath({ id }), form);
  };

  const ways: Readonly<Record<string, (id: number) => Promise<Reply>>> = {
    'is deleted': (id) => root.post(`/admin/auth/user/${id}/delete/`),
    'is deleted with others': (id) => bulk(id, 'delete_selected'),
    'is switched off with others': (id) => bulk(id, 'deactivate'),
    'is switched off': (id) => without(id, 'is_active'),
    'is no superuser any more': (id) => without(id, 'is_superuser'),
    'is no staff any more': (id) => without(id, 'is_staff'),
    'has no password any more': (id) =>
      root.post(`/admin/auth/user/${id}/password/`, { usable_password: 'false', confirmed: '1' }),
  };

  const bulk = (id: number, action: string) =>
    root.post('/admin/auth/user/', {
      action,
      _selected_action: String(id),
      confirmed: '1',
      counted: '1',
    });

  for (const [way, send] of Object.entries(ways)) {
    test(way, () => lonely.attack.case(33, () => stays(way, send)));
  }
  test('together with all others', () =>
    lonely.attack.case(33, async () => {
      for (const action of ['delete_selected', 'deactivate']) {
        const form = { action, select_across: '1', confirmed: '1' };
        await root.post('/admin/auth/user/', form);
        const { id, is_active, is_superuser } = await lonely.user('superuser');
        assert.deepEqual({ is_active, is_superuser }, { is_active: 1, is_superuser: 1 }, action);
        assert.ok(id > 0 && (await root.isIn()), action);
      }
    }));
  test('of two who do it to each other at the same time, one', () =>
    lonely.attack.case(33, async () => {
      for (const way of ['delete', 'demote', 'deactivate', 'bulk'] as const) {
        for (let round = 0; round < 5; round += 1) {
          await lonely.db
            .updateTable('auth_user')
            .set({ is_superuser: 0 })
            .where('is_superuser', '=', 1)
            .execute();
          const names = [1, 2].map((number) => `${way}${round}-${number}`);
          const pair = await Promise.all(
            names.map(async (username) => {
              const user = await lonely.account({ username, is_staff: true, is_superuser: true });
              const visitor = await lonely.visitor('anonymous');
              await visitor.logIn(username);
              return { user, visitor };
            }),
          );
          const [one, two] = pair as [(typeof pair)[0], (typeof pair)[0]];
          const replies = await Promise.all([
            strike(way, one.visitor, two.user.id),
            strike(way, two.visitor, one.user.id),
          ]);
          assert.ok(
            replies.every(({ status }) => status < 500),
            way,
          );
          const left = await lonely.db
            .selectFrom('auth_user')
            .select('id')
            .where('is_superuser', '=', 1)
            .where('is_active', '=', 1)
            .where('is_staff', '=', 1)
            .execute();
          assert.ok(left.length >= 1, `${way}: nobody is left`);
        }
      }
    }));

  async function strike(
    way: 'delete' | 'demote' | 'deactivate' | 'bulk',
    visitor: AdminVisitor,
    id: number,
  ): Promise<Reply> {
    if (way === 'delete') return visitor.post(`/admin/auth/user/${id}/delete/`);
    if (way === 'bulk') {
      const form = { action: 'delete_selected', _selected_action: String(id), confirmed: '1', counted: '1' };
      return visitor.post('/admin/auth/user/', form);
    }
    const field = way === 'demote' ? 'is_superuser' : 'is_active';
    const { status } = await visitor.get(changePath({ id }));
    // The other was quicker.
    if (status !== 200) return visitor.get('/admin/');
    const { [field]: _, ...form } = await visitor
      .formOn(changePath({ id }))
      .catch(() => ({}) as Record<string, string[]>);
    return visitor.post(changePath({ id }), form);
  }
});
