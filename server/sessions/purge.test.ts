import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { newAccount } from '../audit/audit.fixture.ts';
import { purgeSessions } from './purge.ts';
import { recordRotation, startSession } from './sessions.ts';

const DAY = 86_400;
const START = Date.UTC(2026, 2, 4) / 1000;
const at = (days: number) => new Date((START + days * DAY) * 1000);
const CLIENT = { address: '', userAgent: '' };

let db: Database;
let userId: number;
beforeEach(async () => {
  db = await newDatabase();
  userId = await newAccount(db, 'ada');
});
afterEach(() => db.destroy());

const start = (sid: string, expires: number) =>
  startSession(db, { sid, userId, first: { jti: sid, expiresAt: at(expires) }, client: CLIENT }, at(0));

const left = async () => [
  (await db.selectFrom('jotgate_session').select('sid').orderBy('id').execute()).map(({ sid }) => sid),
  (await db.selectFrom('jotgate_session_token').select('jti').orderBy('id').execute()).map(({ jti }) => jti),
];

test('a session is forgotten a month after its last token expired, and not before', async () => {
  await start('short', 1);
  await start('long', 90);
  await purgeSessions(db, at(30));
  assert.deepEqual(await left(), [
    ['short', 'long'],
    ['short', 'long'],
  ]);
  await purgeSessions(db, at(31));
  assert.deepEqual(await left(), [['long'], ['long']]);
});

test('of a session that goes on only what is long over is forgotten', async () => {
  const session = await start('first', 1);
  const successor = { jti: 'second', expiresAt: at(60) };
  await recordRotation(db, session, { jti: 'first', successor, client: CLIENT }, at(1));
  await purgeSessions(db, at(40));
  assert.deepEqual(await left(), [['first'], ['second']]);
});

test('any number goes', async () => {
  for (let index = 0; index < 450; index += 1) await start(`s${index}`, 1);
  await purgeSessions(db, at(100));
  assert.deepEqual(await left(), [[], []]);
});

test("those that have tokens still are in nobody's way, wherever they are", async () => {
  for (let index = 0; index < 120; index += 1) await start(`s${index}`, index % 3 === 0 ? 1 : 90);
  let batches = 0;
  await purgeSessions(db, at(50), {
    isOver: () => {
      batches += 1;
      return false;
    },
  });
  const [sids] = await left();
  assert.equal(sids?.length, 80);
  assert.ok(batches < 10);
});
