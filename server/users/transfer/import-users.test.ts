import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { newDatabase } from '../../../db/database.fixture.ts';
import type { Database } from '../../../db/statement.ts';
import { addGroup, addRoot, addUser, happened } from '../users.fixture.ts';
import { createUser, findUserByUsername } from '../users.ts';
import { BrokenFileError } from './file-record.ts';
import { contents, dumped, HASH, importText, NOW } from './transfer.fixture.ts';

let db: Database;
beforeEach(async () => {
  db = await newDatabase();
});
afterEach(() => db.destroy());

const NOTHING = { new: 0, changed: 0, unchanged: 0, conflict: 0, refused: 0 };

const ADA = dumped(
  'ada',
  {
    last_login: '2026-11-23T16:02:52.340451+01:00',
    is_superuser: true,
    first_name: 'Ada',
    last_name: 'Lovelace',
    email: 'ada@example.com',
    is_staff: true,
    is_active: true,
    date_joined: '2025-01-01T00:00:00Z',
    groups: [['editors']],
    user_permissions: [['add_user', 'auth', 'user']],
  },
  7,
);
const BOB = dumped('bob', { is_active: false }, 9);
const EDITORS = {
  model: 'auth.group',
  pk: 3,
  fields: { name: 'editors', permissions: [['view_user', 'auth', 'user']] },
};

const text = (...records: readonly unknown[]) => JSON.stringify(records);

describe('an import', () => {
  test('takes users and groups with all that the file says of them', async () => {
    const { report, problems } = await importText(db, text(EDITORS, ADA, BOB));
    assert.deepEqual(problems, []);
    assert.deepEqual(report.users, { ...NOTHING, new: 2 });
    assert.deepEqual(report.groups, { ...NOTHING, new: 1 });
    assert.equal(report.superusers, 1);
    assert.deepEqual([...report.formats], [['pbkdf2_sha256', { count: 2, locked: 0 }]]);
    const { users, groups, members, grants, groupGrants } = await contents(db);
    assert.deepEqual(users, [
      {
        id: 7,
        password: HASH,
        last_login: '2026-11-23 15:02:52.340451',
        is_superuser: 1,
        username: 'ada',
        first_name: 'Ada',
        last_name: 'Lovelace',
        email: 'ada@example.com',
        is_staff: 1,
        is_active: 1,
        date_joined: '2025-01-01 00:00:00',
      },
      {
        id: 9,
        password: HASH,
        last_login: null,
        is_superuser: 0,
        username: 'bob',
        ...{ first_name: '', last_name: '', email: '', is_staff: 0, is_active: 0 },
        date_joined: '2026-03-04 05:06:07.089000',
      },
    ]);
    assert.deepEqual(groups, [{ id: 3, name: 'editors' }]);
    assert.deepEqual(members, [{ user_id: 7, group_id: 3 }]);
    assert.deepEqual(grants, [{ user_id: 7, permission_id: 13 }]);
    assert.deepEqual(groupGrants, [{ group_id: 3, permission_id: 16 }]);
  });

  test('is told in the history, with every new superuser, and tells nothing secret', async () => {
    await importText(db, text(EDITORS, ADA, BOB));
    assert.deepEqual(await happened(db), [
      'group_added of editors by zoe; Name: null -> editors; Permissions: null -> auth | user | Can view user',
      'superuser_created of ada by zoe',
      'users_imported of  by zoe',
    ]);
    const { reason } = await db
      .selectFrom('jotgate_event')
      .select('reason')
      .where('kind', '=', 'users_imported')
      .executeTakeFirstOrThrow();
    assert.equal(reason, 'users.json: users 2 new; groups 1 new');
  });

  test('leaves ids free behind those of the file', async () => {
    await importText(db, text(ADA));
    const next = await createUser(db, { username: 'next', passwordHash: '!' }, NOW);
    assert.ok(next.id > 7, String(next.id));
    const group = await addGroup(db, 'more', []);
    await importText(db, text({ ...EDITORS, pk: group + 1, fields: { name: 'authors' } }));
    assert.ok((await addGroup(db, 'still more', [])) > group + 1);
  });

  test('a second time is as once', async () => {
    await importText(db, text(EDITORS, ADA, BOB));
    const before = await contents(db);
    for (const how of [{}, { update: true }]) {
      const { report, problems } = await importText(db, text(EDITORS, ADA, BOB), how);
      assert.deepEqual(problems, []);
      assert.deepEqual(report.users, { ...NOTHING, unchanged: 2 });
      assert.deepEqual(report.groups, { ...NOTHING, unchanged: 1 });
      assert.deepEqual(await contents(db), before);
    }
  });

  test('as a dry run says the same, and writes nothing', async () => {
    await addUser(db, 'bob');
    const records = text(EDITORS, ADA, BOB, dumped('ada'), dumped('eve', { groups: [['new']] }, 7), 5);
    const before = await contents(db);
    const dry = await importText(db, records, { dryRun: true });
    assert.deepEqual(await contents(db), before);
    assert.deepEqual(await happened(db), []);
    assert.deepEqual(await importText(db, records), dry);
    assert.deepEqual(dry.report.users, { ...NOTHING, new: 1, conflict: 1, refused: 3 });
    assert.deepEqual(dry.report.groups, { ...NOTHING, new: 2 });
  });

  test('gives a user without a password one that cannot be used', async () => {
    const { report } = await importText(db, '{"username": "ada"}\n', { format: 'jsonl' });
    assert.equal(report.withoutPassword, 1);
    assert.match((await findUserByUsername(db, 'ada'))?.password ?? '', /^![A-Za-z0-9]{40}$/);
  });

  test('counts the hashes by format, and those that nobody can log in with', async () => {
    const passwords = [HASH, 'pbkdf2_sha256$1000000000000$s$YQ==', 'md5$a$b', '!', 'not-a-hash'];
    const records = passwords.map((password, index) => dumped(`user${index}`, { password }));
    const { report } = await importText(db, text(...records));
    assert.equal(report.users.new, 5);
    assert.deepEqual(Object.fromEntries(report.formats), {
      pbkdf2_sha256: { count: 2, locked: 1 },
      md5: { count: 1, locked: 1 },
      unusable: { count: 1, locked: 1 },
      unknown: { count: 1, locked: 1 },
    });
  });

  test('passes over other models and fields, and says so', async () => {
    const session = { model: 'sessions.session', pk: 'x', fields: {} };
    const { report } = await importText(db, text(session, session, dumped('ada', { phone: '1' })));
    assert.deepEqual([...report.otherModels], [['sessions.session', 2]]);
    assert.deepEqual([...report.unknownFields], [['phone', 1]]);
  });

  test('of nothing does nothing', async () => {
    const { report } = await importText(db, '[]');
    assert.deepEqual([report.users, report.groups], [NOTHING, NOTHING]);
  });
});

