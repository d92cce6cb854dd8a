import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addTallies, NOTHING_RAN, readTally, tallyText } from './tally.ts';

const FILES = ['a/x.test.ts', 'a/y.test.ts'];

/** A file that ran one test. */
const ran = (file: string) =>
  `# Subtest: ${file}\n    # Subtest: one\n    ok 1 - one\n    1..1\nok 1 - ${file}`;

const BOTH = FILES.map(ran).join('\n');

function report({ lines = BOTH, pass = 3, fail = 0, cancelled = 0, skipped = 0, todo = 0 }): string {
  return (
    `TAP version 13\n${lines}\n1..3\n# tests 3\n# suites 0\n# pass ${pass}\n# fail ${fail}\n` +
    `# cancelled ${cancelled}\n# skipped ${skipped}\n# todo ${todo}\n# duration_ms 12.5\n`
  );
}

test('the summary is counted, a cancelled test as failed', () => {
  const counted = readTally(report({ pass: 5, fail: 1, cancelled: 2, skipped: 3, todo: 4 }), FILES, 1);
  assert.deepEqual(counted, { passed: 5, failed: 3, skipped: 7 });
});

test('what a test prints is not taken for the summary', () => {
  const counted = readTally(report({ lines: `${BOTH}\n# pass 99\n# fail 7` }), FILES, 0);
  assert.deepEqual(counted, { passed: 3, failed: 0, skipped: 0 });
});

test('a file without a test failed, and so did one that never ran', () => {
  const empty = '# Subtest: a/y.test.ts\nok 2 - a/y.test.ts';
  for (const lines of [`${ran('a/x.test.ts')}\n${empty}`, ran('a/x.test.ts')]) {
    assert.deepEqual(readTally(report({ lines }), FILES, 0), { passed: 3, failed: 1, skipped: 0 });
  }
});

test('an exit code that no test accounts for is a failure, and so is a run of nothing', () => {
  assert.deepEqual(readTally(report({}), FILES, 1), { passed: 3, failed: 1, skipped: 0 });
  assert.deepEqual(readTally(report({}), FILES, null), { passed: 3, failed: 1, skipped: 0 });
  assert.deepEqual(readTally(report({ pass: 0 }), FILES, 0), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(readTally('TAP version 13\n', FILES, 1), NOTHING_RAN);
});

test('the last line has the counts', () => {
  assert.equal(tallyText({ passed: 12, failed: 0, skipped: 0 }), '12 passed, 0 failed');
  const total = addTallies({ passed: 12, failed: 0, skipped: 1 }, NOTHING_RAN);
  assert.equal(tallyText(total), '12 passed, 1 failed, 1 skipped');
});
