import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pauseAfter } from './crew.ts';

test('one that ends by chance is replaced at once, one that ends again and again more and more seldom', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 100].map(pauseAfter), [
    ...[0, 0, 1_000, 2_000, 4_000, 8_000, 16_000],
    ...[30_000, 30_000, 30_000],
  ]);
});
