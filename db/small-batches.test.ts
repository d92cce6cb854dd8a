import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import { type Driver, Kysely } from 'kysely';
import { connect } from './connect.ts';
import { JotgateSqliteDialect } from './dialects.ts';
import { inSmallBatches } from './small-batches.ts';
import type { Database } from './statement.ts';
import type { Tables } from './tables.ts';

let db: Database;

before(() => {
  db = connect('sqlite::memory:');
});
after(() => db.destroy());

/** What the time is. The machine may be busy with something else. */
let clock = 0;

/** Takes so many rows, each in so many milliseconds, and gives the sizes of the batches that were asked for. */
async function sizesOf(rows: number, timeOf: (size: number) => number, on = db): Promise<number[]> {
  const sizes: number[] = [];
  let left = rows;
  const now = mock.method(performance, 'now', () => clock);
  await inSmallBatches(on, async (trx, size) => {
    assert.ok(trx.isTransaction);
    sizes.push(size);
    const found = Math.min(size, left);
    left -= found;
    clock += timeOf(size);
    return found;
  });
  now.mock.restore();
  assert.equal(left, 0);
  return sizes;
}

test('quick batches grow up to a limit', async () => {
  assert.deepEqual(await sizesOf(1_600, () => 0), [25, 50, 100, 200, 400, 400, 400, 400]);
});

test('slow ones shrink', async () => {
  const sizes = await sizesOf(600, (size) => (size > 100 ? 30 : 0));
  assert.equal(Math.max(...sizes), 200);
  assert.ok(sizes.filter((size) => size === 100).length > 1);
});

test('so do those that are written slowly', async () => {
  class SlowDialect extends JotgateSqliteDialect {
    override createDriver(): Driver {
      const driver = super.createDriver();
      const commit = driver.commitTransaction.bind(driver);
      driver.commitTransaction = (connection) => {
        clock += 30;
        return commit(connection);
      };
      return driver;
    }
  }
  const slow: Database = new Kysely<Tables>({ dialect: new SlowDialect(':memory:') });
  assert.deepEqual(await sizesOf(100, () => 0, slow), [25, 25, 25, 25, 25]);
  await slow.destroy();
});

test('nothing is one batch', async () => assert.deepEqual(await sizesOf(0, () => 0), [25]));

test('whoever wants to stop is asked after each', async () => {
  let batches = 0;
  await inSmallBatches(
    db,
    async (_trx, size) => {
      batches += 1;
      return size;
    },
    () => batches === 3,
  );
  assert.equal(batches, 3);
});

test('others get their turn in between', async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 1);
  const sizes = await sizesOf(1_000, () => 0);
  clearInterval(timer);
  assert.ok(turns >= sizes.length - 1, `${turns} turns`);
});
