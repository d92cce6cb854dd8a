import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** How many cases of attacks and faults there are; tests name theirs as `case 12` or `cases 1 to 5`. */
const CASES = 44;

/** Answers of 5xx are what these ask for: a flood of log-ins, a database that is full, locked or away. */
const MAY_FAIL: readonly number[] = [23, 40];

/** What was sent to a server under one case. */
export interface CaseCount {
  readonly requests: number;
  /** How many were answered 5xx. */
  readonly serverErrors: number;
}

/** Notes what a test file sent under a case, for the table at the end of all; nothing where there is none. */
export function noteCase(number: number, count: CaseCount): void {
  const file = process.env.CASE_COUNTS;
  if (file) appendFileSync(file, `${JSON.stringify({ number, ...count })}\n`);
}

interface Row {
  tests: number;
  requests: number;
  serverErrors: number;
}

/** How many tests each case has, what they sent, and how much of that was answered 5xx. */
export class CaseTable {
  readonly #rows = new Map<number, Row>();

  /** Takes in what a suite reported, and the file of what its tests noted. */
  add(report: string, counts: string): void {
    for (const number of testedCases(report)) this.#row(number).tests += 1;
    if (!existsSync(counts)) return;
    for (const line of readFileSync(counts, 'utf8').trim().split('\n')) {
      const { number, requests, serverErrors } = JSON.parse(line) as CaseCount & { number: number };
      const row = this.#row(number);
      row.requests += requests;
      row.serverErrors += serverErrors;
    }
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0;
  }

  /** What is not as it should be, a line each. */
  complaints(): string[] {
    const numbers = Array.from({ length: CASES }, (_, index) => index + 1);
    return numbers.flatMap((number) => {
      const { tests, serverErrors } = this.#row(number);
      if (tests === 0) return [`case ${number} has no test`];
      return serverErrors > 0 && !MAY_FAIL.includes(number) ? [`case ${number} was answered 5xx`] : [];
    });
  }

  text(): string {
    const numbers = [...this.#rows.keys()].sort((one, other) => one - other);
    const rows = numbers.map((number) => ({ name: `case ${number}`, ...this.#row(number) }));
    const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
    const total = {
      name: `${rows.filter(({ tests }) => tests > 0).length} cases`,
      tests: sum(({ tests }) => tests),
      requests: sum(({ requests }) => requests),
      serverErrors: sum(({ serverErrors }) => serverErrors),
    };
    const expected = MAY_FAIL.join(' and ');
    return [
      line('', 'tests', 'requests', '5xx'),
      ...[...rows, total].map((row) =>
        line(row.name, String(row.tests), String(row.requests), String(row.serverErrors)),
      ),
      `5xx is what cases ${expected} ask for.`,
    ].join('\n');
  }

  #row(number: number): Row {
    const row = this.#rows.get(number) ?? { tests: 0, requests: 0, serverErrors: 0 };
    this.#rows.set(number, row);
    return row;
  }
}

function line(name: string, ...figures: readonly string[]): string {
  return name.padEnd(10) + figures.map((figure) => figure.padStart(10)).join('');
}

/**
 * The cases of every test of a TAP report that passed, by its name or that of a suite around it. A test of two cases
 * is there twice.
 */
export function testedCases(report: string): number[] {
  const cases: number[] = [];
  /** The names around a test, by how far they are indented, and whether anything is inside them. */
  const around: { name: string; indent: number; isSuite: boolean }[] = [];
  for (const text of report.split('\n')) {
    const begun = /^( *)# Subtest: (.*)$/.exec(text);
    if (begun) {
      const indent = begun[1]?.length ?? 0;
      while ((around.at(-1)?.indent ?? -1) >= indent) around.pop();
      const parent = around.at(-1);
      if (parent) parent.isSuite = true;
      around.push({ name: begun[2] ?? '', indent, isSuite: false });
      continue;
    }
    const indent = /^( *)ok \d+ - /.exec(text)?.[1]?.length;
    while (indent !== undefined && (around.at(-1)?.indent ?? -1) > indent) around.pop();
    const ended = around.at(-1);
    if (indent === undefined || ended?.indent !== indent) continue;
    if (!ended.isSuite) cases.push(...new Set(around.flatMap(({ name }) => casesIn(name))));
    around.pop();
  }
  return cases;
}

/** Of `case 3: …`, 3; of `cases 1 to 3: …`, 1, 2 and 3. */
function casesIn(name: string): number[] {
  const [, from, to = from] = /\bcases? (\d+)(?: to (\d+))?/.exec(name) ?? [];
  if (from === undefined) return [];
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
}
