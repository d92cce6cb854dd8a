import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Recording, replay } from './replay.ts';

/** So many requests were recorded: fewer would mean that some were lost on the way here. */
const RECORDED = 452;

const recording = JSON.parse(readFileSync(new URL('exchanges.json', import.meta.url), 'utf8')) as Recording;

describe('the recorded exchanges', () => {
  let made = 0;
  let alike = 0;

  for (const scenario of recording.scenarios) {
    test(scenario.name, async () => {
      const { requests, failures } = await replay(scenario, recording);
      made += requests;
      alike += requests - failures.length;
      console.log(`${scenario.name}: ${requests - failures.length} of ${requests}`);
      assert.equal(failures.length, 0, `\n${failures.join('\n')}`);
    });
  }

  test('all of them were replayed', () => {
    console.log(`${alike} of ${RECORDED}`);
    assert.equal(made, RECORDED);
    assert.equal(alike, RECORDED);
  });
});
