import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { obtainPair } from './issue.ts';
import { blacklistedByIds, findOutstanding, findOutstandingByJti, outstandingByIds } from './outstanding.ts';
import { addToBlacklist, recordOutstanding } from './store.ts';
import { contextAt, newDatabase, newUser, payloadOf, START, signed } from './tokens.fixture.ts';

const NOW = new Date(START * 1000);
let db: Database;
let user: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
afterEach(() => db.destroy());

async function record(jti: string, token: string, expiresAt = START + 60, userId: number | null = user.id) {
  await recordOutstanding(db, { jti, token, userId, createdAt: START, expiresAt });
  return (await findOutstandingByJti(db, jti, NOW))?.id ?? 0;
}

test('a token that was given out: whose, from when until when, and what it says', async () => {
  const context = contextAt(settingsOf());
  const { refresh } = await obtainPair(db, context, user);
  const claims = payloadOf(refresh);
  assert.deepEqual(await findOutstanding(db, 1, NOW), {
    id: 1,
    jti: claims.jti,
    user: { id: user.id, username: 'ada' },
    createdAt: NOW,
    expiresAt: new Date(Number(claims.exp) * 1000),
    isExpired: false,
    state: 'alive',
    blacklistedAt: null,
    blacklistedId: null,
    header: { alg: 'HS256', typ: 'JWT' },
    payload: claims,
  });
});

test('of a token that Django recorded whole, no part of the signature comes out', async () => {
  const token = signed({ token_type: 'refresh', jti: 'whole' }, 'any key');
  const id = await record('whole', token);
  const view = await findOutstanding(db, id, NOW);
  assert.deepEqual(view?.payload, { token_type: 'refresh', jti: 'whole' });
  assert.ok(!JSON.stringify(view).includes(token.split('.')[2] ?? ''));
});

describe('what is stored but no token has no content:', () => {
  for (const stored of ['', 'x', 'a.b', '..', 'e30', 'e30.W10', 'e30.!', `e30.${'A'.repeat(9_000)}`]) {
    test(JSON.stringify(stored.slice(0, 20)), async () => {
      const view = await findOutstanding(db, await record('odd', stored), NOW);
      assert.deepEqual([view?.header, view?.payload], [null, null]);
    });
  }
});

test('alive, expired from its very second, and blacklisted whether expired or not', async () => {
  await record('alive', 'e30.e30', START + 0.001);
  await record('expired', 'e30.e30', START);
  await record('revoked', 'e30.e30');
  await record('revoked and expired', 'e30.e30', START - 60);
  for (const jti of ['revoked', 'revoked and expired']) await addToBlacklist(db, jti, NOW);
  const views = await outstandingByIds(db, [4, 3, 2, 1], NOW);
  assert.deepEqual(
    views.map(({ jti, state, isExpired, blacklistedAt }) => [jti, state, isExpired, blacklistedAt]),
    [
      ['revoked and expired', 'blacklisted', true, NOW],
      ['revoked', 'blacklisted', false, NOW],
      ['expired', 'expired', true, null],
      ['alive', 'alive', false, null],
    ],
  );
});

test('tokens come in the order that is asked for, without those that are gone', async () => {
  for (const jti of ['a', 'b', 'c']) await record(jti, 'e30.e30');
  const views = await outstandingByIds(db, [3, 99, 1], NOW);
  assert.deepEqual(
    views.map(({ jti }) => jti),
    ['c', 'a'],
  );
  assert.deepEqual(await outstandingByIds(db, [], NOW), []);
  assert.equal(await findOutstanding(db, 99, NOW), null);
});

test('a token of nobody has no user, and one that Django never dated no time', async () => {
  const id = await record('nobody', 'e30.e30', START + 60, null);
  await db
    .updateTable('token_blacklist_outstandingtoken')
    .set({ created_at: null })
    .where('id', '=', id)
    .execute();
  const view = await findOutstanding(db, id, NOW);
  assert.deepEqual([view?.user, view?.createdAt], [null, null]);
});

test('a token is found by its own id to the letter', async () => {
  await record('abc', 'e30.e30');
  assert.equal((await findOutstandingByJti(db, 'abc', NOW))?.jti, 'abc');
  for (const other of ['ABC', 'ab', 'abc ', 'ab%', '']) {
    assert.equal(await findOutstandingByJti(db, other, NOW), null);
  }
});

test('an entry of the blacklist says which token it is about', async () => {
  await record('a', 'e30.e30', START - 1);
  await record('b', 'e30.e30', START + 60, null);
  for (const jti of ['a', 'b']) await addToBlacklist(db, jti, NOW);
  assert.deepEqual(await blacklistedByIds(db, [2, 7, 1], NOW), [
    {
      id: 2,
      blacklistedAt: NOW,
      token: {
        id: 2,
        jti: 'b',
        user: null,
        createdAt: NOW,
        expiresAt: new Date((START + 60) * 1000),
        isExpired: false,
      },
    },
    {
      id: 1,
      blacklistedAt: NOW,
      token: {
        id: 1,
        jti: 'a',
        user: { id: user.id, username: 'ada' },
        createdAt: NOW,
        expiresAt: new Date((START - 1) * 1000),
        isExpired: true,
      },
    },
  ]);
  assert.deepEqual(await blacklistedByIds(db, [], NOW), []);
});
