import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { CaseTable } from './case-table.ts';
import { findChromium } from './chromium.ts';
import { startPostgres } from './postgres.ts';
import { makeTemplate } from './postgres-template.ts';
import { PROJECT_FOLDER } from './server-process.ts';
import { addTallies, NO_TEST, NOTHING_RAN, readTally, type Tally, tallyText } from './tally.ts';

interface Suite {
  readonly name: string;
  /** Which test files belong to it, by their path from the project's folder. */
  readonly files: RegExp;
  readonly needsBrowser?: true;
  /** They run on a Postgres server that is started for them, else on SQLite. */
  readonly onPostgres?: true;
}

/** What has to do with a database, but for what is about the files of SQLite. */
const WITH_DATABASE = new RegExp(
  [
    '^db/(rows|find-page|postgres-.*)\\.test',
    '^server/(admin|api|audit|commands|console|sessions|tokens|users)/',
    '^server/(app|http/authenticate)\\.test',
    '^e2e/(attack|conformance|interop|instances)/',
  ].join('|'),
);

/** What a test file says that has to do with one. */
const NAMES_DATABASE = /\bdb\b|Database|startAdmin|onTwoConnections|startServer|Attack|AdminSite|replay/;

const SUITES: readonly Suite[] = [
  { name: 'crash', files: /^e2e\/crash\// },
  { name: 'unit', files: /^(server\/|db\/(?!postgres-)|e2e\/[^/]+$)/ },
  { name: 'conformance', files: /^e2e\/conformance\// },
  { name: 'interop', files: /^e2e\/interop\// },
  { name: 'attack', files: /^e2e\/attack\// },
  { name: 'mutation', files: /^e2e\/mutation\// },
  { name: 'postgres', files: WITH_DATABASE, onPostgres: true },
  { name: 'browser', files: /^e2e\/browser\//, needsBrowser: true },
];

/** How long a process of several files may take, in milliseconds: what hangs is ended and counts as failed. */
const TIME_LIMIT = 600_000;

/** How many processes run tests at a time: one more than the cores that are meant, as there is waiting in all of them. */
const AT_ONCE = 3;

/**
 * Into how many processes a suite's files are dealt. Each loads the program from its sources, which takes more than a
 * second; with fewer, the last would be alone for long.
 */
const BATCHES = 4;

/** Some files of a suite that run in a process of their own. */
interface Batch {
  readonly suite: Suite;
  readonly files: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

async function main(): Promise<Tally> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const suites = SUITES.filter(({ name }) => values.only === undefined || name === values.only);
  if (suites.length === 0)
    throw new Error(`--only takes one of ${SUITES.map(({ name }) => name).join(', ')}`);
  if (!compiled()) return NOTHING_RAN;
  const tallies = new Map<Suite, Tally>();
  const cases = new CaseTable();
  const add = (suite: Suite, tally: Tally) =>
    tallies.set(suite, addTallies(tallies.get(suite) ?? NO_TEST, tally));
  const stops: (() => Promise<void>)[] = [];
  try {
    const batches: Batch[] = [];
    for (const suite of suites) {
      try {
        batches.push(...(await batchesOf(suite, stops)));
      } catch (error) {
        console.log(`${suite.name}: ${error instanceof Error ? error.message : error}`);
        add(suite, NOTHING_RAN);
      }
    }
    const worker = async () => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        add(batch.suite, await runBatch(batch, cases));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    for (const stop of stops) await stop();
  }
  if (!cases.isEmpty) console.log(`\n${cases.text()}`);
  console.log(`\n${table(suites, tallies)}\n`);
  const complaints = values.only === undefined ? cases.complaints() : [];
  for (const complaint of complaints) console.log(complaint);
  return [...tallies.values()].reduce(addTallies, { ...NO_TEST, failed: complaints.length });
}

function compiled(): boolean {
  const tsc = join(PROJECT_FOLDER, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-b'], { cwd: PROJECT_FOLDER, stdio: 'inherit' }).status === 0;
}

/** Finds or starts what a suite needs besides its files, and deals them out. */
async function batchesOf(suite: Suite, stops: (() => Promise<void>)[]): Promise<Batch[]> {
  const files = testFiles(suite.files).filter(
    (file) => !suite.onPostgres || NAMES_DATABASE.test(readFileSync(join(PROJECT_FOLDER, file), 'utf8')),
  );
  if (files.length === 0) throw new Error('There is no test to run.');
  const environment: Record<string, string> = {};
  if (suite.needsBrowser) environment.CHROMIUM_PATH = await findChromium();
  if (suite.onPostgres) {
    const server = await startPostgres();
    stops.push(server.remove);
    environment.TEST_DATABASE = await makeTemplate(server.url);
    console.log(`On Postgres ${server.version}`);
  }
  const dealt = Array.from({ length: Math.min(BATCHES, files.length) }, (_, batch) =>
    files.filter((_file, index) => index % BATCHES === batch),
  );
  return dealt.map((some) => ({ suite, files: some, environment }));
}

/** Found by hand: node --test takes patterns from Node 21 on. */
function testFiles(wanted: RegExp): string[] {
  const paths = ['server', 'db', 'e2e'].flatMap((folder) =>
    readdirSync(join(PROJECT_FOLDER, folder), { recursive: true, encoding: 'utf8' }).map(
      (path) => `${folder}/${path.split(sep).join('/')}`,
    ),
  );
  return paths.filter((path) => path.endsWith('.test.ts') && wanted.test(path)).sort();
}

/** Runs the files and prints the readable report once all are done; what is counted is a TAP one, aside. */
async function runBatch({ suite, files, environment }: Batch, cases: CaseTable): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-tests-'));
  const report = join(folder, 'report.tap');
  const counts = join(folder, 'cases');
  try {
    const started = performance.now();
    const { code, output } = await finished(
      [
        ...['--import', 'tsx', '--test-reporter=spec', '--test-reporter-destination=stdout'],
        ...['--test-reporter=tap', `--test-reporter-destination=${report}`],
        ...[join(PROJECT_FOLDER, 'e2e', 'batch.ts'), ...files],
      ],
      { ...environment, CASE_COUNTS: counts, SHORT_LIVED: 'yes' },
    );
    const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
    cases.add(text, counts);
    const tally = readTally(text, files, code);
    const seconds = Math.round((performance.now() - started) / 1000);
    console.log(`\n== ${suite.name}: ${tallyText(tally)} in ${seconds} s\n\n${output}`);
    return tally;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finished(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, {
      cwd: PROJECT_FOLDER,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const limit = setTimeout(() => {
      output += `\nEnded: it took longer than ${TIME_LIMIT / 1000} s.\n`;
      child.kill('SIGKILL');
    }, TIME_LIMIT);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    });
  });
}

function table(suites: readonly Suite[], tallies: ReadonlyMap<Suite, Tally>): string {
  const rows = suites.map(
    (suite) => `${suite.name.padEnd(14)}${tallyText(tallies.get(suite) ?? NOTHING_RAN)}`,
  );
  return rows.join('\n');
}

const total = await main();
console.log(tallyText(total));
process.exitCode = total.failed > 0 ? 1 : 0;
