import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sql } from 'kysely';
import { toSqlTime } from '../../../db/values.ts';
import { blacklistOutstanding, restoreBlacklisted } from '../blacklist.ts';
import { flushExpiredTokens } from '../flush.ts';
import { type Installation, type Instance, install } from './instances.fixture.ts';
import { rotateKeys } from './ring-changes.ts';
import { allKeys, type KeyRow } from './ring-rows.ts';
import { countLiveTokens } from './token-keys.ts';

let site: Installation;
let one: Instance;

const NOBODY = { via: 'command', actor: null } as const;

beforeEach(async () => {
  site = await install();
  one = await site.start({
    ...{ KEY_RING: 'true', ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' },
  });
});
afterEach(() => site.end());

const now = () => new Date(site.clock.now * 1000);

/** How many live tokens hang on each key, in the order of their ids. */
async function counts(): Promise<number[]> {
  const keys = await allKeys(site.db);
  const found: number[] = [];
  for (const key of keys) found.push((await countLiveTokens(site.db, key, now())).total);
  return found;
}

describe('how many live tokens hang on a key:', () => {
  test('those that it signed, and after a rotation the next key those that follow', async () => {
    const { refresh } = await one.obtain();
    await one.obtain();
    assert.deepEqual(await counts(), [2, 0]);
    await rotateKeys(site.db, one.settings, site.change());
    assert.deepEqual(await counts(), [2, 0, 0]);
    await one.refresh(refresh);
    assert.deepEqual(await counts(), [1, 1, 0]);
  });

  test('not those that have expired, nor when they are forgotten', async () => {
    await one.obtain();
    site.clock.now += one.settings.REFRESH_TOKEN_LIFETIME;
    assert.deepEqual(await counts(), [0, 0]);
    await flushExpiredTokens(site.db, one.settings, new Date(now().getTime() + 1_000));
    assert.deepEqual(await site.db.selectFrom('jotgate_token_key').selectAll().execute(), []);
  });

  test('not those on the blacklist, and again those that were taken off it', async () => {
    await one.obtain();
    await blacklistOutstanding(site.db, 1, now(), NOBODY);
    assert.deepEqual(await counts(), [0, 0]);
    await restoreBlacklisted(site.db, [1], now(), NOBODY);
    assert.deepEqual(await counts(), [1, 0]);
  });

  test('whoever puts them on the blacklist: another program, and many at once', async () => {
    for (let index = 0; index < 5; index += 1) await one.obtain();
    await sql`insert into token_blacklist_blacklistedtoken (blacklisted_at, token_id)
      select ${toSqlTime(now())}, id from token_blacklist_outstandingtoken where id > 2`.execute(site.db);
    assert.deepEqual(await counts(), [2, 0]);
    await site.db.deleteFrom('token_blacklist_blacklistedtoken').where('token_id', '<', 5).execute();
    assert.deepEqual(await counts(), [4, 0]);
  });

  test('and without a kid those that no key of the ring signed', async () => {
    const without = await site.start({ SIGNING_KEY: 'of its own, and of no interest here' });
    await without.obtain();
    await without.obtain();
    await one.obtain();
    assert.deepEqual(await counts(), [1, 0, 2]);
  });
});

test('more than 10,000 are not counted', async () => {
  const future = toSqlTime(new Date((site.clock.now + 60) * 1000));
  await sql`insert into token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10001)
    select 'x', ${future}, ${future}, null, 'j' || n from numbers`.execute(site.db);
  await sql`insert into jotgate_token_key (id, key_id, expires_at)
    select id, 1, ${future} from token_blacklist_outstandingtoken`.execute(site.db);
  const [active, standby] = await allKeys(site.db);
  assert.deepEqual(await countLiveTokens(site.db, active as KeyRow, now()), { total: 10_000, isMore: true });
  assert.deepEqual(await countLiveTokens(site.db, standby as KeyRow, now()), { total: 0, isMore: false });
});

test('a token without a ring is recorded as before', async () => {
  const without = await site.start();
  await without.obtain();
  assert.deepEqual(await site.db.selectFrom('jotgate_token_key').selectAll().execute(), []);
});
