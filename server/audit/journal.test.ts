import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { breakInserts } from '../../db/broken-table.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { NOW, newAccount, newDatabase } from './audit.fixture.ts';
import { type Journal, openJournal } from './journal.ts';
import type { NotedEvent } from './notes.ts';
import { purgeEvents } from './purge.ts';
import { recordTimedEvents } from './record.ts';

const DAY = 86_400;
const START = NOW.getTime() / 1000;
let db: Database;
let journal: Journal;
let errors: unknown[];
let now: number;

beforeEach(async () => {
  db = await newDatabase();
  errors = [];
  now = START;
  journal = openJournal(db, {
    now: () => now,
    onError: (error) => errors.push(error),
    lifetime: 90 * DAY,
  });
});
afterEach(async () => {
  await journal.close();
  await db.destroy();
});

const rows = () => db.selectFrom('jotgate_event').selectAll().orderBy('id').execute();
const texts = () => errors.map((error) => (error as Error).message);

const anonymous = { via: 'api', actor: null, address: '10.0.0.9' } as const;
const login = (name: string): NotedEvent => ({
  kind: 'login',
  origin: { via: 'api', actor: { id: 1, name } },
});
const refused = (reason: string, changes: Partial<NotedEvent> = {}): NotedEvent => ({
  kind: 'verify_refused',
  origin: anonymous,
  reason,
  ...changes,
});

/** Makes every event unwritable, as a full disk does, until the function it gives is called. */
const breakWrites = () => breakInserts(db, 'jotgate_event');

test('nothing is written in the turn in which it is noted, and a moment later all is', async () => {
  journal.note(login('ada'));
  journal.note(login('bob'));
  assert.deepEqual(await rows(), []);
  await pause(200);
  assert.deepEqual(
    (await rows()).map(({ actor_name, at }) => [actor_name, at]),
    [
      ['ada', '2026-03-04 05:06:07.250000'],
      ['bob', '2026-03-04 05:06:07.250000'],
    ],
  );
});

test('the order is that of noting, and each has its own time', async () => {
  for (let index = 0; index < 500; index += 1) {
    now = START + index;
    journal.note(login(`u${index}`));
    if (index % 100 === 50) await journal.flush();
  }
  await journal.flush();
  const names = (await rows()).map(({ actor_name }) => actor_name);
  assert.deepEqual(
    names,
    Array.from({ length: 500 }, (_, index) => `u${index}`),
  );
  assert.equal((await rows()).at(-1)?.at, '2026-03-04 05:14:26.250000');
});

test('flush waits for all that was noted, also while a write is under way', async () => {
  journal.note(login('a'));
  const first = journal.flush();
  journal.note(login('b'));
  await Promise.all([first, journal.flush()]);
  assert.equal((await rows()).length, 2);
  await journal.flush();
  assert.deepEqual(errors, []);
});

describe('a flood', () => {
  test('of equal refusals of nobody is one row with its count, at its first time', async () => {
    for (let index = 0; index < 50_000; index += 1) {
      now = START + index / 1_000_000;
      journal.note(refused('token_invalid'));
    }
    await journal.flush();
    const found = await rows();
    assert.deepEqual(
      found.map(({ count, at }) => [count, at]),
      [[50_000, '2026-03-04 05:06:07.250000']],
    );
    const [day] = await db.selectFrom('jotgate_event_day').selectAll().execute();
    assert.deepEqual(day, { day: '2026-03-04', kind: 'verify_refused', count: 50_000 });
    assert.deepEqual(errors, []);
  });

  test('is told apart by kind, reason, address and object, and by the account it is about', async () => {
    const object = { type: 'user', id: '1', name: 'ada' } as const;
    const different = [
      refused('token_invalid'),
      refused('token_expired'),
      refused('token_invalid', { kind: 'refresh_refused' }),
      refused('token_invalid', { origin: { ...anonymous, address: '10.0.0.8' } }),
      refused('token_invalid', { object }),
      refused('token_invalid', { account: { as: 'object', clue: { id: 7 } } }),
      refused('token_invalid', { account: { as: 'object', clue: { username: '7' } } }),
    ];
    for (const event of [...different, ...different]) journal.note(event);
    await journal.flush();
    assert.deepEqual(
      (await rows()).map(({ count }) => count),
      different.map(() => 2),
    );
  });

  test('begins anew with each batch', async () => {
    journal.note(refused('token_invalid'));
    await journal.flush();
    journal.note(refused('token_invalid'));
    await journal.flush();
    assert.deepEqual(
      (await rows()).map(({ count }) => count),
      [1, 1],
    );
  });

  test('of what is no refusal, or of somebody, is not merged', async () => {
    for (let round = 0; round < 2; round += 1) {
      journal.note(login('ada'));
      journal.note(refused('token_invalid', { origin: { ...anonymous, actor: { id: 1, name: 'ada' } } }));
    }
    await journal.flush();
    assert.equal((await rows()).length, 4);
  });

  test('does not change the event that was given', async () => {
    const event = refused('token_invalid');
    journal.note(event);
    journal.note(event);
    await journal.flush();
    assert.equal(event.count, undefined);
    assert.equal((await rows())[0]?.count, 2);
  });

  test('that is too much is cut off, counted and told of once', async () => {
    for (let index = 0; index < 10_005; index += 1) journal.note(login(`u${index}`));
    await journal.flush();
    assert.equal((await rows()).length, 10_000);
    assert.deepEqual(texts(), ['Events left out of the history, because too many waited: 5']);
    journal.note(login('later'));
    await journal.flush();
    assert.equal((await rows()).length, 10_001);
    assert.equal(errors.length, 1);
  });
});

