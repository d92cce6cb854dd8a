import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { startServer } from '../server-process.ts';
import { type Contender, echo, enter } from './contenders.ts';
import { lifetimes } from './lifetimes.ts';
import type { Load, Measurement } from './load.ts';
import { median, type Row, table } from './table.ts';

/** The settings of the server under test; those not named are its defaults. */
const SETTINGS = { LOG_LEVEL: 'warn' };

/** How many connections send at once, and how many idle ones a server has that is told to end. */
const CONNECTIONS = 16;

interface Options {
  /** How long one measurement takes, in seconds. */
  readonly seconds: number;
  readonly rounds: number;
}

/** A measurement of a contender and the one of the echo right before it. */
interface Heat {
  readonly own: Measurement;
  readonly echo: Measurement;
}

async function main(): Promise<number> {
  const options = readOptions();
  console.log(
    `${options.rounds} rounds of ${options.seconds} s each, ${CONNECTIONS} connections, ${new URLSearchParams(SETTINGS)}`,
  );
  const heats = await race(options);
  const life = await lifetimes(options.rounds, CONNECTIONS, SETTINGS);
  const rows = [
    echoRow(heats),
    ...[...heats].map(([contender, list]) => contenderRow(contender, list)),
    ...life,
  ];
  console.log(`\n${table(rows)}`);
  const wrong = rows.reduce((sum, row) => sum + (row.wrong ?? 0), 0);
  console.log(wrong === 0 ? '\nNo wrong answer.' : `\n${wrong} wrong answers.`);
  return wrong === 0 ? 0 : 1;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '5' } },
  });
  const options = { seconds: Number(values.seconds), rounds: Number(values.rounds) };
  if (!Object.values(options).every((value) => Number.isInteger(value) && value > 0)) {
    throw new Error('--seconds and --rounds take whole numbers above 0');
  }
  return options;
}

/** Echo, verify, echo, refresh, echo, page, and over again: what else the machine does then hits all alike. */
async function race({ seconds, rounds }: Options): Promise<Map<Contender, Heat[]>> {
  const server = await startServer({ settings: SETTINGS });
  const children = [start('echo.ts'), start('load.ts')] as const;
  const [yardstick, loader] = children;
  try {
    const echoUrl = await message<string>(yardstick);
    const { contenders, echoBody } = await enter(server);
    const measure = (load: Omit<Load, 'connections' | 'duration'>, duration = seconds) => {
      loader.send({ ...load, connections: CONNECTIONS, duration });
      return message<Measurement>(loader);
    };
    for (const load of [echo(echoUrl, echoBody), ...contenders]) await measure(load, 1);
    const heats = new Map<Contender, Heat[]>(contenders.map((contender) => [contender, []]));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [contender, list] of heats) {
        const yardstickNow = await measure(echo(echoUrl, echoBody));
        list.push({ echo: yardstickNow, own: await measure(contender) });
      }
      console.log(
        `round ${round}: ${[...heats].map(([{ name }, list]) => `${name} ${lastRatio(list)}`).join(', ')}`,
      );
    }
    return heats;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await server.stop();
  }
}

function start(file: string): ChildProcess {
  return fork(new URL(file, import.meta.url), { execArgv: ['--import', 'tsx'] });
}

/** @throws Error when the process ends instead of sending one */
function message<Content>(child: ChildProcess): Promise<Content> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('A process of the benchmark ended'));
    child.once('exit', onExit);
    child.once('message', (content) => {
      child.off('exit', onExit);
      resolve(content as Content);
    });
  });
}

const ratio = ({ own, echo: yardstick }: Heat) => own.requestsPerSecond / yardstick.requestsPerSecond;

function lastRatio(heats: readonly Heat[]): string {
  const last = heats.at(-1);
  return last === undefined ? '' : ratio(last).toFixed(2);
}

function echoRow(heats: ReadonlyMap<Contender, readonly Heat[]>): Row {
  return measuredRow(
    'echo (Fastify)',
    [...heats.values()].flat().map((heat) => heat.echo),
  );
}

function contenderRow({ name, target }: Contender, heats: readonly Heat[]): Row {
  const own = heats.map((heat) => heat.own);
  return { ...measuredRow(name, own), ratio: median(heats.map(ratio)), target };
}

function measuredRow(name: string, measurements: readonly Measurement[]): Row {
  const middle = (key: keyof Measurement) => median(measurements.map((measurement) => measurement[key]));
  return {
    name,
    requestsPerSecond: middle('requestsPerSecond'),
    p50: middle('p50'),
    p99: middle('p99'),
    wrong: measurements.reduce((sum, { wrong }) => sum + wrong, 0),
  };
}

process.exitCode = await main();
