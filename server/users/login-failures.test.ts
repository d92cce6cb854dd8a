import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { AppError } from '../errors.ts';
import {
  findAccountLock,
  forgiveAccount,
  liftLocks,
  listLocks,
  purgeFailures,
  recordFailure,
  requireAttempt,
} from './login-failures.ts';

const LIMITS = settingsOf({
  LOGIN_FAILURES_PER_ACCOUNT: '3',
  LOGIN_FAILURES_PER_ADDRESS: '5',
  LOGIN_FAILURE_WINDOW: '10m',
});
const START = Date.UTC(2026, 2, 4, 5, 6, 7);
const at = (seconds: number) => new Date(START + seconds * 1000);

let db: Database;
beforeEach(async () => {
  db = await newDatabase();
});
afterEach(() => db.destroy());

async function fail(times: number, username = 'ada', address = '192.0.2.1', seconds = 0): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await recordFailure(db, LIMITS, { username, address, isKnown: username === 'ada' }, at(seconds));
  }
}

/** Seconds to wait; 0 where an attempt is let through. */
async function wait(username = 'ada', address = '192.0.2.9', seconds = 0, limits = LIMITS): Promise<number> {
  try {
    await requireAttempt(db, limits, { username, address }, at(seconds));
    return 0;
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.status, 429);
    const shown = `${error.retryAfter} second${error.retryAfter === 1 ? '' : 's'}`;
    assert.deepEqual(error.body, { detail: `Request was throttled. Expected available in ${shown}.` });
    return error.retryAfter ?? -1;
  }
}

describe('an account', () => {
  test('takes as many failures as the limit, and then waits for the rest of the window', async () => {
    await fail(2);
    assert.equal(await wait(), 0);
    await fail(1, 'ada', '192.0.2.1', 60);
    assert.equal(await wait('ada', '192.0.2.9', 60), 540);
    assert.equal(await wait('ada', '192.0.2.9', 599), 1);
    assert.equal(await wait('ada', '192.0.2.9', 600), 0);
  });

  test('that does not exist waits just the same, and its name is not kept', async () => {
    await fail(3, 'my-password-by-mistake');
    assert.equal(await wait('my-password-by-mistake'), 600);
    const rows = await db.selectFrom('jotgate_login_failure').selectAll().execute();
    assert.doesNotMatch(JSON.stringify(rows), /my-password/);
  });

  test('is the same in every Unicode form, and another in other letters', async () => {
    await fail(3, 'jose\u0301');
    assert.deepEqual([await wait('josé'), await wait('jose')], [600, 0]);
  });

  test('begins anew after the window', async () => {
    await fail(2);
    await fail(1, 'ada', '192.0.2.1', 600);
    assert.equal(await wait('ada', '192.0.2.9', 601), 0);
    await fail(2, 'ada', '192.0.2.1', 700);
    assert.equal(await wait('ada', '192.0.2.9', 700), 500);
  });

  test('is forgiven by a log-in, its address is not', async () => {
    await fail(5);
    await forgiveAccount(db, LIMITS, 'ada');
    assert.deepEqual([await wait(), await wait('grace', '192.0.2.1')], [0, 600]);
  });
});

describe('an address', () => {
  test('takes as many failures as its limit, over all accounts', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await fail(1, name);
    assert.deepEqual([await wait('f', '192.0.2.1'), await wait('f', '192.0.2.2')], [600, 0]);
  });

  for (const [one, other, isSame] of [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002::7%eth0', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::1', '::2', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
  ] as const) {
    test(`${one} and ${other} are ${isSame ? 'one' : 'two'}`, async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await fail(1, name, one);
      assert.equal(await wait('f', other), isSame ? 600 : 0);
    });
  }
});

test('0 is no limit', async () => {
  await fail(9);
  const off = { ...LIMITS, LOGIN_FAILURES_PER_ACCOUNT: 0, LOGIN_FAILURES_PER_ADDRESS: 0 };
  assert.equal(await wait('ada', '192.0.2.1', 0, off), 0);
  assert.deepEqual(await listLocks(db, off, at(0)), []);
});

test('a clock that was set back makes nobody wait longer than the window', async () => {
  await fail(3, 'ada', '192.0.2.1', 3_600);
  assert.equal(await wait('ada', '192.0.2.9', 0), 600);
});

test('locks are seen by name and address, and lifted', async () => {
  await fail(5);
  const locks = await listLocks(db, LIMITS, at(60));
  assert.deepEqual(
    locks.map(({ scope, label, failures, until }) => [scope, label, failures, until.getTime()]).sort(),
    [
      ['account', 'ada', 5, START + 600_000],
      ['address', '192.0.2.1', 5, START + 600_000],
    ],
  );
  assert.equal((await findAccountLock(db, LIMITS, 'ada', at(60)))?.failures, 5);
  assert.equal(await findAccountLock(db, LIMITS, 'grace', at(60)), null);
  assert.equal(
    await liftLocks(
      db,
      locks.map(({ id }) => id),
    ),
    2,
  );
  assert.equal(await wait('ada', '192.0.2.1'), 0);
});

test('what no longer counts is purged', async () => {
  await fail(1, 'ada', '192.0.2.1', 0);
  await fail(1, 'grace', '192.0.2.2', 300);
  await purgeFailures(db, LIMITS, at(600));
  assert.equal((await db.selectFrom('jotgate_login_failure').selectAll().execute()).length, 2);
});