describe('a user who is there already', () => {
  test('and differs is a conflict, and left alone', async () => {
    await addUser(db, 'ada', { email: 'other@example.com' });
    const before = await contents(db);
    const { report, problems } = await importText(db, text(dumped('ada', { email: 'ada@example.com' })));
    assert.deepEqual(report.users, { ...NOTHING, conflict: 1 });
    assert.deepEqual(problems, ['record 1 ada: conflict: differs in Email address, Password']);
    assert.deepEqual(await contents(db), before);
  });

  test('becomes what the file says where that is wanted, and keeps the rest', async () => {
    const ada = await addUser(db, 'ada', { email: 'other@example.com', first_name: 'Ada' }, 'auth.add_user');
    await addGroup(db, 'authors', [], ada);
    const { report, problems } = await importText(
      db,
      text(
        EDITORS,
        dumped('ada', { email: 'ada@example.com', groups: [['editors']], is_superuser: true }, 99),
      ),
      { update: true },
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(report.users, { ...NOTHING, changed: 1 });
    const { users, members, grants } = await contents(db);
    assert.deepEqual(users, [{ ...ada, password: HASH, email: 'ada@example.com', is_superuser: 1 }]);
    assert.deepEqual(members, [{ user_id: ada.id, group_id: 3 }]);
    assert.deepEqual(grants, [{ user_id: ada.id, permission_id: 13 }]);
    const events = await happened(db);
    assert.deepEqual(events.slice(1, 3), [
      'user_changed of ada by zoe; Email address: other@example.com -> ada@example.com; ' +
        'Superuser status: no -> yes; Groups: authors -> null; Groups: null -> editors',
      'password_changed of ada by zoe',
    ]);
    assert.ok(!JSON.stringify(events).includes(HASH.slice(0, 20)));
  });

  test('keeps a last login that is later than the one of the file', async () => {
    await importText(db, text(dumped('ada', { last_login: '2026-01-02T00:00:00Z' })));
    const logIn = (last_login: string | null) =>
      importText(db, text(dumped('ada', { last_login })), { update: true });
    for (const earlier of [null, '2026-01-01T00:00:00Z']) {
      assert.deepEqual((await logIn(earlier)).report.users, { ...NOTHING, unchanged: 1 });
    }
    assert.deepEqual((await logIn('2026-01-03T00:00:00Z')).report.users, { ...NOTHING, changed: 1 });
    assert.equal((await findUserByUsername(db, 'ada'))?.last_login, '2026-01-03 00:00:00');
  });

  test('is found under any spelling of the name', async () => {
    await addUser(db, 'josé', { passwordHash: HASH });
    const { report } = await importText(db, text(dumped('jose\u0301')));
    assert.deepEqual(report.users, { ...NOTHING, unchanged: 1 });
  });

  test('is not taken down where he is the last superuser who can log in', async () => {
    await addRoot(db, 'root');
    await addRoot(db, 'other');
    const demoted = (name: string) => dumped(name, { password: `hash-of-${name}`, is_superuser: false });
    const { report, problems } = await importText(db, text(demoted('root'), demoted('other')), {
      update: true,
    });
    assert.deepEqual(report.users, { ...NOTHING, changed: 1, conflict: 1 });
    assert.deepEqual(problems, ['record 2 other: conflict: would leave no active superuser who can log in']);
    const heir = dumped('heir', { is_superuser: true, is_staff: true });
    const locked = dumped('other', { password: '!' });
    const later = await importText(db, text(heir, locked), { update: true });
    assert.deepEqual(later.report.users, { ...NOTHING, new: 1, changed: 1 });
  });
});

describe('an id', () => {
  test('that somebody else has is a conflict', async () => {
    const { id } = await addUser(db, 'eve');
    const { report, problems } = await importText(db, text(dumped('ada', {}, id), dumped('bob', {}, id + 1)));
    assert.deepEqual(problems, [`record 1 ada: conflict: the id ${id} is that of "eve"`]);
    assert.deepEqual(report.users, { ...NOTHING, new: 1, conflict: 1 });
    assert.equal((await findUserByUsername(db, 'bob'))?.id, id + 1);
  });

  test('of the file does not matter where new ones are wanted', async () => {
    const { id } = await addUser(db, 'eve');
    const { report } = await importText(
      db,
      text(dumped('ada', {}, id), dumped('bob', {}, id), dumped('joe', {}, 1000)),
      { newIds: true },
    );
    assert.deepEqual(report.users, { ...NOTHING, new: 3 });
    assert.deepEqual(
      (await contents(db)).users.map((user) => user.id),
      [id, id + 1, id + 2, id + 3],
    );
  });

  test('or a name that a record before has is refused', async () => {
    const { problems } = await importText(
      db,
      text(dumped('ada', {}, 1), dumped('ada'), dumped('bob', {}, 1)),
    );
    assert.deepEqual(problems, [
      'record 2 ada: refused: username: a record before has the same one',
      'record 3 bob: refused: id: a record before has the same one',
    ]);
  });
});

describe('groups and permissions', () => {
  const permission = (pk: number, codename: string, content_type: unknown) => ({
    model: 'auth.permission',
    pk,
    fields: { name: 'x', content_type, codename },
  });

  test('by ids are those that the file names, in whatever order', async () => {
    const { report } = await importText(
      db,
      text(
        dumped('ada', { groups: [50], user_permissions: [800] }),
        { model: 'auth.group', pk: 50, fields: { name: 'editors', permissions: [801] } },
        permission(800, 'delete_user', 90),
        permission(801, 'change_user', ['auth', 'user']),
        { model: 'contenttypes.contenttype', pk: 90, fields: { app_label: 'auth', model: 'user' } },
      ),
    );
    assert.deepEqual([...report.leftOut], []);
    const { members, grants, groupGrants, groups } = await contents(db);
    assert.deepEqual([members.length, groups], [1, [{ id: 50, name: 'editors' }]]);
    assert.deepEqual(
      grants.map((grant) => (grant as { permission_id: number }).permission_id),
      [15],
    );
    assert.deepEqual(groupGrants, [{ group_id: 50, permission_id: 14 }]);
  });

  test('that mean nothing here are left out, and never guessed', async () => {
    await addGroup(db, 'editors', []);
    const { report } = await importText(
      db,
      text(
        dumped('ada', { groups: [1, ['editors']], user_permissions: [13, ['add_order', 'shop', 'order']] }),
        dumped('bob', { user_permissions: [13] }),
      ),
    );
    assert.deepEqual(
      [...report.leftOut],
      [
        ['the group of the id 1, which the file does not name', 1],
        ['the permission of the id 13, which the file does not name', 2],
        ['the permission shop.add_order, which this database does not have', 1],
      ],
    );
    const { members, grants } = await contents(db);
    assert.deepEqual([members.length, grants.length], [1, 0]);
  });

  test('a group that differs is a conflict, or changed where that is wanted', async () => {
    await addGroup(db, 'editors', ['auth.add_user', 'auth.view_user']);
    const first = await importText(db, text(EDITORS));
    assert.deepEqual(first.report.groups, { ...NOTHING, conflict: 1 });
    assert.deepEqual(first.problems, ['record 1 editors: conflict: the group differs in Permissions']);
    const second = await importText(db, text(EDITORS), { update: true });
    assert.deepEqual(second.report.groups, { ...NOTHING, changed: 1 });
    assert.equal((await contents(db)).groupGrants.length, 1);
  });

  test('a group that only users name is made, and one of the same id gets another', async () => {
    const taken = await addGroup(db, 'taken', []);
    const { report, problems } = await importText(
      db,
      text(
        { model: 'auth.group', pk: taken, fields: { name: 'new' } },
        { ...EDITORS, fields: {} },
        dumped('ada', { groups: ['named'] }),
      ),
    );
    assert.deepEqual(report.groups, { ...NOTHING, new: 2, refused: 1 });
    assert.deepEqual(problems, ['record 2 : refused: name: there is none']);
    const { groups } = await contents(db);
    assert.deepEqual(
      groups.map(({ name }) => name),
      ['taken', 'new', 'named'],
    );
  });
});

describe('a long file', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => dumped(`user${index}`, {}, index + 1));

  test('is taken in batches, and a stop between two of them is made good by the next run', async () => {
    const records = text(EDITORS, ...many(2_500));
    const stopping = new AbortController();
    const onRead = (step: string) => step === 'import' && setTimeout(() => stopping.abort(), 1);
    const { report } = await importText(db, records, { onRead, signal: stopping.signal });
    assert.equal(report.isStopped, true);
    assert.equal(report.users.new % 1_000, 0);
    assert.ok(report.users.new < 2_500);
    assert.equal((await contents(db)).users.length, report.users.new);
    const rest = await importText(db, records);
    assert.deepEqual(rest.report.users, {
      ...NOTHING,
      new: 2_500 - report.users.new,
      unchanged: report.users.new,
    });
    assert.equal((await contents(db)).users.length, 2_500);
    const { rows } = await reasons();
    assert.match(rows.at(-1) ?? '', /^users\.json: users /);
    assert.ok(
      rows.some((reason) => reason.startsWith('users.json, stopped after: ')),
      rows.join('\n'),
    );
  });

  async function reasons() {
    const events = await db
      .selectFrom('jotgate_event')
      .select('reason')
      .where('kind', '=', 'users_imported')
      .orderBy('id')
      .execute();
    return { rows: events.map(({ reason }) => reason) };
  }

  test('of which a batch fails keeps those before it, and nothing of the one that failed', async () => {
    const failing = Object.create(db) as Database;
    let transactions = 0;
    failing.transaction = () => {
      transactions += 1;
      if (transactions === 2) throw new Error('the disk is full');
      return db.transaction();
    };
    await assert.rejects(importText(failing, text(...many(2_500))), /the disk is full/);
    assert.equal((await contents(db)).users.length, 1_000);
    assert.deepEqual((await reasons()).rows, ['users.json, begun: users 1,000 new; groups nothing']);
    assert.equal((await importText(db, text(...many(2_500)))).report.users.new, 1_500);
  });

  test('that is broken somewhere is refused before anything is written', async () => {
    const broken = text(EDITORS, ...many(2_500)).slice(0, -20);
    await assert.rejects(importText(db, broken), BrokenFileError);
    assert.deepEqual((await contents(db)).users, []);
    assert.deepEqual((await contents(db)).groups, []);
    assert.deepEqual(await happened(db), []);
  });
});
