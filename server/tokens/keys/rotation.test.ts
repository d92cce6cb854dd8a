import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ON_POSTGRES } from '../../../db/database.fixture.ts';
import { fromSqlTime } from '../../../db/values.ts';
import { refusalOf } from '../tokens.fixture.ts';
import { headerOf, type Installation, type Instance, install } from './instances.fixture.ts';
import { listKeys } from './key-list.ts';
import {
  addStandby,
  restoreKey,
  retireKey,
  rotateIfDue,
  rotateKeys,
  undoRotation,
  withdrawKey,
} from './ring-changes.ts';
import { KeyRefusal, longestLifetime } from './ring-edit.ts';
import { allKeys, raiseVersion, updateKey } from './ring-rows.ts';

const RING = { KEY_RING: 'true', ALGORITHM: 'ES256' } as const;
const ROTATING = { ...RING, ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' } as const;

let site: Installation;

beforeEach(async () => {
  site = await install();
});
afterEach(() => site.end());

const keys = async () => (await listKeys(site.db, new Date(site.clock.now * 1000)))?.keys ?? [];

/** Each key by its state: `active standby retiring`, in the order of their ids. */
async function states(): Promise<string> {
  const list = [...(await keys())].sort((one, other) => one.id - other.id);
  return list.map(({ state }) => state).join(' ');
}

const rotate = (instance: Instance) => rotateKeys(site.db, instance.settings, site.change());

async function refused(work: () => Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof KeyRefusal, String(error));
    assert.match(error.message, message);
    return true;
  });
}

test('a new ring has a key that signs and one that stands by; tokens name the first: alg, typ, kid', async () => {
  const one = await site.start(RING);
  const { access, refresh } = await one.obtain();
  assert.equal(await states(), 'active standby');
  const [active] = await keys();
  for (const token of [access, refresh]) {
    assert.equal(JSON.stringify(headerOf(token)), `{"alg":"ES256","typ":"JWT","kid":"${active?.kid}"}`);
    assert.equal(await one.verify(token), undefined);
  }
});

test('without a ring no token names a key, and nothing is written', async () => {
  const one = await site.start();
  const { access } = await one.obtain();
  assert.equal(JSON.stringify(headerOf(access)), '{"alg":"HS256","typ":"JWT"}');
  assert.equal(await listKeys(site.db, new Date()), null);
  assert.deepEqual(await site.db.selectFrom('jotgate_token_key').selectAll().execute(), []);
});

test('of any number of instances that start at once one makes the ring', async () => {
  await Promise.all([1, 2, 3, 4].map(() => site.start(RING)));
  assert.equal(await states(), 'active standby');
});

describe('a rotation', () => {
  test('logs nobody out: tokens from before, during and after are good on every instance', async () => {
    const [one, other] = [await site.start(ROTATING), await site.start(ROTATING)];
    const before = await one.obtain();
    const during = Promise.all([one.obtain(), rotate(one), other.obtain(), one.refresh(before.refresh)]);
    const [first, , second, renewed] = await during;
    const after = await other.obtain();
    for (const pair of [before, first, second, renewed, after]) {
      assert.equal(await one.verify(pair.access), undefined);
      assert.equal(await other.verify(pair.access), undefined);
    }
    assert.notEqual(headerOf(after.access).kid, headerOf(before.access).kid);
    assert.equal(await states(), 'retiring active standby');
    const last = await other.refresh(renewed.refresh ?? '');
    assert.equal(headerOf(last.access).kid, headerOf(after.access).kid);
  });

  test('makes the standby key sign that all knew beforehand', async () => {
    const one = await site.start(RING);
    const standby = (await keys()).find(({ state }) => state === 'standby');
    await rotate(one);
    const { access } = await one.obtain();
    assert.equal(headerOf(access).kid, standby?.kid);
  });

  test('lets the last key verify until the longest of its tokens has expired, and not longer', async () => {
    const one = await site.start(RING);
    site.clock.now += 1_000;
    const { refresh } = await one.obtain();
    await rotate(one);
    const [, , retiring] = await keys();
    const lasts = longestLifetime(one.settings) + 60;
    assert.equal(retiring?.safeFrom?.getTime(), new Date((site.clock.now + lasts) * 1000).getTime());
    site.clock.now += one.settings.REFRESH_TOKEN_LIFETIME - 1;
    assert.equal(await one.verify(refresh), undefined);
    // Case 10: a token with a longer life, as only somebody with the key could make one.
    site.clock.now += lasts - one.settings.REFRESH_TOKEN_LIFETIME;
    assert.equal(await states(), 'retiring active standby');
    site.clock.now += 1;
    assert.equal(await states(), 'retired active standby');
    assert.equal(await one.verify(refresh), 'token_invalid');
  });

  test('waits for the longest lifetime that a key ever signed with, whatever the settings say now', async () => {
    const long = await site.start({ ...RING, REFRESH_TOKEN_LIFETIME: '30d' });
    const { refresh } = await long.obtain();
    const short = await site.start(RING);
    await rotate(short);
    site.clock.now += 29 * 86_400;
    assert.equal(await short.verify(refresh), undefined);
  });

  test('by two people at once happens once, and the second is told', async () => {
    const one = await site.start(RING);
    const seen = (await listKeys(site.db, new Date()))?.version ?? 0;
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => rotateKeys(site.db, one.settings, { ...site.change(), seen })),
    );
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
    await refused(() => rotateKeys(site.db, one.settings, { ...site.change(), seen }), /Somebody else/);
    assert.equal(await states(), 'retiring active standby');
  });

  test('can be undone, and the undoing as well', async () => {
    const one = await site.start(RING);
    const before = await one.obtain();
    await rotate(one);
    const between = await one.obtain();
    await undoRotation(site.db, one.settings, site.change());
    const after = await one.obtain();
    assert.equal(await states(), 'active standby standby');
    assert.equal(headerOf(after.access).kid, headerOf(before.access).kid);
    for (const { access } of [before, between, after]) assert.equal(await one.verify(access), undefined);
    await refused(() => undoRotation(site.db, one.settings, site.change()), /no rotation to undo/);
    await rotate(one);
    const again = await one.obtain();
    assert.equal(headerOf(again.access).kid, headerOf(between.access).kid);
    assert.equal(await states(), 'retiring active standby');
  });

  test('cannot be undone when the tokens of the last key are over', async () => {
    const one = await site.start(RING);
    await rotate(one);
    site.clock.now += longestLifetime(one.settings) + 61;
    await refused(() => undoRotation(site.db, one.settings, site.change()), /no rotation to undo/);
  });

  test('after an idle time is seen by the very next log-in', async () => {
    const [one, other] = [await site.start(RING), await site.start(RING)];
    await rotate(one);
    const { refresh } = await other.obtain();
    const active = (await keys()).find(({ state }) => state === 'active');
    assert.equal(headerOf(refresh).kid, active?.kid);
  });

  test('is needed by a ring', async () => {
    const one = await site.start();
    await refused(() => rotate(one), /no key ring: set KEY_RING=true/);
  });
});

