import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { NOW, newAccount, newDatabase } from './audit.fixture.ts';
import { type NewEvent, recordEvents } from './record.ts';

let db: Database;
let root: { id: number; name: string };

beforeEach(async () => {
  db = await newDatabase();
  root = { id: await newAccount(db, 'root'), name: 'root' };
});
afterEach(() => db.destroy());

/** Django's log with the models' names in place of their ids. */
const log = () =>
  db
    .selectFrom('django_admin_log as log')
    .leftJoin('django_content_type as type', 'type.id', 'log.content_type_id')
    .select(['type.app_label', 'type.model', 'log.object_id', 'log.object_repr', 'log.action_flag'])
    .select(['log.change_message', 'log.user_id', 'log.action_time'])
    .orderBy('log.id')
    .execute();

const user = { type: 'user', id: '3', name: 'ada' } as const;
const group = { type: 'group', id: '1', name: 'Editors' } as const;
const entry = { type: 'blacklistedtoken', id: '5', name: 'Blacklisted token for ada' } as const;
const outstanding = { type: 'outstandingtoken', id: '9', name: 'Token for ada (abc)' } as const;
const change = (...fields: string[]) => fields.map((field) => ({ field, before: 'a', after: 'b' }));

const LOGGED: readonly [Omit<NewEvent, 'origin'>, model: string, flag: number, message: string][] = [
  [{ kind: 'user_added', object: user }, 'user', 1, '[{"added": {}}]'],
  [{ kind: 'superuser_created', object: user }, 'user', 1, '[{"added": {}}]'],
  [
    { kind: 'user_changed', object: user, changes: change('First name', 'Email address') },
    'user',
    2,
    '[{"changed": {"fields": ["First name", "Email address"]}}]',
  ],
  [{ kind: 'user_changed', object: user }, 'user', 2, '[]'],
  [
    { kind: 'user_changed', object: user, changes: change('a "b" é 😀') },
    'user',
    2,
    '[{"changed": {"fields": ["a \\"b\\" \\u00e9 \\ud83d\\ude00"]}}]',
  ],
  [
    { kind: 'password_changed', object: user, changes: change('Password') },
    'user',
    2,
    '[{"changed": {"fields": ["password"]}}]',
  ],
  [{ kind: 'user_deleted', object: user }, 'user', 3, ''],
  [{ kind: 'group_added', object: group }, 'group', 1, '[{"added": {}}]'],
  [
    { kind: 'group_changed', object: group, changes: change('Permissions') },
    'group',
    2,
    '[{"changed": {"fields": ["Permissions"]}}]',
  ],
  [{ kind: 'group_deleted', object: group }, 'group', 3, ''],
  [{ kind: 'token_blacklisted', object: entry }, 'blacklistedtoken', 1, '[{"added": {}}]'],
  [{ kind: 'token_restored', object: entry }, 'blacklistedtoken', 3, ''],
  [{ kind: 'token_blacklisted', object: outstanding }, 'outstandingtoken', 2, 'Added to the blacklist.'],
  [{ kind: 'token_restored', object: outstanding }, 'outstandingtoken', 2, 'Removed from the blacklist.'],
];

describe("a change made in the admin is in Django's log as Django writes it:", () => {
  for (const [event, model, flag, message] of LOGGED) {
    test(`${event.kind} ${model} ${message}`, async () => {
      await recordEvents(db, [{ ...event, origin: { via: 'admin', actor: root } }], NOW);
      assert.deepEqual(await log(), [
        {
          app_label: ['user', 'group'].includes(model) ? 'auth' : 'token_blacklist',
          model,
          object_id: event.object?.id,
          object_repr: event.object?.name,
          action_flag: flag,
          change_message: message,
          user_id: root.id,
          action_time: '2026-03-04 05:06:07.250000',
        },
      ]);
    });
  }
});

describe('not in it is', () => {
  const admin = () => ({ via: 'admin', actor: root }) as const;
  const OTHERS: readonly [string, () => NewEvent][] = [
    [
      'what a command did',
      () => ({ kind: 'user_added', object: user, origin: { ...admin(), via: 'command' } }),
    ],
    [
      'what nobody in particular did',
      () => ({ kind: 'user_added', object: user, origin: { ...admin(), actor: null } }),
    ],
    ['what is no change of an object', () => ({ kind: 'admin_login', origin: admin() })],
    ['what only touches tokens of a user', () => ({ kind: 'tokens_revoked', object: user, origin: admin() })],
    ['a change of nothing', () => ({ kind: 'user_changed', origin: admin() })],
    [
      'what one did whose account is gone with it',
      () => ({
        kind: 'user_deleted',
        object: user,
        origin: { via: 'admin', actor: { id: 99, name: 'gone' } },
      }),
    ],
  ];
  for (const [name, event] of OTHERS) {
    test(name, async () => {
      await recordEvents(db, [event()], NOW);
      assert.deepEqual(await log(), []);
      assert.equal((await db.selectFrom('jotgate_event').select('id').execute()).length, 1);
    });
  }
});

test('of many at once each has its row, in order, and a long name is cut', async () => {
  const events = Array.from({ length: 1_200 }, (_, index) => ({
    kind: 'user_deleted' as const,
    origin: { via: 'admin' as const, actor: root },
    object: { type: 'user' as const, id: String(index), name: 'n'.repeat(250) },
  }));
  await recordEvents(db, events, NOW);
  const rows = await log();
  assert.deepEqual(
    rows.map(({ object_id }) => object_id),
    events.map(({ object }) => object.id),
  );
  assert.equal(rows[0]?.object_repr.length, 200);
});

test('where Django does not know the model the row has none', async () => {
  await sql`delete from auth_permission`.execute(db);
  await sql`delete from django_content_type where model = 'blacklistedtoken'`.execute(db);
  await recordEvents(
    db,
    [{ kind: 'token_restored', object: entry, origin: { via: 'admin', actor: root } }],
    NOW,
  );
  assert.deepEqual(
    (await log()).map(({ model, object_id }) => [model, object_id]),
    [[null, '5']],
  );
});
