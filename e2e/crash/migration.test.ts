import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from '../../db/connect.ts';
import { listMigrations, migrate } from '../../db/migrate.ts';
import { run } from '../attack/start.ts';
import { queryDatabase } from '../database-query.ts';
import { MAIN_FILE, startServer } from '../server-process.ts';
import { killedAt } from './strace.ts';

const root = mkdtempSync(join(tmpdir(), 'jotgate-migration-'));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

const newFolder = () => mkdtempSync(join(root, 'installation-'));
const urlIn = (folder: string) => `sqlite:${join(folder, 'data', 'jotgate.sqlite3')}`;

/** The statements that made a database, and what it says of its migrations, in order. */
async function schemaOf(url: string): Promise<unknown> {
  const schema = await queryDatabase(url, 'select type, name, sql from sqlite_schema order by type, name');
  const migrations = await queryDatabase(url, 'select name from jotgate_migration order by name');
  return { schema, migrations };
}

/** Runs a migration that is killed at its nth call; whether it was. */
async function migrateAndDie(folder: string, calls: string, nth: number): Promise<boolean> {
  const [program, ...parameters] = killedAt(calls, nth);
  const child = spawn(program, [...parameters, process.execPath, MAIN_FILE, 'migrate'], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder },
    stdio: 'ignore',
  });
  await once(child, 'close');
  return child.signalCode === 'SIGKILL' || child.exitCode === 137;
}

test('case 44: after kill -9 in the middle of a migration the next start resumes', async () => {
  const whole = newFolder();
  const reference = connect(urlIn(whole));
  await migrate(reference);
  const migrations = (await listMigrations(reference)).length;
  await reference.destroy();
  const reached = new Set<number>();
  // Every sync ends a migration, or the making of the file; before each of them is one that was not committed.
  for (const [calls, nth] of [
    ['pwrite64', 40],
    ['fsync', 8],
    ['fsync', 10],
  ] as const) {
    const folder = newFolder();
    assert.ok(await migrateAndDie(folder, calls, nth), `${calls} ${nth}: it was not killed`);
    const server = await startServer({ folder });
    try {
      const applied = server.stdout().match(/Applied migration/g)?.length ?? 0;
      reached.add(migrations - applied);
      assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    } finally {
      await server.stop();
    }
    assert.deepEqual(await schemaOf(urlIn(folder)), await schemaOf(urlIn(whole)), `${calls} ${nth}`);
    const [row] = await queryDatabase<{ integrity_check: string }>(urlIn(folder), 'PRAGMA integrity_check');
    assert.equal(row?.integrity_check, 'ok');
  }
  console.log(
    `Killed when ${[...reached].sort().join(', ')} of ${migrations} migrations had been committed.`,
  );
  assert.ok(reached.size > 1, 'it was always killed at the same one');
});

test('case 44: of migrators at once each migration is applied by one, and all end well', async () => {
  const folder = newFolder();
  const endings = await Promise.all(Array.from({ length: 3 }, () => run(folder, {}, ['migrate'])));
  for (const { code, stderr } of endings) assert.equal(code, 0, stderr);
  const applied = endings.flatMap(({ stdout }) => [...stdout.matchAll(/Applying (\S+)\.\.\. OK/g)]);
  const names = applied.map(([, name]) => name);
  const db = connect(urlIn(folder));
  const migrations = (await listMigrations(db)).map(({ name }) => name);
  await db.destroy();
  assert.deepEqual(names.sort(), migrations.sort());
});