describe('by itself', () => {
  const EVERY_DAY = { ...RING, KEY_ROTATION_INTERVAL: '1d' } as const;
  const due = (instance: Instance) => rotateIfDue(site.db, instance.settings, site.change());

  test('the next key takes over when the last has signed for long enough, by one instance', async () => {
    const instances = [await site.start(EVERY_DAY), await site.start(EVERY_DAY), await site.start(EVERY_DAY)];
    site.clock.now += 86_399;
    assert.deepEqual(await Promise.all(instances.map(due)), [false, false, false]);
    site.clock.now += 1;
    const done = await Promise.all(instances.map(due));
    assert.equal(done.filter(Boolean).length, 1);
    assert.equal(await states(), 'retiring active standby');
    const events = await site.db
      .selectFrom('jotgate_event')
      .selectAll()
      .where('kind', '=', 'key_rotated')
      .execute();
    assert.equal(events.length, 1);
  });

  test('while the server runs, and not after it was closed', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const one = await site.start(EVERY_DAY);
    const passing = async (seconds: number) => {
      site.clock.now += seconds;
      t.mock.timers.tick(30_000);
      for (let tries = 0; tries < 200 && (await states()) === 'active standby'; tries += 1) await delay(5);
      return states();
    };
    assert.equal(await passing(86_400), 'retiring active standby');
    one.signer.close();
    site.clock.now += 86_400;
    t.mock.timers.tick(60_000);
    await delay(50);
    assert.equal((await allKeys(site.db)).length, 3);
  });

  test('not soon after it was undone', async () => {
    const one = await site.start(EVERY_DAY);
    site.clock.now += 86_400;
    await due(one);
    await undoRotation(site.db, one.settings, site.change());
    assert.equal(await due(one), false);
  });

  test('never, unless it is asked for', async () => {
    const one = await site.start(RING);
    site.clock.now += 1e9;
    assert.equal(await due(one), false);
  });
});

