import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { type PostgresServer, startPostgres } from '../e2e/postgres.ts';
import { connect } from './connect.ts';
import { withDatabase } from './database.fixture.ts';
import { DatabaseAwayError, isUnavailable } from './failures.ts';
import { migrate } from './migrate.ts';
import { onConnection } from './postgres-schema.fixture.ts';
import { type Database, statement } from './statement.ts';
import { inTransaction } from './transaction.ts';

/** A server of these tests' own: they stop it. */
let server: PostgresServer;
let db: Database;

before(async () => {
  server = await startPostgres();
  db = connect(server.url, { poolSize: 3 });
  await migrate(db);
});
after(async () => {
  await db.destroy();
  await server.remove();
});

const allUsers = statement((base) => base.selectFrom('auth_user').selectAll());
const failure = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

test('a server that is away is told of at once, and found again by itself', async () => {
  assert.deepEqual((await allUsers(db)).rows, []);
  for (const isPolite of [true, false]) {
    await server.stop(isPolite);
    for (let tries = 0; tries < 5; tries += 1) {
      const started = performance.now();
      const error = await failure(allUsers(db));
      assert.ok(error instanceof DatabaseAwayError, String(error));
      assert.ok(performance.now() - started < 1_000);
      assert.ok(!error.message.includes(new URL(server.url).password));
    }
    await server.start();
    assert.deepEqual((await allUsers(db)).rows, []);
  }
});

test('what is under way when the server goes is told of, and nothing of it is kept', async () => {
  const waiting = failure(sql`select pg_sleep(5)`.execute(db));
  const writing = failure(
    inTransaction(db, async (trx) => {
      await trx.insertInto('auth_group').values({ name: 'half' }).execute();
      await pause(300);
      await trx.insertInto('auth_group').values({ name: 'whole' }).execute();
    }),
  );
  await pause(150);
  await server.stop();
  for (const error of [await waiting, await writing]) assert.ok(isUnavailable(error), String(error));
  await server.start();
  assert.deepEqual(await db.selectFrom('auth_group').selectAll().execute(), []);
});

test('a connection that the server ends while nobody uses it is replaced', async () => {
  await Promise.all([allUsers(db), allUsers(db), allUsers(db)]);
  await onConnection(withDatabase(server.url, 'template1'), (client) =>
    client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'jotgate'"),
  );
  await pause(100);
  assert.deepEqual((await allUsers(db)).rows, []);
});

test('a lock that is held too long is told of by a deadline', async () => {
  await db.insertInto('auth_group').values({ name: 'locked' }).execute();
  await onConnection(server.url, async (client) => {
    await client.query('begin');
    await client.query("select id from auth_group where name = 'locked' for update");
    const started = performance.now();
    const change = db.updateTable('auth_group').set({ name: 'free' }).where('name', '=', 'locked').execute();
    assert.ok(isUnavailable(await failure(change)));
    const took = performance.now() - started;
    assert.ok(took > 5_000 && took < 12_000, `${took} ms`);
    await client.query('rollback');
  });
});

test('more than the pool has wait, and do not wait for ever', async () => {
  const busy = connect(server.url, { poolSize: 2 });
  const sleepers = [1, 2].map(() => sql`select pg_sleep(6)`.execute(busy));
  await pause(100);
  const error = await failure(sql`select 1`.execute(busy));
  assert.ok(error instanceof DatabaseAwayError, String(error));
  await Promise.all(sleepers);
  await sql`select 1`.execute(busy);
  await busy.destroy();
});

test('a table that another program changes meanwhile is read as it is then', async () => {
  await Promise.all([allUsers(db), allUsers(db), allUsers(db)]);
  await onConnection(server.url, (client) => client.query('alter table auth_user add column extra text'));
  for (let reads = 0; reads < 6; reads += 1) assert.deepEqual((await allUsers(db)).rows, []);
  await onConnection(server.url, (client) => client.query('alter table auth_user drop column extra'));
  await inTransaction(db, async (trx) => assert.deepEqual((await allUsers(trx)).rows, []));
});

test('no server, no such database, a wrong password: each is one plain line without the password', async () => {
  const right = new URL(server.url);
  for (const [change, words] of [
    [{ port: '1' }, /ECONNREFUSED/],
    [{ pathname: '/nowhere' }, /database "nowhere" does not exist/],
    [{ password: 'hush-hush' }, /password authentication failed for user "jotgate"/],
    [{ hostname: 'nowhere.invalid' }, /nowhere\.invalid/],
  ] as const) {
    const url = new URL(right.href);
    Object.assign(url, change);
    const wrong = connect(url.href);
    const error = await failure(sql`select 1`.execute(wrong));
    assert.ok(error instanceof DatabaseAwayError);
    assert.match(error.message, /^The database cannot be reached: .+$/);
    assert.match(error.message, words);
    assert.ok(!error.message.includes('hush') && !error.message.includes(right.password));
    await wrong.destroy();
  }
});