describe('a write that fails', () => {
  test('is told of, never thrown, and done with the next', async () => {
    const mend = await breakWrites();
    journal.note(login('first'));
    await journal.flush();
    assert.deepEqual(texts(), ['disk full']);
    assert.deepEqual(await rows(), []);
    journal.note(login('second'));
    await mend();
    now = START + 60;
    await journal.flush();
    assert.deepEqual(
      (await rows()).map(({ actor_name, at }) => [actor_name, at]),
      [
        ['first', '2026-03-04 05:06:07.250000'],
        ['second', '2026-03-04 05:06:07.250000'],
      ],
    );
    assert.equal(errors.length, 1);
  });

  test('is tried again without being asked', async () => {
    const mend = await breakWrites();
    journal.note(login('ada'));
    await pause(150);
    assert.equal(errors.length, 1);
    await mend();
    await pause(400);
    assert.equal((await rows()).length, 1);
  });

  test('leaves nothing half done', async () => {
    const mend = await breakInserts(db, 'jotgate_event_day');
    journal.note(login('ada'));
    await journal.flush();
    assert.deepEqual(await rows(), []);
    await mend();
    await journal.flush();
    assert.equal((await rows()).length, 1);
  });

  test('lets no more wait than there is room for, and a flood goes on as one row', async () => {
    const mend = await breakWrites();
    journal.note(refused('token_invalid'));
    for (let index = 0; index < 9_990; index += 1) journal.note(login(`u${index}`));
    await journal.flush();
    for (let index = 0; index < 20; index += 1) journal.note(login(`v${index}`));
    for (let index = 0; index < 1_000; index += 1) journal.note(refused('token_invalid'));
    await journal.flush();
    await mend();
    await journal.flush();
    const found = await rows();
    assert.equal(found.length, 10_000);
    assert.deepEqual([found[0]?.kind, found[0]?.count], ['verify_refused', 1_001]);
    assert.equal(found.at(-1)?.actor_name, 'v8');
    assert.deepEqual(texts(), [
      'disk full',
      'Events left out of the history, because too many waited: 11',
      'disk full',
    ]);
  });

  test('as the last one says what was lost', async () => {
    await breakWrites();
    journal.note(login('ada'));
    await journal.close();
    assert.deepEqual(texts(), ['disk full', 'Events of the history that could not be written: 1']);
  });
});

test('close writes what is left and takes no more, and a second close does nothing', async () => {
  journal.note(login('ada'));
  await Promise.all([journal.close(), journal.close()]);
  assert.equal((await rows()).length, 1);
  journal.note(login('late'));
  await journal.flush();
  assert.equal((await rows()).length, 1);
});

