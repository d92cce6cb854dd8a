import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { buildApp } from '../app.ts';
import { makeLogger } from '../http/log.ts';
import { registerHealth } from './health.ts';

const DEADLINE = 150;
let db: Database;
let app: FastifyInstance;
let isStopping: boolean;

before(async () => {
  db = connect('sqlite::memory:');
  await migrate(db);
});
after(() => db.destroy());
beforeEach(() => {
  isStopping = false;
  app = appOf(db);
});

function appOf(database: Database): FastifyInstance {
  const instance = Fastify();
  registerHealth(instance, database, () => isStopping, DEADLINE);
  return instance;
}

async function ask(path: string, of = app) {
  const answer = await of.inject(path);
  assert.equal(answer.headers['content-type'], 'application/json');
  assert.equal(answer.headers['cache-control'], 'no-store');
  return [answer.statusCode, answer.json()];
}

test('a server that is well says so', async () => {
  assert.deepEqual(await ask('/healthz'), [200, { status: 'ok' }]);
  assert.deepEqual(await ask('/readyz'), [200, { status: 'ok' }]);
});

test('one that was told to stop is alive, and not ready', async () => {
  isStopping = true;
  assert.deepEqual(await ask('/healthz'), [200, { status: 'ok' }]);
  assert.deepEqual(await ask('/readyz'), [
    503,
    { status: 'unavailable', failed: { server: 'It was told to stop.' } },
  ]);
});

describe('a database', () => {
  test('that lacks migrations is named with them', async () => {
    const empty = connect('sqlite::memory:');
    const [status, body] = await ask('/readyz', appOf(empty));
    assert.equal(status, 503);
    assert.match(body.failed.migrations, /^To be applied: 0001_django, .*\.$/);
    await empty.destroy();
  });

  test('that a later version migrated does for this one while it runs', async () => {
    await db
      .withTables<{ jotgate_migration: { name: string; timestamp: string } }>()
      .insertInto('jotgate_migration')
      .values({ name: '9999_future', timestamp: '' })
      .execute();
    assert.deepEqual(await ask('/readyz'), [200, { status: 'ok' }]);
  });

  test('that cannot be asked is told without what the driver says', async () => {
    const closed = connect('sqlite::memory:');
    await migrate(closed);
    await closed.destroy();
    isStopping = true;
    assert.deepEqual(await ask('/readyz', appOf(closed)), [
      503,
      {
        status: 'unavailable',
        failed: { server: 'It was told to stop.', database: 'It cannot be reached or read.' },
      },
    ]);
  });

  test('that does not answer is waited for until a deadline, once for all who ask, and heals', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const holding = db.transaction().execute(() => held);
    const started = performance.now();
    const answers = await Promise.all([1, 2, 3].map(() => ask('/readyz')));
    assert.ok(performance.now() - started < DEADLINE * 4);
    for (const answer of answers) {
      assert.deepEqual(answer, [
        503,
        { status: 'unavailable', failed: { database: 'It did not answer within 0.15 seconds.' } },
      ]);
    }
    assert.deepEqual(await ask('/healthz'), [200, { status: 'ok' }]);
    letGo();
    await holding;
    assert.deepEqual(await ask('/readyz'), [200, { status: 'ok' }]);
  });
});

test('the whole server has both, and logs neither', async () => {
  let log = '';
  const output = new Writable({
    write(chunk, _encoding, done) {
      log += chunk;
      done();
    },
  });
  const settings = settingsOf({ LOG_LEVEL: 'info' });
  const logger = makeLogger('info', Object.assign(output, { isTTY: true }) as unknown as NodeJS.WriteStream);
  const server = await buildApp({ db, settings, logger, isStopping: () => isStopping });
  assert.deepEqual(await ask('/healthz', server), [200, { status: 'ok' }]);
  assert.deepEqual(await ask('/readyz', server), [200, { status: 'ok' }]);
  assert.equal((await server.inject({ method: 'HEAD', url: '/healthz' })).statusCode, 200);
  isStopping = true;
  assert.equal((await server.inject('/readyz')).statusCode, 503);
  await server.inject('/api/');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.match(log, /GET \/api\/ 200/);
  assert.doesNotMatch(log, /healthz|readyz/);
  await server.close();
});
