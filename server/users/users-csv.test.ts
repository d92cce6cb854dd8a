import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { addGroup, addUser, newDatabase } from './users.fixture.ts';
import { updateLastLogin } from './users.ts';
import { usersAsCsv } from './users-csv.ts';

let db: Database;
before(async () => {
  db = await newDatabase();
});
after(() => db.destroy());

async function csvOf(...batches: readonly (readonly UserRow[])[]): Promise<string> {
  const ids = async function* () {
    for (const users of batches) yield users.map(({ id }) => id);
  };
  let text = '';
  for await (const chunk of usersAsCsv(db, ids())) text += chunk;
  return text;
}

const HEAD =
  'username,email,first_name,last_name,is_staff,is_superuser,is_active,date_joined,last_login,groups\r\n';

test('users are records of RFC 4180, in the order given, and no hash is among them', async () => {
  const ada = await addUser(db, 'ada', {
    email: 'ada@example.com',
    first_name: 'Augusta, "Ada"',
    last_name: 'King\nLovelace',
    is_staff: true,
  });
  const bob = await addUser(db, 'bob', { is_active: false });
  await updateLastLogin(db, bob.id, new Date('2026-03-04T05:06:08Z'));
  await addGroup(db, 'writers', [], ada);
  await addGroup(db, 'editors', [], ada, bob);
  assert.equal(
    await csvOf([bob], [ada]),
    `${HEAD}bob,,,,false,false,false,2026-03-04T05:06:07.089Z,2026-03-04T05:06:08.000Z,editors\r\n` +
      'ada,ada@example.com,"Augusta, ""Ada""","King\nLovelace",true,false,true,2026-03-04T05:06:07.089Z,,editors; writers\r\n',
  );
  assert.equal(await csvOf(), HEAD);
});

test('no cell begins like a formula', async () => {
  const user = await addUser(db, '@SUM', { first_name: '=1+1', last_name: '-2', email: '+1@example.com' });
  await addGroup(db, '\t=cmd', [], user);
  assert.ok((await csvOf([user])).includes("\r\n'@SUM,'+1@example.com,'=1+1,'-2,false,"));
  assert.ok((await csvOf([user])).endsWith(",'\t=cmd\r\n"));
});
