import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { noteCase } from '../case-table.ts';
import { askedSoFar } from './client.ts';
import { runStorm, stormText } from './storm.ts';

/** `npm run crash` does it 200 times. */
const ROUNDS = 10;

after(() => noteCase(39, askedSoFar()));

test('case 39: what was acknowledged outlasts kill -9, and a token never has two live successors', async () => {
  const result = await runStorm(ROUNDS);
  console.log(stormText(result));
  assert.ok(result.rotated > ROUNDS * 10, 'there was no storm');
  assert.ok(result.revoked > 0 && result.cutOff > 0);
});
