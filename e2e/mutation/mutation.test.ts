import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcomesText, runWithoutEachRule, survivorsOf } from './mutation.ts';

test('of each rule of the tokens, the tests notice when it is taken out', async () => {
  const outcomes = await runWithoutEachRule();
  console.log(outcomesText(outcomes));
  assert.deepEqual(survivorsOf(outcomes), []);
});
