import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { noteCase } from '../case-table.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { ask, askedSoFar } from './client.ts';
import { damages, Ledger } from './ledger.ts';
import { killAt, type Sync, traceSyncs } from './strace.ts';

const PASSWORD = 'pw-Fixture-123';
const SETTINGS = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' };

/** What one of the test's clocks may differ from the system's, in milliseconds. */
const TOLERANCE = 2;

const folder = mkdtempSync(join(tmpdir(), 'jotgate-durability-'));
after(() => noteCase(39, askedSoFar()));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

/** An answer that says that something was written, and when it was asked for and had; milliseconds since the epoch. */
interface Acknowledged {
  readonly asked: number;
  readonly answered: number;
}

const clock = () => performance.timeOrigin + performance.now();

async function timed<Result>(work: () => Promise<Result>, into: Acknowledged[]): Promise<Result> {
  const asked = clock();
  const result = await work();
  into.push({ asked, answered: clock() });
  return result;
}

async function post(server: ServerProcess, path: string, fields: Record<string, string>) {
  const { status, body } = await ask(server.url, path, fields);
  assert.equal(status, 200, JSON.stringify(body));
  return body as { refresh: string };
}

const logIn = (server: ServerProcess) => post(server, '/api/token/', { username: 'ada', password: PASSWORD });

/** Log-ins, rotations and log-outs, several at the same time and one after another. */
async function work(server: ServerProcess, atOnce: number, steps: number): Promise<Acknowledged[]> {
  const done: Acknowledged[] = [];
  const one = async () => {
    let { refresh } = await timed(() => logIn(server), done);
    for (let step = 0; step < steps; step += 1) {
      ({ refresh } = await timed(() => post(server, '/api/token/refresh/', { refresh }), done));
    }
    await timed(() => post(server, '/api/token/blacklist/', { refresh }), done);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return done;
}

function isCovered({ asked, answered }: Acknowledged, syncs: readonly Sync[]): boolean {
  return syncs.some(({ began, ended }) => began > asked - TOLERANCE && ended < answered + TOLERANCE);
}

for (const time of ['first', 'second'] as const) {
  test(`case 39: nothing is acknowledged before it is synced to the disk, after the ${time} open`, async () => {
    const server = await startServer({ folder, settings: SETTINGS });
    try {
      if (time === 'first') await server.createUser({ username: 'ada', password: PASSWORD });
      const trace = await traceSyncs(server.pid);
      const alone = await work(server, 1, 20);
      const together = await work(server, 8, 4);
      const syncs = (await trace.stop()).filter(({ path }) => path.startsWith(server.database));
      const ofOne = syncs.filter(({ ended }) => ended < (alone.at(-1)?.answered ?? 0) + TOLERANCE);
      console.log(
        `After the ${time} open: ${alone.length} writes one after another, ${ofOne.length} syncs; ` +
          `${together.length} by 8 at once, ${syncs.length - ofOne.length} syncs.`,
      );
      assert.ok(ofOne.length >= alone.length, 'one after another, each has a sync of its own');
      const early = [...alone, ...together].filter((answer) => !isCovered(answer, syncs));
      assert.deepEqual(early, [], 'answered without a sync between the question and the answer');
    } finally {
      await server.stop();
    }
  });
}

/** What a rotation asks of the system: some dozen pages, and a sync of all of them. */
const MOMENTS = [
  ['pwrite64', 5],
  ['fsync,fdatasync', 1],
] as const;

test('case 39: killed in the middle of a write, a rotation has happened as a whole or not at all', async () => {
  for (const [calls, nth] of MOMENTS) {
    const ledger = new Ledger();
    const server = await startServer({ folder, settings: SETTINGS });
    const { refresh } = await logIn(server);
    ledger.issued(refresh);
    await killAt(server.pid, calls, nth);
    await assert.rejects(
      ask(server.url, '/api/token/refresh/', { refresh }),
      `${calls} ${nth}: it was not killed`,
    );
    await assert.rejects(server.stop());
    const next = await startServer({ folder, settings: SETTINGS });
    try {
      assert.deepEqual(await damages(next.databaseUrl), []);
      assert.deepEqual(await ledger.breaches(next.databaseUrl), []);
      const { status, body } = await ask(next.url, '/api/token/refresh/', { refresh });
      assert.ok(status === 200 || status === 401, `${status}`);
      if (status === 200) ledger.rotated(refresh, body.refresh as string);
      assert.deepEqual(await ledger.breaches(next.databaseUrl), []);
    } finally {
      await next.stop();
    }
  }
});
