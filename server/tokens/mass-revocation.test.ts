import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { onTwoConnections } from '../../db/database.fixture.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import type { Origin } from '../audit/record.ts';
import { flushExpiredTokens } from './flush.ts';
import { obtainPair, obtainSliding } from './issue.ts';
import { accessUntil, PREVIEW_LIMIT, previewRevocation, revokeTokensOf } from './mass-revocation.ts';
import { refreshPair, refreshSliding } from './refresh.ts';
import { addToBlacklist, recordOutstanding } from './store.ts';
import {
  contextAt,
  newDatabase,
  newUser,
  payloadOf,
  recorded,
  refusalOf,
  START,
  signed,
} from './tokens.fixture.ts';

const NOW = new Date(START * 1000);
const ORIGIN: Origin = { via: 'admin', actor: null };
const SETTINGS = settingsOf();
let db: Database;
let ada: UserRow;
let bob: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  ada = await newUser(db, 'ada');
  bob = await newUser(db, 'bob');
});
afterEach(() => db.destroy());

function record(jti: string, user: UserRow | null, expiresAt = START + 60, token = `e30.${jti}`) {
  return recordOutstanding(db, { jti, token, userId: user?.id ?? null, createdAt: START, expiresAt });
}

const blacklistedIds = async () =>
  (await recorded(db)).filter((row) => row.blacklisted_at !== null).map((row) => row.jti);

const events = () =>
  db
    .selectFrom('jotgate_event')
    .select(['kind', 'object_type', 'object_id', 'object_name', 'count'])
    .execute();

describe('all tokens of users are revoked', () => {
  test('those that live, of these users alone, and the history of each says how many', async () => {
    await record('a1', ada);
    await record('a2', ada);
    await record('over', ada, START);
    await record('b1', bob);
    await record('nobody', null);
    await addToBlacklist(db, 'a2', new Date((START - 5) * 1000));
    await record('c1', await newUser(db, 'cy'));
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id, bob.id, ada.id, 99], NOW, ORIGIN), 2);
    assert.deepEqual(await blacklistedIds(), ['a1', 'a2', 'b1']);
    const user = { kind: 'tokens_revoked', object_type: 'user', count: 1 };
    assert.deepEqual(await events(), [
      { ...user, object_id: String(ada.id), object_name: 'ada' },
      { ...user, object_id: String(bob.id), object_name: 'bob' },
    ]);
  });

  test('where nothing lives, nothing is written', async () => {
    await record('over', ada, START - 1);
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id], NOW, ORIGIN), 0);
    assert.equal(await revokeTokensOf(db, SETTINGS, [], NOW, ORIGIN), 0);
    assert.deepEqual([await blacklistedIds(), await events()], [[], []]);
  });

  test('a token that LEEWAY still lets pass dies too', async () => {
    const settings = settingsOf({ LEEWAY: '10s' });
    await record('just over', ada, START - 9.5);
    await record('over', ada, START - 10);
    assert.equal(await revokeTokensOf(db, settings, [ada.id], NOW, ORIGIN), 1);
    assert.deepEqual(await blacklistedIds(), ['just over']);
  });

  test('of more users than one query is asked about', async () => {
    const ids = [ada.id];
    for (let number = 0; number < 600; number += 1) ids.push((await newUser(db, `u${number}`)).id);
    await record('first', ada);
    await recordOutstanding(db, {
      jti: 'last',
      token: 'e30.e30',
      userId: ids.at(-1) ?? 0,
      createdAt: START,
      expiresAt: START + 60,
    });
    assert.equal((await previewRevocation(db, SETTINGS, ids, NOW)).refreshTokens, 2);
    assert.equal(await revokeTokensOf(db, SETTINGS, ids, NOW, ORIGIN), 2);
  });

  test('in the transaction that is given, and not without it', async () => {
    await record('a1', ada);
    const failing = db.transaction().execute(async (trx) => {
      assert.equal(await revokeTokensOf(trx, SETTINGS, [ada.id], NOW, ORIGIN), 1);
      throw new Error('something else went wrong');
    });
    await assert.rejects(failing, /something else/);
    assert.deepEqual([await blacklistedIds(), await events()], [[], []]);
  });

  test('what is revoked is refused at the next refresh', async () => {
    const context = contextAt(settingsOf({ ROTATE_REFRESH_TOKENS: 'true' }));
    const { refresh } = await obtainPair(db, context, ada);
    await revokeTokensOf(db, context.settings, [ada.id], NOW, ORIGIN);
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
  });
});

