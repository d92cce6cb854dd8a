import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { byDialect } from '../../db/by-dialect.ts';
import { connect } from '../../db/connect.ts';
import { toSqlTime } from '../../db/values.ts';
import { MAIN_FILE } from '../server-process.ts';
import {
  type Contestant,
  enter,
  leave,
  OPERATION_SETTINGS,
  ROTATION,
  rotate,
  verify,
} from './size-operations.ts';
import type { Place, Places } from './size-places.ts';
import type { Race } from './size-races.ts';

/** For how long requests are timed in each case, in milliseconds. */
const WINDOW = 10_000;

/** How many expired tokens the empty database is given, so that there is something to purge there as well. */
const EXPIRED = 600_000;

const CASES = ['nothing is purged', 'the server purges', 'flushexpiredtokens runs'] as const;

type Case = (typeof CASES)[number];

/** How long verifying and rotating take while expired tokens are purged, and while none are. */
export async function timePurge(places: Places): Promise<Race[]> {
  await addExpired(places.empty);
  const races: Race[] = [];
  for (const name of CASES) {
    const empty = await duringCase(places.empty, name);
    const full = await duringCase(places.full, name);
    const note = `purged a second: ${full.purged}, on the empty one ${empty.purged}`;
    for (const operation of ['verify', 'rotation'] as const) {
      const times = { full: full[operation], empty: empty[operation] };
      races.push({ name: `${operation} while ${name}`, ...times, ...(full.purged > 0 && { note }) });
    }
  }
  return races;
}

interface During {
  verify: number[];
  rotation: number[];
  /** Tokens a second. */
  purged: number;
}

async function duringCase(place: Place, name: Case): Promise<During> {
  const one = await enter(place, {
    ...ROTATION,
    ...(name === 'the server purges' && { FLUSH_INTERVAL: '1s' }),
  });
  const command = name === 'flushexpiredtokens runs' ? startCommand(place) : undefined;
  // The first purge of a server comes a second after its start, as it is told here.
  await pause(1_000);
  const [before, started] = [await countExpired(place), performance.now()];
  const times = await timeRequests(one);
  const [after, ended] = [await countExpired(place), performance.now()];
  if (command !== undefined) await stop(command);
  await leave(one);
  return { ...times, purged: Math.round(((before - after) / (ended - started)) * 1000) };
}

async function timeRequests(one: Contestant): Promise<{ verify: number[]; rotation: number[] }> {
  const times = { verify: [] as number[], rotation: [] as number[] };
  const end = performance.now() + WINDOW;
  for (let round = 0; performance.now() < end; round += 1) {
    times.verify.push(await verify(one, round));
    times.rotation.push(await rotate(one, round));
  }
  return times;
}

/** As on the command line, in a process of its own beside the server. */
function startCommand({ folder, url }: Place): ChildProcess {
  return spawn(process.execPath, [MAIN_FILE, 'flushexpiredtokens'], {
    cwd: folder,
    env: { ...OPERATION_SETTINGS, PATH: process.env.PATH, DATABASE_URL: url },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function stop(command: ChildProcess): Promise<void> {
  if (command.exitCode !== null) return;
  const exited = once(command, 'exit');
  command.kill('SIGKILL');
  await exited;
}

/** Expired a while ago: nothing comes to them while they are counted. */
async function countExpired({ url }: Place): Promise<number> {
  const db = connect(url);
  const { count } = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('expires_at', '<', toSqlTime(new Date(Date.now() - 3_600_000)))
    .executeTakeFirstOrThrow();
  await db.destroy();
  return Number(count);
}

async function addExpired({ url }: Place): Promise<void> {
  const db = connect(url);
  const day = (ago: number) => toSqlTime(new Date(Date.now() - ago * 86_400_000));
  await sql`insert into token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
    with recursive n (i) as (select 1 union all select i + 1 from n where i < ${EXPIRED})
    select ${'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.'.padEnd(220, 'x')}, cast(${day(9)} as ${byTime}),
      cast(${day(4)} as ${byTime}), null, 'expired-' || i from n`.execute(db);
  await db.destroy();
}

/** SQLite keeps times as texts, and a cast to any other type would make a number of one. */
const byTime = byDialect({ sqlite: sql`text`, postgres: sql`timestamptz` });
