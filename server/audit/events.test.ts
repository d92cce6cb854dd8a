import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { NOW, newDatabase } from './audit.fixture.ts';
import {
  dailyCounts,
  dailyRefusedLogins,
  eventsByIds,
  exportEvents,
  objectEvents,
  recentChangesBy,
} from './events.ts';
import { type NewEvent, recordEvents } from './record.ts';

let db: Database;

beforeEach(async () => {
  db = await newDatabase();
});
afterEach(() => db.destroy());

const admin = { via: 'admin', actor: { id: 1, name: 'root' } } as const;
const ada = { type: 'user', id: '3', name: 'ada' } as const;

function daysAgo(days: number): Date {
  return new Date(NOW.getTime() - days * 86_400_000);
}

test('events are read in the order of their ids given, with words for people', async () => {
  await recordEvents(
    db,
    [
      {
        kind: 'user_changed',
        origin: { ...admin, address: '10.0.0.9', userAgent: 'Mozilla/5.0' },
        object: ada,
        changes: [{ field: 'First name', before: '', after: 'Ada' }],
      },
      { kind: 'verify_refused', origin: { via: 'api', actor: null }, reason: 'token_expired', count: 4 },
      { kind: 'tokens_flushed', origin: { via: 'command', actor: { id: null, name: 'zoe' } } },
    ],
    NOW,
  );
  const [flushed, changed, nothing] = await eventsByIds(db, [3, 1, 99]);
  assert.equal(nothing, undefined);
  assert.deepEqual(flushed?.actor, { id: null, name: 'zoe' });
  assert.deepEqual(changed, {
    id: 1,
    at: NOW,
    kind: 'user_changed',
    label: 'User changed',
    tone: 'neutral',
    via: 'admin',
    actor: { id: 1, name: 'root' },
    object: ada,
    reason: '',
    changes: [{ field: 'First name', before: '', after: 'Ada' }],
    address: '10.0.0.9',
    userAgent: 'Mozilla/5.0',
    count: 1,
  });
  const [refusal] = await eventsByIds(db, [2]);
  assert.deepEqual(
    [refusal?.actor, refusal?.object, refusal?.reason, refusal?.count, refusal?.tone],
    [null, null, 'token_expired', 4, 'bad'],
  );
  assert.deepEqual(await eventsByIds(db, []), []);
});

test('a kind of a later version is shown by its name', async () => {
  await recordEvents(db, [{ kind: 'later_kind' as NewEvent['kind'], origin: admin }], NOW);
  const [event] = await eventsByIds(db, [1]);
  assert.deepEqual([event?.kind, event?.label, event?.tone], ['later_kind', 'later kind', 'neutral']);
});

test("an object's events are its own alone, newest first", async () => {
  const about = (object: NonNullable<NewEvent['object']>): NewEvent => ({
    kind: 'user_changed',
    origin: admin,
    object,
  });
  await recordEvents(
    db,
    [about(ada), about({ ...ada, id: '4' }), about({ ...ada, type: 'group' }), about(ada)],
    NOW,
  );
  const ids = async (limit: number) => (await objectEvents(db, 'user', '3', limit)).map(({ id }) => id);
  assert.deepEqual(await ids(10), [4, 1]);
  assert.deepEqual(await ids(1), [4]);
  assert.deepEqual(await objectEvents(db, 'user', '99', 10), []);
});

test('recent changes are those that one made in the admin', async () => {
  await recordEvents(
    db,
    [
      { kind: 'user_added', origin: admin, object: ada },
      { kind: 'admin_login', origin: admin },
      { kind: 'refreshed', origin: { ...admin, via: 'api' } },
      { kind: 'group_added', origin: { via: 'admin', actor: { id: 2, name: 'other' } } },
      { kind: 'tokens_revoked', origin: admin, object: ada },
    ],
    NOW,
  );
  assert.deepEqual(
    (await recentChangesBy(db, 1, 10)).map(({ kind }) => kind),
    ['tokens_revoked', 'user_added'],
  );
  assert.equal((await recentChangesBy(db, 1, 1)).length, 1);
});

describe('the counts of days', () => {
  beforeEach(async () => {
    const of = (kind: NewEvent['kind'], count = 1): NewEvent => ({
      kind,
      origin: { via: 'api', actor: null },
      count,
    });
    await recordEvents(db, [of('login', 3), of('admin_login'), of('admin_logout'), of('refreshed', 50)], NOW);
    await recordEvents(db, [of('login_refused', 2), of('verify_refused', 7), of('bearer_refused')], NOW);
    await recordEvents(db, [of('admin_login_refused', 5), of('login')], daysAgo(2));
    await recordEvents(db, [of('login', 9)], daysAgo(3));
  });

  test('have each day, oldest first', async () => {
    assert.deepEqual(await dailyCounts(db, 3, NOW), [
      { day: '2026-03-02', logins: 1, refusals: 5 },
      { day: '2026-03-03', logins: 0, refusals: 0 },
      { day: '2026-03-04', logins: 4, refusals: 10 },
    ]);
    assert.equal((await dailyCounts(db, 14, NOW)).length, 14);
  });

  test('of refused logins leave out tokens', async () => {
    assert.deepEqual(await dailyRefusedLogins(db, 3, NOW), [5, 0, 2]);
  });
});

describe('the export', () => {
  const lines = async (...conditions: Parameters<typeof exportEvents>[1]) => {
    let text = '';
    for await (const chunk of exportEvents(db, conditions)) text += chunk;
    return text;
  };

  test('is one JSON object a line, in the order in which it happened', async () => {
    await recordEvents(
      db,
      [
        { kind: 'user_added', origin: { ...admin, address: '10.0.0.9' }, object: { ...ada, name: 'a\nb' } },
        { kind: 'login', origin: { via: 'api', actor: null } },
      ],
      NOW,
    );
    const text = await lines();
    assert.ok(text.endsWith('}\n'));
    const [first, second] = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(first), [
      'id',
      'at',
      'kind',
      'via',
      'actor',
      'object',
      'reason',
      'changes',
      'address',
      'user_agent',
      'count',
    ]);
    assert.deepEqual([first.at, first.object.name], ['2026-03-04T05:06:07.250Z', 'a\nb']);
    assert.deepEqual([second.kind, second.actor], ['login', null]);
  });

  test('has all that fits and nothing else, however much it is, in pieces', async () => {
    const login: NewEvent = { kind: 'login', origin: { via: 'api', actor: null } };
    await recordEvents(db, Array<NewEvent>(2_500).fill(login), NOW);
    await recordEvents(db, Array<NewEvent>(10).fill({ ...login, kind: 'refreshed' }), NOW);
    let pieces = 0;
    let count = 0;
    const condition = { anyOf: [sql`kind = ${'login'}`], indexed: true };
    for await (const chunk of exportEvents(db, [condition])) {
      pieces += 1;
      count += chunk.trimEnd().split('\n').length;
    }
    assert.equal(count, 2_500);
    assert.ok(pieces > 2);
    assert.equal(await lines({ anyOf: [sql`kind = ${'none'}`], indexed: true }), '');
  });
});
