import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newDatabase, ON_POSTGRES } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { exportUsers } from '../../server/users/transfer/export-users.ts';
import { contents, importText } from '../../server/users/transfer/transfer.fixture.ts';
import { openDjangoDatabase } from './django-database.ts';

let django: Database;
let dump = '';

before(async () => {
  django = await openDjangoDatabase();
  for await (const piece of exportUsers(django, 'json', () => {})) dump += piece;
});
after(() => django.destroy());

test("Django's users and groups, written as dumpdata writes them, are the same in an empty database", async () => {
  const empty = await newDatabase();
  const { report, problems } = await importText(empty, dump);
  assert.deepEqual(problems, []);
  assert.deepEqual([report.users.new, report.groups.new], [11, 1]);
  assert.deepEqual(await contents(empty), await contents(django));
  const again = await importText(empty, dump);
  assert.deepEqual([again.report.users.unchanged, again.report.groups.unchanged], [11, 1]);
  await empty.destroy();
});

test('they are already in the database that they come from', async () => {
  const before = await contents(django);
  const { report } = await importText(django, dump, { update: true });
  assert.deepEqual([report.users.unchanged, report.groups.unchanged], [11, 1]);
  assert.deepEqual(await contents(django), before);
});

/** When one of them joined: Django made the two databases one after the other. */
const JOINED = ON_POSTGRES ? '2026-11-23T15:02:57.163' : '2026-11-23T15:02:52.352';

/**
 * A part of what `manage.py dumpdata auth.group auth.user --natural-foreign` of Django 5.2 writes of it: one line,
 * blanks behind commas and colons, times cut to milliseconds.
 */
const BY_DJANGO =
  '[{"model": "auth.group", "pk": 1, "fields": {"name": "editors", "permissions": []}}, ' +
  '{"model": "auth.user", "pk": 2, "fields": {"password": "pbkdf2_sha256$20000$saltsaltsalt$IX0znixB679W1rveF8MxkOoTgdq9crs/VBuDsqZT7xg=", ' +
  '"last_login": null, "is_superuser": false, "username": "staff", "first_name": "Staff", "last_name": "Fixture", ' +
  `"email": "staff@example.com", "is_staff": true, "is_active": true, "date_joined": "${JOINED}Z", ` +
  '"groups": [["editors"]], "user_permissions": []}}]';

test('a record has the members of one of dumpdata, in their order', () => {
  const ours = JSON.parse(dump) as { model: string; pk: number; fields: Record<string, unknown> }[];
  for (const theirs of JSON.parse(BY_DJANGO) as typeof ours) {
    const same = ours.find(({ model, pk }) => model === theirs.model && pk === theirs.pk);
    assert.ok(same);
    const { date_joined } = same.fields;
    if (typeof date_joined === 'string') {
      same.fields.date_joined = date_joined.replace(/(\.\d{3})\d*Z$/, '$1Z');
    }
    assert.equal(JSON.stringify(same), JSON.stringify(theirs));
  }
});

test('what dumpdata wrote is taken, with natural keys or ids', async () => {
  for (const text of [BY_DJANGO, BY_DJANGO.replace('[["editors"]]', '[1]')]) {
    const empty = await newDatabase();
    const { report, problems } = await importText(empty, text);
    assert.deepEqual(problems, []);
    assert.deepEqual([...report.leftOut], []);
    const { users, members } = await contents(empty);
    assert.deepEqual(members, [{ user_id: 2, group_id: 1 }]);
    assert.equal(users[0]?.date_joined, `${JOINED.replace('T', ' ')}000`);
    await empty.destroy();
  }
});
