import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { connect } from '../../db/connect.ts';
import { findPage } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { databaseOf, sizedFolder } from './size-database.ts';
import type { Size } from './size-rows.ts';
import { type SizeCase, sizeCases } from './size-searches.ts';
import { timePages } from './size-servers.ts';
import { MOST, ROUNDS, sizeTable, type Timing } from './size-table.ts';
import { median } from './table.ts';

const PAGE_SIZE = 100;

async function main(): Promise<number> {
  const { size, only } = readOptions();
  const folders = { full: await folderOf(size), empty: await folderOf({ users: 0, tokens: 0 }) };
  const results: Timing[][] = [];
  if (only !== 'pages') results.push(await show('findPage', () => timeSearches(folders)));
  if (only !== 'searches') results.push(await show('the pages of the admin', () => timePages(folders)));
  const slow = results.flat().filter(({ full, wrong }) => full > MOST || wrong !== undefined);
  for (const { name, full, wrong } of slow) console.log(`${name}: ${wrong ?? `${full.toFixed(0)} ms`}`);
  console.log(`The machine's load was ${loadavg()[0]?.toFixed(1)}, on ${availableParallelism()} cores.`);
  console.log(`${results.flat().length - slow.length} of ${results.flat().length} within ${MOST} ms`);
  return slow.length === 0 ? 0 : 1;
}

function readOptions(): { size: Size; only: string | undefined } {
  const { values } = parseArgs({
    options: {
      users: { type: 'string', default: '1000000' },
      tokens: { type: 'string', default: '5000000' },
      only: { type: 'string' },
    },
  });
  const size = { users: Number(values.users), tokens: Number(values.tokens) };
  if (!Object.values(size).every((value) => Number.isInteger(value) && value > 0)) {
    throw new Error('--users and --tokens take whole numbers above 0');
  }
  if (values.only !== undefined && !['searches', 'pages'].includes(values.only)) {
    throw new Error('--only takes searches or pages');
  }
  return { size, only: values.only };
}

async function folderOf(size: Size): Promise<string> {
  const folder = await sizedFolder(size);
  console.log(`${size.users} users and ${size.tokens} tokens: ${folder}`);
  return folder;
}

async function show(title: string, measure: () => Promise<Timing[]>): Promise<Timing[]> {
  const timings = await measure();
  console.log(`\n${sizeTable(title, timings)}\n`);
  return timings;
}

/** Each search on both databases, one after the other: what else the machine does then hits both alike. */
async function timeSearches(folders: { full: string; empty: string }): Promise<Timing[]> {
  const [full, empty] = [folders.full, folders.empty].map((folder) =>
    connect(`sqlite:${databaseOf(folder)}`),
  ) as [Database, Database];
  const timings: Timing[] = [];
  for (const one of sizeCases()) {
    const onFull = await timed(full, one);
    timings.push({
      name: one.name,
      empty: (await timed(empty, one)).took,
      full: onFull.took,
      found: onFull.found,
    });
  }
  await Promise.all([full.destroy(), empty.destroy()]);
  return timings;
}

async function timed(db: Database, { search, page }: SizeCase): Promise<{ took: number; found: string }> {
  const times: number[] = [];
  let found = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const answer = await findPage(db, { ...search, page: page ?? Number.MAX_SAFE_INTEGER, size: PAGE_SIZE });
    times.push(performance.now() - started);
    found = `${answer.isMore ? '> ' : ''}${answer.total}${answer.isPartial ? ', partly' : ''}`;
  }
  return { took: median(times), found };
}

process.exitCode = await main();
