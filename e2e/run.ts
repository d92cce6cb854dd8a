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
import { addTallies, NOTHING_RAN, readTally, type Tally, tallyText } from './tally.ts';

interface Suite {
  readonly name: string;
  /** Which test files belong to it, by their path from the project's folder. */
  readonly files: RegExp;
  readonly needsBrowser?: true;
  /** It breaks disks, processes and locks, and takes minutes: it runs with --all, or when it is asked for. */
  readonly isThorough?: true;
  /** They run on a Postgres server that is started for them, else on SQLite. */
  readonly onPostgres?: true;
}

/** What has to do with a database, but for what is about the files of SQLite. */
const WITH_DATABASE = new RegExp(
  [
    '^db/(rows|postgres-.*)\\.test',
    '^server/(admin|api|audit|sessions|tokens|users)/',
    '^server/(app|http/authenticate)\\.test',
    '^e2e/(conformance|interop|instances)/',
    '^e2e/attack/(?!process|keys|clock|flood|admin-(se|markup))',
  ].join('|'),
);

/** What a test file says that has to do with one. */
const NAMES_DATABASE = /\bdb\b|Database|startAdmin|onTwoConnections|startServer|Attack|AdminSite|replay/;

const SUITES: readonly Suite[] = [
  { name: 'unit', files: /^(server\/|db\/(?!postgres-)|e2e\/[^/]+$)/ },
  { name: 'conformance', files: /^e2e\/conformance\// },
  { name: 'interop', files: /^e2e\/interop\// },
  { name: 'attack', files: /^e2e\/attack\// },
  { name: 'mutation', files: /^e2e\/mutation\//, isThorough: true },
  { name: 'crash', files: /^e2e\/crash\//, isThorough: true },
  { name: 'postgres', files: WITH_DATABASE, onPostgres: true },
  { name: 'browser', files: /^e2e\/browser\//, needsBrowser: true },
];

/** How long one test may take, a whole file included, in milliseconds: what hangs is ended and counts as failed. */
const TEST_LIMIT = 600_000;

async function main(): Promise<Tally> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, all: { type: 'boolean' } } });
  const suites = SUITES.filter(({ name, isThorough }) =>
    values.only === undefined ? values.all || !isThorough : name === values.only,
  );
  if (suites.length === 0)
    throw new Error(`--only takes one of ${SUITES.map(({ name }) => name).join(', ')}`);
  if (!compiled()) return NOTHING_RAN;
  const tallies: Tally[] = [];
  const cases = new CaseTable();
  for (const suite of suites) tallies.push(await runSuite(suite, cases));
  if (!cases.isEmpty) console.log(`\n${cases.text()}`);
  console.log(`\n${table(suites, tallies)}\n`);
  const complaints = values.all ? cases.complaints() : [];
  for (const complaint of complaints) console.log(complaint);
  return tallies.reduce(addTallies, { passed: 0, failed: complaints.length, skipped: 0 });
}

function compiled(): boolean {
  const tsc = join(PROJECT_FOLDER, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-b'], { cwd: PROJECT_FOLDER, stdio: 'inherit' }).status === 0;
}

async function runSuite(suite: Suite, cases: CaseTable): Promise<Tally> {
  console.log(`\n== ${suite.name}\n`);
  const files = testFiles(suite.files).filter(
    (file) => !suite.onPostgres || NAMES_DATABASE.test(readFileSync(file, 'utf8')),
  );
  if (files.length === 0) {
    console.log('There is no test to run.');
    return NOTHING_RAN;
  }
  const stops: (() => Promise<void>)[] = [];
  try {
    const environment: Record<string, string> = {};
    if (suite.needsBrowser) environment.CHROMIUM_PATH = await findChromium();
    if (suite.onPostgres) {
      const server = await startPostgres();
      stops.push(server.remove);
      environment.TEST_DATABASE = await makeTemplate(server.url);
      console.log(`On Postgres ${server.version}\n`);
    }
    return await runTests(files, environment, cases);
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    return NOTHING_RAN;
  } finally {
    for (const stop of stops) await stop();
  }
}

/** Found by hand: node --test takes patterns from Node 21 on. */
function testFiles(wanted: RegExp): string[] {
  const paths = ['server', 'db', 'e2e'].flatMap((folder) =>
    readdirSync(join(PROJECT_FOLDER, folder), { recursive: true, encoding: 'utf8' }).map(
      (path) => `${folder}/${path.split(sep).join('/')}`,
    ),
  );
  const tests = paths.filter((path) => path.endsWith('.test.ts') && wanted.test(path)).sort();
  return tests.map((path) => join(PROJECT_FOLDER, path));
}

/** Runs the files with the readable report on the terminal and a TAP one aside, which is what is counted. */
async function runTests(
  files: readonly string[],
  environment: Readonly<Record<string, string>>,
  cases: CaseTable,
): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-tests-'));
  const report = join(folder, 'report.tap');
  const counts = join(folder, 'cases');
  try {
    const exitCode = await finished(
      [
        ...['--import', 'tsx', '--test', '--test-concurrency=2', `--test-timeout=${TEST_LIMIT}`],
        ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
        ...['--test-reporter=tap', `--test-reporter-destination=${report}`, ...files],
      ],
      { ...environment, CASE_COUNTS: counts },
    );
    const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
    cases.add(text, counts);
    return readTally(text, files, exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finished(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, parameters, {
      cwd: PROJECT_FOLDER,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}

function table(suites: readonly Suite[], tallies: readonly Tally[]): string {
  const rows = suites.map(
    ({ name }, index) => `${name.padEnd(14)}${tallyText(tallies[index] ?? NOTHING_RAN)}`,
  );
  return rows.join('\n');
}

const total = await main();
console.log(tallyText(total));
process.exitCode = total.failed > 0 ? 1 : 0;
