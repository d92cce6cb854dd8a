import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { newDatabase } from '../../../db/database.fixture.ts';
import type { Database } from '../../../db/statement.ts';
import { addGroup, addUser } from '../users.fixture.ts';
import { exportUsers } from './export-users.ts';
import { TRANSFER_FORMATS, type TransferFormat } from './formats.ts';
import { contents, HASH, importText } from './transfer.fixture.ts';

let db: Database;
let other: Database;
beforeEach(async () => {
  db = await newDatabase();
  other = await newDatabase();
});
afterEach(async () => {
  await db.destroy();
  await other.destroy();
});

async function exported(format: TransferFormat): Promise<string> {
  let text = '';
  for await (const piece of exportUsers(db, format, () => {})) text += piece;
  return text;
}

/** Users with everything that could go wrong on the way. */
async function fill(): Promise<void> {
  const passwordHash = HASH;
  const ada = await addUser(
    db,
    'ada',
    { passwordHash, email: 'ada@example.com', is_superuser: true },
    'auth.add_user',
  );
  const bob = await addUser(db, 'bob', {
    passwordHash: '!unusable',
    first_name: '=1+1',
    last_name: `'"x",;\n`,
  });
  const eve = await addUser(db, '-eve+@.', {
    passwordHash,
    first_name: "'t",
    last_name: "'=Hooft ",
    is_active: false,
  });
  await db
    .updateTable('auth_user')
    .set({ last_login: '2026-11-23 15:02:52.340451', date_joined: '2025-01-01 00:00:00' })
    .where('id', '=', bob.id)
    .execute();
  await addGroup(db, 'editors', ['auth.view_user', 'auth.add_group'], ada, eve);
  await addGroup(db, ' a;b\\c ', [], eve);
}

for (const format of TRANSFER_FORMATS) {
  test(`what is written as ${format} is the same again in an empty database`, async () => {
    await fill();
    const { report, problems } = await importText(other, await exported(format), { format });
    assert.deepEqual(problems, []);
    assert.equal(report.users.new, 3);
    const [before, after] = [await contents(db), await contents(other)];
    // CSV has no room for what a group grants.
    if (format === 'csv') before.groupGrants = [];
    assert.deepEqual(after, before);
  });

  test(`of nothing ${format} is a file that can be read`, async () => {
    const text = await exported(format);
    const { report } = await importText(other, text, { format });
    assert.equal(report.users.new, 0);
  });
}

test('JSON is what dumpdata --natural-foreign writes', async () => {
  await fill();
  const records = JSON.parse(await exported('json'));
  assert.deepEqual(records.slice(0, 2), [
    {
      model: 'auth.group',
      pk: 1,
      fields: {
        name: 'editors',
        permissions: [
          ['add_group', 'auth', 'group'],
          ['view_user', 'auth', 'user'],
        ],
      },
    },
    { model: 'auth.group', pk: 2, fields: { name: ' a;b\\c ', permissions: [] } },
  ]);
  assert.equal(
    JSON.stringify(records[2]),
    JSON.stringify({
      model: 'auth.user',
      pk: 1,
      fields: {
        password: HASH,
        last_login: null,
        is_superuser: true,
        username: 'ada',
        first_name: '',
        last_name: '',
        email: 'ada@example.com',
        is_staff: false,
        is_active: true,
        date_joined: '2026-03-04T05:06:07.089Z',
        groups: [['editors']],
        user_permissions: [['add_user', 'auth', 'user']],
      },
    }),
  );
  assert.equal(records[3].fields.last_login, '2026-11-23T15:02:52.340451Z');
  const lines = (await exported('jsonl')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    records,
  );
});

test('CSV keeps spreadsheets from running what begins like a formula', async () => {
  await fill();
  const [head, ada, bob] = (await exported('csv')).split('\r\n');
  assert.equal(
    head,
    'id,username,password,email,first_name,last_name,is_active,is_staff,is_superuser,date_joined,last_login,groups,user_permissions',
  );
  assert.equal(
    ada,
    `1,ada,${HASH},ada@example.com,,,true,false,true,2026-03-04T05:06:07.089Z,,editors,auth.add_user`,
  );
  assert.match(bob ?? '', /^2,bob,!unusable,,'=1\+1,"'""x"",;\n",/);
});

test('more users than are read at once all come, and it is told how far it is', async () => {
  const rows = Array.from({ length: 1_203 }, (_, index) => ({ username: `user${index}`, password: HASH }));
  await importText(db, rows.map((row) => JSON.stringify(row)).join('\n'), { format: 'jsonl' });
  const seen: number[] = [];
  let text = '';
  for await (const piece of exportUsers(db, 'json', ({ users }) => seen.push(users))) text += piece;
  assert.equal(JSON.parse(text).length, 1_203);
  assert.deepEqual(seen, [0, 500, 1_000, 1_203]);
});
