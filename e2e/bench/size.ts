import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { connect } from '../../db/connect.ts';
import { findPage } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { explainOperations } from './size-explained.ts';
import { timeOperations } from './size-operations.ts';
import { copiedOnSqlite, keptOnSqlite, onPostgres, type Places } from './size-places.ts';
import { endlessText, plansText } from './size-plans.ts';
import { timePurge } from './size-purge.ts';
import { isFlat, raceTable } from './size-races.ts';
import type { Size } from './size-rows.ts';
import { type SizeCase, sizeCases } from './size-searches.ts';
import { explainPages, timePages } from './size-servers.ts';
import { MOST, ROUNDS, sizeTable, type Timing } from './size-table.ts';
import { median } from './table.ts';

const PAGE_SIZE = 100;

const PARTS = ['searches', 'pages', 'operations'] as const;

type Part = (typeof PARTS)[number];

async function main(): Promise<number> {
  const options = readOptions();
  const { size, isOnPostgres } = options;
  const wants = (part: Part) => options.only === undefined || options.only === part;
  const places = await (isOnPostgres ? onPostgres(size) : keptOnSqlite(size));
  try {
    const results: Timing[][] = [];
    if (wants('searches')) results.push(await show('findPage', () => timeSearches(places)));
    if (wants('pages')) {
      results.push(await show('the pages of the admin', () => timePages(places)));
      console.log(`The pages: ${endlessText(await explainPages(places.full))}\n`);
    }
    const isGood = [results.length === 0 || judge(results.flat())];
    if (wants('operations')) isGood.push(await onCopies(places, isOnPostgres));
    console.log(`The machine's load was ${loadavg()[0]?.toFixed(1)}, on ${availableParallelism()} cores.`);
    return isGood.every(Boolean) ? 0 : 1;
  } finally {
    await places.close();
  }
}

/** What happens to tokens adds rows and deletes them, so it is done to copies, unless nothing is kept anyway. */
async function onCopies(places: Places, isOnPostgres: boolean): Promise<boolean> {
  if (isOnPostgres) return showOperations(places);
  const copies = copiedOnSqlite(places);
  try {
    return await showOperations(copies);
  } finally {
    await copies.close();
  }
}

/** Says whether all is well. */
async function showOperations(places: Places): Promise<boolean> {
  const operations = await timeOperations(places);
  console.log(`\n${raceTable('milliseconds', operations)}\n`);
  const purge = await timePurge(places);
  console.log(`${raceTable('milliseconds', purge)}\n`);
  const plans = await explainOperations(places.full);
  console.log(`${plansText(plans)}\n`);
  return [...operations, ...purge].every(isFlat) && plans.every(({ scans }) => scans.length === 0);
}

/** Says what is slow, and whether nothing is. */
function judge(results: readonly Timing[]): boolean {
  const slow = results.filter(({ full, wrong }) => full > MOST || wrong !== undefined);
  for (const { name, full, wrong } of slow) console.log(`${name}: ${wrong ?? `${full.toFixed(0)} ms`}`);
  console.log(`${results.length - slow.length} of ${results.length} within ${MOST} ms`);
  return slow.length === 0;
}

interface Options {
  size: Size;
  only: Part | undefined;
  isOnPostgres: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000000' },
      tokens: { type: 'string', default: '5000000' },
      only: { type: 'string' },
      postgres: { type: 'boolean', default: false },
    },
  });
  const size = { users: Number(values.users), tokens: Number(values.tokens) };
  if (!Object.values(size).every((value) => Number.isInteger(value) && value > 0)) {
    throw new Error('--users and --tokens take whole numbers above 0');
  }
  const only = PARTS.find((part) => part === values.only);
  if (only !== values.only) throw new Error(`--only takes one of ${PARTS.join(', ')}`);
  return { size, only, isOnPostgres: values.postgres };
}

async function show(title: string, measure: () => Promise<Timing[]>): Promise<Timing[]> {
  const timings = await measure();
  console.log(`\n${sizeTable(title, timings)}\n`);
  return timings;
}

/** Each search on both databases, one after the other: what else the machine does then hits both alike. */
async function timeSearches(places: Places): Promise<Timing[]> {
  const [full, empty] = [connect(places.full.url), connect(places.empty.url)];
  const timings: Timing[] = [];
  for (const one of sizeCases()) {
    const { took, found, wrong } = await timed(full, one);
    const onEmpty = (await timed(empty, one)).took;
    timings.push({
      name: one.name,
      empty: onEmpty,
      full: took,
      found,
      ...(wrong !== undefined && { wrong }),
    });
  }
  await Promise.all([full.destroy(), empty.destroy()]);
  return timings;
}

async function timed(
  db: Database,
  { search, page }: SizeCase,
): Promise<{ took: number; found: string; wrong?: string }> {
  const times: number[] = [];
  let found = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    try {
      const answer = await findPage(db, {
        ...search,
        page: page ?? Number.MAX_SAFE_INTEGER,
        size: PAGE_SIZE,
      });
      found = `${answer.isMore ? '> ' : ''}${answer.total}${answer.isPartial ? ', partly' : ''}`;
    } catch (error) {
      // Postgres gives up what takes too long.
      return { took: performance.now() - started, found, wrong: String(error) };
    }
    times.push(performance.now() - started);
  }
  return { took: median(times), found };
}

process.exitCode = await main();
