import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { PROJECT_FOLDER } from '../server-process.ts';
import { ruleTables } from './rule-tables.ts';

/** The tests of the rules; they must pass with all of them. */
const TESTS = ['rules'].map((name) => `server/tokens/${name}.test.ts`);

export interface Outcome {
  /** Such as `CLAIM_RULES/exp`; null for all rules in place. */
  readonly without: string | null;
  readonly passed: number;
  readonly failed: number;
}

/** Runs the tests of the tokens with every rule in place, and then with each rule of each table taken out in turn. */
export async function runWithoutEachRule(): Promise<Outcome[]> {
  const inTurn = pLimit(2);
  const mutants = Object.entries(ruleTables).flatMap(([table, rules]) =>
    rules.map(({ name }) => `${table}/${name}`),
  );
  return Promise.all([null, ...mutants].map((without) => inTurn(() => runTests(without))));
}

async function runTests(without: string | null): Promise<Outcome> {
  const removal = without === null ? [] : ['--import', './e2e/mutation/without-rule.ts'];
  // All in one process: starting one takes longer than the tests do.
  const [last = '', ...others] = TESTS.map((file) => join(PROJECT_FOLDER, file));
  const imports = others.flatMap((file) => ['--import', file]);
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', ...removal, ...imports, last], {
    cwd: PROJECT_FOLDER,
    env: { ...environment, ...(without !== null && { WITHOUT_RULE: without }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let report = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
  }
  await once(child, 'close');
  return { without, passed: count(report, 'pass'), failed: count(report, 'fail') };
}

/** From the summary, whichever way the tests report. */
function count(report: string, word: string): number {
  const found = new RegExp(`^(?:#|ℹ) ${word} (\\d+)$`, 'm').exec(report)?.[1];
  if (found === undefined) throw new Error(`The tests came to no end:\n${report.slice(-2_000)}`);
  return Number(found);
}

/** A line each. */
export function outcomesText(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(
      ({ without, failed }) =>
        `${(without ?? 'with every rule').padEnd(28)}${String(failed).padStart(4)} tests fail`,
    )
    .join('\n');
}

/** The rules that no test misses, and whether the tests pass with all of them. */
export function survivorsOf(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ without, passed, failed }) => (without === null ? failed > 0 || passed === 0 : failed === 0))
    .map(({ without }) => without ?? 'the tests fail with every rule in place');
}
