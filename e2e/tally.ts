/** How many tests ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Where counting begins. */
export const NO_TEST: Tally = { passed: 0, failed: 0, skipped: 0 };

/** What a run that brought no count comes to. */
export const NOTHING_RAN: Tally = { passed: 0, failed: 1, skipped: 0 };

/**
 * Counts what a run of node:test reported, in which each file is a suite of its name. A test that was cancelled failed;
 * a file that ran no test at all failed, or that is not in the report; so did a run without a summary, or one that
 * exited with an error that no test accounts for, a failing hook of a suite for one.
 *
 * @param report the TAP report
 * @param files the files that were run, by the names of their suites
 */
export function readTally(report: string, files: readonly string[], exitCode: number | null): Tally {
  const filled = new Set([...report.matchAll(/^# Subtest: (.*)\n(?= )/gm)].map(([, name]) => name));
  const empty = files.filter((file) => !filled.has(file)).length;
  const passed = count(report, 'pass');
  const failed = count(report, 'fail') + count(report, 'cancelled') + empty;
  const skipped = count(report, 'skipped') + count(report, 'todo');
  if (Number.isNaN(passed + failed + skipped)) return NOTHING_RAN;
  const unaccounted = failed === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: unaccounted ? 1 : failed, skipped };
}

/** The last such line is the summary's: whatever a test prints stands in the report as well, before it. */
function count(report: string, word: string): number {
  const lines = [...report.matchAll(new RegExp(`^# ${word} (\\d+)$`, 'gm'))];
  return Number(lines.at(-1)?.[1] ?? Number.NaN);
}

export function addTallies(one: Tally, other: Tally): Tally {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

/** `12 passed, 0 failed`, and how many were skipped only if any was. */
export function tallyText({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
