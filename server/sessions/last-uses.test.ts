import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { newDatabase } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import { newAccount } from '../audit/audit.fixture.ts';
import { openLastUses } from './last-uses.ts';
import { markEndedOf, startSession } from './sessions.ts';

const START = Date.UTC(2026, 2, 4, 5, 6, 7) / 1000;
const HOME = { address: '192.0.2.1', userAgent: 'Home' };
const AWAY = { address: '192.0.2.2', userAgent: 'Away' };

let db: Database;
let userId: number;
beforeEach(async () => {
  db = await newDatabase();
  userId = await newAccount(db, 'ada');
  const first = { jti: 'one', expiresAt: new Date((START + 600) * 1000) };
  await startSession(db, { sid: 's', userId, first, client: HOME }, new Date(START * 1000));
});
afterEach(() => db.destroy());

const session = () =>
  db
    .selectFrom('jotgate_session')
    .select(['last_used_at', 'address', 'user_agent'])
    .executeTakeFirstOrThrow();

function usesAt(seconds: number, errors: unknown[] = []) {
  return openLastUses(db, { now: () => START + seconds, onError: (error) => errors.push(error) });
}

test('a use is written some time later, from where it came last', async () => {
  const uses = usesAt(60);
  uses.note('one', HOME);
  uses.note('one', AWAY);
  assert.equal((await session()).address, '192.0.2.1');
  await uses.flush();
  assert.deepEqual(await session(), {
    last_used_at: '2026-03-04 05:07:07',
    address: '192.0.2.2',
    user_agent: 'Away',
  });
});

test('one that is older than what is stored, of no session or of one that is over changes nothing', async () => {
  const before = await session();
  for (const [uses, jti] of [
    [usesAt(-60), 'one'],
    [usesAt(60), 'unknown'],
  ] as const) {
    uses.note(jti, AWAY);
    await uses.flush();
  }
  await markEndedOf(db, userId, 'revoked', new Date(START * 1000));
  const late = usesAt(60);
  late.note('one', AWAY);
  await late.close();
  assert.deepEqual(await session(), before);
});

test('a write that fails is told, and does not end the next', async () => {
  const errors: unknown[] = [];
  const uses = usesAt(60, errors);
  await db.schema.alterTable('jotgate_session').renameTo('jotgate_session_away').execute();
  uses.note('one', AWAY);
  await uses.flush();
  assert.equal(errors.length, 1);
  await db.schema.alterTable('jotgate_session_away').renameTo('jotgate_session').execute();
  uses.note('one', AWAY);
  await uses.flush();
  assert.equal((await session()).address, '192.0.2.2');
});
