import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaseTable, testedCases } from './case-table.ts';

const REPORT = `TAP version 13
# Subtest: cases 1 to 3: whatever is sent
ok 1 - cases 1 to 3: whatever is sent
  ---
  duration_ms: 1
  ...
# Subtest: case 22: guesses
    # Subtest: are bounded
    ok 1 - are bounded
      ---
      ...
    # Subtest: also for case 21
    ok 2 - also for case 21
    # Subtest: fail
    not ok 3 - fail
    1..3
not ok 2 - case 22: guesses
# Subtest: no number
ok 3 - no number
1..3
`;

test('each test that passed counts for the cases that it, or a suite around it, names', () => {
  assert.deepEqual(testedCases(REPORT), [1, 2, 3, 22, 22, 21]);
});

test('a case without a test is complained of', () => {
  const table = new CaseTable();
  table.add(REPORT, '/nowhere');
  const complaints = table.complaints();
  assert.ok(complaints.includes('case 4 has no test'));
  assert.ok(!complaints.includes('case 22 has no test'));
  assert.match(table.text(), /^case 22 +2 +0 +0$/m);
});