describe('at the same time', () => {
  test('twenty revocations make one row a token and one event', async () => {
    await record('a1', ada);
    await record('a2', ada);
    const counts = await Promise.all(
      Array.from({ length: 20 }, () => revokeTokensOf(db, SETTINGS, [ada.id], NOW, ORIGIN)),
    );
    assert.deepEqual(counts.sort(), [...Array(19).fill(0), 2]);
    assert.deepEqual(await blacklistedIds(), ['a1', 'a2']);
    assert.deepEqual(
      (await events()).map(({ count }) => count),
      [2],
    );
  });

  for (const env of [
    { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' },
    { ROTATE_REFRESH_TOKENS: 'true' },
  ]) {
    test(`no refresh outlives the revocation: ${Object.keys(env).join(', ')}`, () =>
      onTwoConnections(async (one, other) => {
        const user = await newUser(one, 'eve');
        const context = contextAt(settingsOf(env));
        const pairs = await Promise.all(Array.from({ length: 10 }, () => obtainPair(one, context, user)));
        const refreshes = pairs.map(({ refresh }) => refreshPair(one, context, refresh));
        const revocation = revokeTokensOf(other, context.settings, [user.id], NOW, ORIGIN);
        const [answers] = await Promise.all([Promise.allSettled(refreshes), revocation]);
        const successors = answers.flatMap((answer) =>
          answer.status === 'fulfilled' ? [answer.value.refresh ?? ''] : [],
        );
        for (const token of [...pairs.map(({ refresh }) => refresh), ...successors]) {
          assert.equal(await refusalOf(() => refreshPair(one, context, token)), 'token_blacklisted');
        }
      }));
  }
});

describe('sliding tokens', () => {
  test('one that was renewed after its first end dies, and stays dead when records are flushed', async () => {
    const context = contextAt(SETTINGS);
    let { token } = await obtainSliding(db, context, ada);
    for (let minute = 4; minute <= 8; minute += 4) {
      context.setNow(START + minute * 60);
      ({ token } = await refreshSliding(db, context, token));
    }
    const now = new Date(context.now() * 1000);
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id], now, ORIGIN), 1);
    await flushExpiredTokens(db, SETTINGS, now);
    assert.equal(await refusalOf(() => refreshSliding(db, context, token)), 'token_blacklisted');
  });

  test('one that Django recorded with its first end is known by its type', async () => {
    const record = async (jti: string, type: string, minutesAgo: number) => {
      const token = signed({ token_type: type, exp: START - 60, iat: START - 360, jti, user_id: '1' }, 'k');
      await recordOutstanding(db, {
        jti,
        token,
        userId: ada.id,
        createdAt: START - minutesAgo * 60,
        expiresAt: START - 60,
      });
    };
    await record('renewable', 'sliding', 6);
    await record('long over', 'sliding', 24 * 60 + 5);
    await record('a refresh token', 'refresh', 6);
    await record('not sliding', 'Sliding', 6);
    assert.deepEqual(await previewRevocation(db, SETTINGS, [ada.id], NOW), {
      refreshTokens: 0,
      slidingTokens: 1,
      accessUntil: new Date((START + 300) * 1000),
    });
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id], NOW, ORIGIN), 1);
    assert.deepEqual(await blacklistedIds(), ['renewable']);
  });

  test('under another name of the claim', async () => {
    for (const claim of ['t', 'ty', 'typ', 'Kind"é']) {
      const settings = settingsOf({ TOKEN_TYPE_CLAIM: claim });
      const { token } = await obtainSliding(db, contextAt(settings), ada);
      await obtainPair(db, contextAt(settings), ada);
      const { refreshTokens, slidingTokens } = await previewRevocation(db, settings, [ada.id], NOW);
      assert.deepEqual([refreshTokens, slidingTokens], [1, 1], String(payloadOf(token)[claim]));
      await revokeTokensOf(db, settings, [ada.id], NOW, ORIGIN);
    }
  });
});

describe('before tokens are revoked', () => {
  test('how many die: those that live and are not on the blacklist yet', async () => {
    await record('a1', ada);
    await record('a2', ada);
    await record('a3', ada);
    await record('over', ada, START);
    await record('b1', bob);
    await addToBlacklist(db, 'a3', NOW);
    const context = contextAt(SETTINGS);
    await obtainSliding(db, context, ada);
    const { refreshTokens, slidingTokens } = await previewRevocation(db, SETTINGS, [ada.id], NOW);
    assert.deepEqual([refreshTokens, slidingTokens], [2, 1]);
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id], NOW, ORIGIN), 3);
    const after = await previewRevocation(db, SETTINGS, [ada.id], NOW);
    assert.deepEqual([after.refreshTokens, after.slidingTokens], [0, 0]);
  });

  test('more than can be counted in a moment', async () => {
    await db.transaction().execute(async (trx) => {
      for (let number = 0; number < PREVIEW_LIMIT + 5; number += 1) {
        await recordOutstanding(trx, {
          jti: String(number),
          token: 'e30.e30',
          userId: ada.id,
          createdAt: START,
          expiresAt: START + 60,
        });
      }
    });
    const { refreshTokens } = await previewRevocation(db, SETTINGS, [ada.id, bob.id], NOW);
    assert.equal(refreshTokens, PREVIEW_LIMIT + 1);
    assert.equal(await revokeTokensOf(db, SETTINGS, [ada.id], NOW, ORIGIN), PREVIEW_LIMIT + 5);
  });

  const until = (seconds: number) => new Date((START + seconds) * 1000);
  const cases = [
    [{}, 'revocation', until(300)],
    [{ ACCESS_TOKEN_LIFETIME: '1h', LEEWAY: '10s' }, 'revocation', until(3610)],
    [{}, 'deactivation', null],
    [{ CHECK_USER_IS_ACTIVE: 'false' }, 'deactivation', until(300)],
    [{}, 'password change', until(300)],
    [{ CHECK_REVOKE_TOKEN: 'true' }, 'password change', null],
    [{ CHECK_REVOKE_TOKEN: 'true' }, 'revocation', until(300)],
    [{ CHECK_SESSION: 'true' }, 'revocation', null],
    [{ CHECK_SESSION: 'true' }, 'revocation of one', until(300)],
    [{}, 'deletion', null],
    [{ AUTH_TOKEN_CLASSES: 'SlidingToken' }, 'revocation', null],
    [{ AUTH_TOKEN_CLASSES: 'SlidingToken,AccessToken' }, 'revocation', until(300)],
  ] as const;
  for (const [env, cause, expected] of cases) {
    test(`until when access tokens pass after a ${cause} under ${JSON.stringify(env)}`, () => {
      assert.deepEqual(accessUntil(settingsOf(env), NOW, cause), expected);
    });
  }
});
