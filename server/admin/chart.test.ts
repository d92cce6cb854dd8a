import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dailyChart } from './chart.ts';

const day = (number: number, logins: number, refusals: number) => ({
  day: `2026-03-0${number}`,
  logins,
  refusals,
});

test('each day has two bars beside each other, as high as their share of the most', () => {
  const { bars, most, width, height } = dailyChart([day(1, 4, 1), day(2, 0, 2)]);
  assert.equal(most, 4);
  assert.deepEqual(
    bars.map((bar) => [bar.kind, bar.height, bar.y + bar.height, bar.title]),
    [
      ['logins', 100, 100, '2026-03-01: 4 log-ins'],
      ['refusals', 25, 100, '2026-03-01: 1 refusal'],
      ['refusals', 50, 100, '2026-03-02: 2 refusals'],
    ],
  );
  const edges = bars.flatMap((bar) => [bar.x, bar.x + bar.width]);
  assert.deepEqual(
    edges,
    [...edges].sort((a, b) => a - b),
  );
  assert.ok((edges.at(-1) ?? 0) <= width);
  assert.ok(bars.every((bar) => bar.y >= 0 && bar.y + bar.height <= height));
});

test('what is little is seen all the same, and what is nothing is not', () => {
  const { bars } = dailyChart([day(1, 1_000_000, 1), day(2, 0, 0)]);
  assert.deepEqual(
    bars.map(({ kind, height }) => [kind, height]),
    [
      ['logins', 100],
      ['refusals', 1.5],
    ],
  );
});

test('it is said in words', () => {
  const chart = dailyChart([day(1, 2_000, 1), day(2, 0, 0)]);
  assert.deepEqual(chart.totals, { logins: 2_000, refusals: 1 });
  assert.match(chart.description, /^2,000 log-ins and 1 refusal in 2 days, 2026-03-01 to 2026-03-02\./);
});

test('where nothing happened there are no bars, and no division by nothing', () => {
  const { bars, most } = dailyChart([day(1, 0, 0)]);
  assert.deepEqual([bars, most], [[], 1]);
});