describe('an account that is yet to be named', () => {
  test('is looked up by id or username: who acted, or whom a refusal is about', async () => {
    const id = await newAccount(db, 'ada');
    journal.note({ kind: 'refreshed', origin: anonymous, account: { as: 'actor', clue: { id } } });
    journal.note({ kind: 'login', origin: anonymous, account: { as: 'actor', clue: { username: 'ada' } } });
    journal.note(refused('token_expired', { account: { as: 'object', clue: { id } } }));
    journal.note(refused('no_active_account', { account: { as: 'object', clue: { username: 'ada' } } }));
    await journal.flush();
    assert.deepEqual(
      (await rows()).map((row) => [
        row.actor_id,
        row.actor_name,
        row.object_type,
        row.object_id,
        row.object_name,
      ]),
      [
        [id, 'ada', '', '', ''],
        [id, 'ada', '', '', ''],
        [null, '', 'user', String(id), 'ada'],
        [null, '', 'user', String(id), 'ada'],
      ],
    );
  });

  test('leaves its id when it is gone, and nothing of a name that was only typed', async () => {
    journal.note(refused('bearer_user_not_found', { account: { as: 'object', clue: { id: 99 } } }));
    journal.note(refused('no_active_account', { account: { as: 'object', clue: { username: 'hunter2' } } }));
    await journal.flush();
    const found = await rows();
    assert.deepEqual(
      found.map((row) => [row.object_type, row.object_id, row.object_name]),
      [
        ['user', '99', ''],
        ['', '', ''],
      ],
    );
    assert.ok(!JSON.stringify(found).includes('hunter2'));
  });

  test('or token too, whose id is that of its row, or its own where it has none', async () => {
    const { id } = await db
      .insertInto('token_blacklist_outstandingtoken')
      .values({ jti: 'abc', token: 'x', created_at: null, expires_at: '2026-03-05 00:00:00', user_id: null })
      .returning('id')
      .executeTakeFirstOrThrow();
    for (const token of ['abc', 'def']) journal.note({ kind: 'token_blacklisted', origin: anonymous, token });
    await journal.flush();
    assert.deepEqual(
      (await rows()).map((row) => [row.object_type, row.object_id, row.object_name]),
      [
        ['outstandingtoken', String(id), 'abc'],
        ['outstandingtoken', 'def', 'def'],
      ],
    );
  });

  test('may be any of many', async () => {
    const usernames = Array.from({ length: 100 }, (_, index) => `user${index}`);
    for (const username of usernames) {
      const id = await newAccount(db, username);
      journal.note({ kind: 'refreshed', origin: anonymous, account: { as: 'actor', clue: { id } } });
      journal.note({ kind: 'login', origin: anonymous, account: { as: 'actor', clue: { username } } });
    }
    await journal.flush();
    assert.deepEqual(
      (await rows()).map(({ actor_name }) => actor_name),
      usernames.flatMap((username) => [username, username]),
    );
  });
});

describe('forgetting', () => {
  /** So many events of some days ago, each on the same second. */
  async function eventsOf(daysAgo: number, count: number): Promise<void> {
    const at = START - daysAgo * DAY;
    await db.transaction().execute((trx) =>
      recordTimedEvents(
        trx,
        Array.from({ length: count }, () => ({ event: login('ada'), at })),
      ),
    );
  }

  test('takes what is older than the lifetime alone, in batches that let others in between', async () => {
    await eventsOf(91, 2_500);
    await eventsOf(89, 3);
    let between = 0;
    const watching = setInterval(() => {
      between += 1;
    }, 1);
    assert.equal(await purgeEvents(db, START, 90 * DAY), 2_500);
    clearInterval(watching);
    assert.ok(between > 2, `${between} turns in between`);
    assert.equal((await rows()).length, 3);
    assert.equal(await purgeEvents(db, START, 90 * DAY), 0);
  });

  test('takes few rows in one transaction, and stops when told to', async () => {
    await eventsOf(91, 2_500);
    const forgotten = await purgeEvents(db, START, 90 * DAY, () => true);
    assert.ok(forgotten > 0 && forgotten <= 500, String(forgotten));
    assert.equal((await rows()).length, 2_500 - forgotten);
  });

  test('keeps the counts of a month, however short the lifetime is', async () => {
    for (const daysAgo of [100, 32, 31, 30, 0]) await eventsOf(daysAgo, 1);
    await purgeEvents(db, START, DAY);
    const days = await db.selectFrom('jotgate_event_day').select('day').orderBy('day').execute();
    assert.deepEqual(
      days.map(({ day }) => day),
      ['2026-02-01', '2026-02-02', '2026-03-04'],
    );
    assert.equal((await rows()).length, 1);
  });

  test('begins soon after the start by itself', async () => {
    await eventsOf(91, 1);
    await pause(2_300);
    assert.deepEqual(await rows(), []);
  });
});
