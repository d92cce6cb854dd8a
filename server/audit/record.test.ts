import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { sql } from 'kysely';
import { ON_POSTGRES } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { NOW, newDatabase } from './audit.fixture.ts';
import { EVENT_KINDS, kindRow } from './kinds.ts';
import { type NewEvent, recordEvents, recordTimedEvents } from './record.ts';

let db: Database;

beforeEach(async () => {
  db = await newDatabase();
});
afterEach(() => db.destroy());

const rows = () => db.selectFrom('jotgate_event').selectAll().orderBy('id').execute();
const days = () => db.selectFrom('jotgate_event_day').selectAll().orderBy('day').orderBy('kind').execute();

const refusal: NewEvent = { kind: 'verify_refused', origin: { via: 'api', actor: null } };

test('an event is stored with all that is known of it', async () => {
  await recordEvents(
    db,
    [
      {
        kind: 'user_changed',
        origin: {
          via: 'admin',
          actor: { id: 7, name: 'root' },
          address: '10.0.0.9',
          userAgent: 'Mozilla/5.0',
        },
        object: { type: 'user', id: '3', name: 'ada' },
        changes: [{ field: 'First name', before: '', after: 'Ada' }],
      },
    ],
    NOW,
  );
  assert.deepEqual(await rows(), [
    {
      id: 1,
      at: '2026-03-04 05:06:07.250000',
      kind: 'user_changed',
      via: 'admin',
      actor_id: 7,
      actor_name: 'root',
      object_type: 'user',
      object_id: '3',
      object_name: 'ada',
      reason: '',
      changes: '[{"field":"First name","before":"","after":"Ada"}]',
      address: '10.0.0.9',
      user_agent: 'Mozilla/5.0',
      count: 1,
    },
  ]);
});

test('what is left out is empty, not null', async () => {
  await recordEvents(db, [refusal], NOW);
  const [row] = await rows();
  assert.deepEqual(
    { ...row, id: 0, at: '' },
    {
      id: 0,
      at: '',
      kind: 'verify_refused',
      via: 'api',
      actor_id: null,
      actor_name: '',
      object_type: '',
      object_id: '',
      object_name: '',
      reason: '',
      changes: '[]',
      address: '',
      user_agent: '',
      count: 1,
    },
  );
});

test('texts are cut to their columns, and never in the middle of a character', async () => {
  const long = `${'x'.repeat(149)}😀${'y'.repeat(300)}`;
  await recordEvents(
    db,
    [
      {
        kind: 'login_refused',
        origin: { via: 'api', actor: { id: 1, name: long }, address: long, userAgent: long },
        object: { type: 'user', id: long, name: long },
        reason: long,
      },
    ],
    NOW,
  );
  const [row] = await rows();
  assert.deepEqual(
    [row?.actor_name, row?.object_id, row?.object_name, row?.reason, row?.address, row?.user_agent].map(
      (text) => text?.length,
    ),
    [150, 255, 255, 255, 45, 255],
  );
  assert.equal(row?.actor_name, `${'x'.repeat(149)}\uFFFD`);
});

test('any number is stored in its order, in few statements', async () => {
  const reasons = Array.from({ length: 700 }, (_, index) => `r${index}`);
  await recordEvents(
    db,
    reasons.map((reason) => ({ ...refusal, reason })),
    NOW,
  );
  assert.deepEqual(
    (await rows()).map(({ reason }) => reason),
    reasons,
  );
  await recordEvents(db, [], NOW);
  assert.equal((await rows()).length, 700);
});

test('days are counted by kind, each event in the day of UTC in which it happened', async () => {
  const at = (time: string) => Date.parse(time) / 1000;
  await recordEvents(db, [refusal, { ...refusal, count: 40 }], NOW);
  await db.transaction().execute((trx) =>
    recordTimedEvents(trx, [
      { event: refusal, at: at('2026-03-04T23:59:59.999Z') },
      { event: refusal, at: at('2026-03-05T00:00:00Z') },
      { event: { ...refusal, kind: 'login' }, at: at('2026-03-05T00:00:00Z') },
    ]),
  );
  assert.deepEqual(await days(), [
    { day: '2026-03-04', kind: 'verify_refused', count: 42 },
    { day: '2026-03-05', kind: 'login', count: 1 },
    { day: '2026-03-05', kind: 'verify_refused', count: 1 },
  ]);
});

test('within a transaction it goes with it', async () => {
  const failed = db.transaction().execute(async (trx) => {
    await recordEvents(trx, [refusal], NOW);
    throw new Error('The change failed');
  });
  await assert.rejects(failed, /The change failed/);
  assert.deepEqual([await rows(), await days()], [[], []]);
});

test('a row cannot be changed by anybody', async () => {
  await recordEvents(db, [refusal], NOW);
  await assert.rejects(
    db.updateTable('jotgate_event').set({ reason: 'none' }).execute(),
    /An event cannot be changed/,
  );
  await assert.rejects(sql`update jotgate_event set count = 0`.execute(db), /An event cannot be changed/);
  if (!ON_POSTGRES) {
    await assert.rejects(
      sql`update or ignore jotgate_event set address = '' where id = 1`.execute(db),
      /An event cannot be changed/,
    );
  }
  assert.equal((await rows())[0]?.count, 1);
});

test('a password never gets in, whatever the caller does', async () => {
  const changes = [
    { field: 'Password', before: 'old-secret', after: 'new-secret' },
    { field: 'Password confirmation', before: null, after: 'new-secret' },
  ];
  await recordEvents(db, [{ ...refusal, kind: 'password_changed', changes }], NOW);
  const [row] = await rows();
  assert.ok(!row?.changes.includes('secret'));
  assert.deepEqual(JSON.parse(row?.changes ?? ''), [
    { field: 'Password', before: '********', after: '********' },
    { field: 'Password confirmation', before: null, after: '********' },
  ]);
});

test('every kind fits its column and has words for people', () => {
  for (const [kind, row] of Object.entries(EVENT_KINDS)) {
    assert.ok(kind.length <= 40, kind);
    assert.match(row.label, /^[A-Z][a-zA-Z ]+$/);
  }
  assert.equal(kindRow('login').label, 'Logged in');
  assert.equal(kindRow('later_kind').label, 'later kind');
  assert.equal(kindRow('constructor').tone, 'neutral');
});