describe('case 10: a key that is withdrawn', () => {
  test('takes its tokens with it at once, on every instance; those of others go on', async () => {
    const [one, other] = [await site.start(ROTATING), await site.start(ROTATING)];
    const stolen = await one.obtain();
    await rotate(one);
    const good = await one.obtain();
    for (const { access } of [stolen, good]) assert.equal(await other.verify(access), undefined);
    await withdrawKey(site.db, one.settings, 1, site.change());
    for (const instance of [other, one]) {
      assert.equal(await instance.verify(stolen.access), 'token_invalid');
      assert.equal(await refusalOf(() => instance.refresh(stolen.refresh)), 'token_invalid');
      assert.equal(await instance.verify(good.access), undefined);
    }
    assert.equal(await states(), 'withdrawn active standby');
  });

  test('while it signs is followed by the next', async () => {
    const [one, other] = [await site.start(RING), await site.start(RING)];
    const stolen = await other.obtain();
    await withdrawKey(site.db, one.settings, 1, site.change());
    const { access } = await other.obtain();
    assert.equal(await other.verify(stolen.access), 'token_invalid');
    assert.equal(await other.verify(access), undefined);
    assert.equal(await states(), 'withdrawn active standby');
  });

  test('while it stands by is replaced', async () => {
    const one = await site.start(RING);
    await withdrawKey(site.db, one.settings, 2, site.change());
    assert.equal(await states(), 'active withdrawn standby');
  });

  test('never comes back, and its private half is gone', async () => {
    const one = await site.start(RING);
    await rotate(one);
    await withdrawKey(site.db, one.settings, 1, site.change());
    const row = (await allKeys(site.db)).find(({ id }) => id === 1);
    assert.equal(row?.sealed_key, null);
    for (const work of [retireKey, restoreKey, withdrawKey]) {
      await refused(() => work(site.db, one.settings, 1, site.change()), /The key is withdrawn/);
    }
    await refused(() => undoRotation(site.db, one.settings, site.change()), /no rotation to undo/);
  });

  test('between the check of a refresh and its rotation leaves no successor', async () => {
    const one = await site.start(ROTATING);
    const { refresh } = await one.obtain();
    await rotate(one);
    const { sign, stillCounts } = one.signer;
    let withdrawn: Promise<void> | undefined;
    // The access token is signed after the checks: this is the moment between.
    one.signer.sign = (claims) => {
      withdrawn ??= site.db.transaction().execute(async (trx) => {
        await raiseVersion(trx);
        await updateKey(trx, { id: 1 }, { state: 'withdrawn' });
      });
      return sign(claims);
    };
    // Where transactions do not wait for one another as they do on SQLite.
    if (ON_POSTGRES) {
      one.signer.stillCounts = async (trx, header) => {
        await withdrawn;
        return stillCounts(trx, header);
      };
    }
    assert.equal(await refusalOf(() => one.refresh(refresh)), 'token_invalid');
    await withdrawn;
    const { length } = await site.db.selectFrom('token_blacklist_outstandingtoken').selectAll().execute();
    assert.equal(length, 1);
  });
});

describe('a key that is retired before its time', () => {
  test('ends its tokens, and can be restored while some would be alive', async () => {
    const one = await site.start(RING);
    const { refresh } = await one.obtain();
    await rotate(one);
    await retireKey(site.db, one.settings, 1, site.change());
    assert.equal(await one.verify(refresh), 'token_invalid');
    assert.equal((await keys()).find(({ id }) => id === 1)?.isRestorable, true);
    await restoreKey(site.db, one.settings, 1, site.change());
    assert.equal(await one.verify(refresh), undefined);
    await retireKey(site.db, one.settings, 1, site.change());
    site.clock.now += longestLifetime(one.settings) + 60;
    await refused(() => restoreKey(site.db, one.settings, 1, site.change()), /nothing to restore/);
    assert.equal((await keys()).find(({ id }) => id === 1)?.isRestorable, false);
  });

  test('is one that retires: none that signs or stands by', async () => {
    const one = await site.start(RING);
    await refused(() => retireKey(site.db, one.settings, 1, site.change()), /The key is active/);
    await refused(() => retireKey(site.db, one.settings, 2, site.change()), /The key is standby/);
    await refused(() => retireKey(site.db, one.settings, 99, site.change()), /There is no such key/);
  });
});

test('another key can be made to stand by, and is the one after the next', async () => {
  const one = await site.start(RING);
  await addStandby(site.db, one.settings, site.change());
  assert.equal(await states(), 'active standby standby');
  await rotate(one);
  assert.equal(await states(), 'retiring active standby');
});

test('every change stands in the history, with the change itself', async () => {
  const one = await site.start(RING);
  await rotate(one);
  await undoRotation(site.db, one.settings, site.change());
  await rotate(one);
  await retireKey(site.db, one.settings, 1, site.change());
  await restoreKey(site.db, one.settings, 1, site.change());
  await withdrawKey(site.db, one.settings, 1, site.change());
  const rows = await allKeys(site.db);
  const events = await site.db.selectFrom('jotgate_event').selectAll().orderBy('id').execute();
  assert.deepEqual(
    events.map(({ kind, object_id }) => `${kind} ${object_id}`),
    [
      'key_added 1',
      'key_rotated 2',
      'key_restored 1',
      'key_rotated 2',
      'key_retired 1',
      'key_restored 1',
      'key_withdrawn 1',
    ],
  );
  assert.deepEqual(JSON.parse(events[1]?.changes ?? ''), [
    { field: 'Signing key', before: rows[0]?.kid, after: rows[1]?.kid },
  ]);
  assert.equal(fromSqlTime(events[0]?.at ?? '').getTime(), site.change().now.getTime());
  assert.doesNotMatch(JSON.stringify(events), /BEGIN|sealed/);
});
