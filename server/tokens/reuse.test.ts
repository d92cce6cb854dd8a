import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import { sessionLine } from '../sessions/session-line.ts';
import { sessionsOf } from '../sessions/session-list.ts';
import type { SettingName } from '../settings.ts';
import { authenticateBearer } from './bearer.ts';
import { obtainPair, obtainSliding } from './issue.ts';
import { refreshPair } from './refresh.ts';
import { blacklistToken } from './revoke.ts';
import { endSessions } from './session-end.ts';
import {
  contextAt,
  newDatabase,
  newUser,
  payloadOf,
  refusalOf,
  START,
  START_SECOND,
  signed,
  type TestContext,
  updateUser,
} from './tokens.fixture.ts';
import { verifyAnyToken } from './verify.ts';

type Env = Partial<Record<SettingName, string>>;

const ROTATE_ONCE = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' };
const GRACE = { ...ROTATE_ONCE, REFRESH_TOKEN_GRACE_PERIOD: '10s' };
const STRICT = { ...GRACE, REVOKE_SESSION_ON_REUSE: 'true' };
const PHONE = { address: '192.0.2.7', userAgent: 'Phone' };
const THIEF = { address: '203.0.113.9', userAgent: 'Thief' };

let db: Database;
let user: UserRow;
beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
afterEach(() => db.destroy());

async function loggedIn(env: Env) {
  const context = contextAt(settingsOf(env));
  const pair = await obtainPair(db, context, user, PHONE);
  return { context, ...pair };
}

/** Refreshes and gives the next refresh token. */
async function next(context: TestContext, refresh: string, client = PHONE): Promise<string> {
  return (await refreshPair(db, context, refresh, client)).refresh as string;
}

const refusal = (context: TestContext, refresh: string, client = PHONE) =>
  refusalOf(() => refreshPair(db, context, refresh, client));

const theSession = async () => {
  const [session, ...others] = await sessionsOf(db, user.id, new Date(START * 1000));
  assert.ok(session);
  assert.deepEqual(others, []);
  return session;
};

describe('a session', () => {
  test('begins with a login, and knows from where', async () => {
    const { refresh } = await loggedIn({});
    const session = await theSession();
    assert.deepEqual(
      [session.address, session.userAgent, session.startedAt.toISOString(), session.isAlive],
      ['192.0.2.7', 'Phone', '2026-03-04T05:06:07.250Z', true],
    );
    const line = await sessionLine(db, session.id);
    assert.deepEqual(
      line.map(({ kind, jti }) => [kind, jti]),
      [['issued', payloadOf(refresh).jti]],
    );
  });

  test('goes on with each rotation, and is where it was used last', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    context.setNow(START + 60);
    const second = await next(context, refresh, THIEF);
    const session = await theSession();
    assert.deepEqual([session.address, session.lastUsedAt.getTime()], ['203.0.113.9', (START + 60) * 1000]);
    assert.deepEqual(
      (await sessionLine(db, session.id)).map(({ kind, jti, address }) => [kind, jti, address]),
      [
        ['issued', payloadOf(refresh).jti, '192.0.2.7'],
        ['rotated', payloadOf(second).jti, '203.0.113.9'],
      ],
    );
  });

  test('begins at its first rotation for a token that no session knows', async () => {
    const context = contextAt(settingsOf(ROTATE_ONCE));
    const times = { exp: START_SECOND + 600, iat: START_SECOND - 10 };
    const foreign = signed({ token_type: 'refresh', ...times, jti: 'django', user_id: '1' }, TEST_KEY);
    await next(context, foreign);
    assert.equal((await sessionLine(db, (await theSession()).id)).length, 2);
  });

  test('begins with a sliding token, too', async () => {
    const context = contextAt(settingsOf({}));
    await obtainSliding(db, context, user, PHONE);
    assert.equal((await theSession()).isAlive, true);
  });

  test('carries nothing into the tokens unless that is asked for', async () => {
    const { access, refresh } = await loggedIn({});
    assert.deepEqual(Object.keys(payloadOf(refresh)), ['token_type', 'exp', 'iat', 'jti', 'user_id']);
    assert.deepEqual(Object.keys(payloadOf(access)), ['token_type', 'exp', 'iat', 'jti', 'user_id']);
  });

  test('ends with the log-out', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    const second = await next(context, refresh);
    await blacklistToken(db, context, second);
    const session = await theSession();
    assert.deepEqual([session.isAlive, session.endReason], [false, 'logout']);
    assert.equal((await sessionLine(db, session.id)).at(-1)?.kind, 'ended');
  });

  test('goes on where the original leaves other tokens of it alive', async () => {
    const { context, refresh } = await loggedIn({ ROTATE_REFRESH_TOKENS: 'true' });
    const second = await next(context, refresh);
    await blacklistToken(db, context, refresh);
    assert.equal(await refusal(context, second), undefined);
    assert.equal((await theSession()).isAlive, true);
  });

  test('that was ended has no live token left, whatever rotates at the same time', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    const { id } = await theSession();
    const [, ...rotations] = await Promise.all([
      endSessions(db, [id], { reason: 'revoked', origin: null }, new Date(START * 1000)),
      ...Array.from({ length: 10 }, () => refreshPair(db, context, refresh).catch(() => null)),
    ]);
    for (const pair of rotations) {
      if (pair?.refresh) assert.equal(await refusal(context, pair.refresh), 'token_blacklisted');
    }
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
    assert.equal(
      await endSessions(db, [id], { reason: 'revoked', origin: null }, new Date(START * 1000)),
      0,
      'only once',
    );
  });
});

describe('within the grace period', () => {
  test('the token that was just rotated gets the same successor again, and a fresh access token', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    const first = await refreshPair(db, context, refresh, PHONE);
    context.setNow(START + 9.9);
    const again = await refreshPair(db, context, refresh, THIEF);
    assert.equal(again.refresh, first.refresh);
    assert.notEqual(payloadOf(again.access).jti, payloadOf(first.access).jti);
    assert.deepEqual(Object.keys(again), ['access', 'refresh']);
    const line = await sessionLine(db, (await theSession()).id);
    assert.deepEqual(
      line.map(({ kind, address }) => [kind, address]),
      [
        ['issued', '192.0.2.7'],
        ['rotated', '192.0.2.7'],
        ['grace', '203.0.113.9'],
      ],
    );
  });

  test('50 at once all get the same one', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    const pairs = await Promise.all(Array.from({ length: 50 }, () => refreshPair(db, context, refresh)));
    assert.equal(new Set(pairs.map((pair) => pair.refresh)).size, 1);
    assert.equal(new Set(pairs.map((pair) => pair.access)).size, 50);
  });

  test('case 14: only the immediate predecessor does', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    const second = await next(context, refresh);
    await next(context, second);
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
    assert.equal(await refusal(context, second), undefined);
  });

  test('case 14: only for its own length', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    await next(context, refresh);
    context.setNow(START + 10);
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
  });

  test('nobody gets one whose successor was revoked, or whose session is over', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    const second = await next(context, refresh);
    await blacklistToken(db, context, second);
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
  });

  test('nobody gets one who was switched off meanwhile', async () => {
    const { context, refresh } = await loggedIn(GRACE);
    await next(context, refresh);
    await updateUser(db, user, { is_active: 0 });
    assert.equal(await refusal(context, refresh), 'token_user_inactive');
  });

  test('a token that was revoked, not rotated, has none', async () => {
    const { context, refresh } = await loggedIn(STRICT);
    await blacklistToken(db, context, refresh);
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
    assert.equal((await theSession()).endReason, 'logout');
  });
});

describe('a rotated token that comes again', () => {
  test('is refused and no more, by default', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    const second = await next(context, refresh);
    assert.equal(await refusal(context, refresh), 'token_blacklisted');
    assert.equal(await refusal(context, second), undefined);
  });

  test('case 13: ends its session where reuse is looked for, for good, although the answer is an error', async () => {
    const { context, refresh } = await loggedIn(STRICT);
    const second = await next(context, refresh);
    const third = await next(context, second);
    context.setNow(START + 60);
    assert.equal(await refusal(context, refresh, THIEF), 'token_reused');
    assert.equal(await refusal(context, third), 'token_blacklisted');
    const session = await theSession();
    assert.deepEqual([session.isAlive, session.endReason], [false, 'reuse']);
    const line = await sessionLine(db, session.id);
    assert.deepEqual(
      line.map(({ kind }) => kind),
      ['issued', 'rotated', 'rotated', 'reuse', 'ended'],
    );
    assert.equal(line.at(-2)?.address, '203.0.113.9');
    const [event] = await db
      .selectFrom('jotgate_event')
      .selectAll()
      .where('kind', '=', 'session_reused')
      .execute();
    assert.deepEqual(
      [event?.object_name, event?.address, event?.user_agent],
      ['ada', '203.0.113.9', 'Thief'],
    );
  });

  test('ends it at once where there is no grace', async () => {
    const { context, refresh } = await loggedIn({ ...ROTATE_ONCE, REVOKE_SESSION_ON_REUSE: 'true' });
    const second = await next(context, refresh);
    assert.equal(await refusal(context, refresh), 'token_reused');
    assert.equal(await refusal(context, second), 'token_blacklisted');
  });

  test('leaves other sessions of its user alone', async () => {
    const { context, refresh } = await loggedIn(STRICT);
    const other = await obtainPair(db, context, user, PHONE);
    await next(context, refresh);
    context.setNow(START + 60);
    await refusal(context, refresh);
    assert.equal(await refusal(context, other.refresh), undefined);
  });
});

describe('the lifetime of a session', () => {
  const LIMITED = { ...ROTATE_ONCE, SESSION_MAX_LIFETIME: '2d', REFRESH_TOKEN_LIFETIME: '1d' };

  test('case 16: no rotation outlives it', async () => {
    const { context, refresh } = await loggedIn(LIMITED);
    const end = START_SECOND + 2 * 86_400;
    context.setNow(START + 86_000);
    const second = await next(context, refresh);
    assert.equal(payloadOf(second).exp, Math.floor(START + 86_000) + 86_400);
    context.setNow(START + 2 * 86_000);
    const third = await next(context, second);
    assert.equal(payloadOf(third).exp, end);
    context.setNow(end - 1);
    const last = await next(context, third);
    assert.equal(payloadOf(last).exp, end);
    context.setNow(end);
    assert.equal(await refusal(context, last), 'token_expired');
  });

  test('is shorter than a token where it is set so', async () => {
    const { refresh } = await loggedIn({ SESSION_MAX_LIFETIME: '1h' });
    assert.equal(payloadOf(refresh).exp, START_SECOND + 3_600);
  });

  test('holds for sliding tokens', async () => {
    const context = contextAt(settingsOf({ SESSION_MAX_LIFETIME: '1h' }));
    const { token } = await obtainSliding(db, context, user);
    assert.equal(payloadOf(token).refresh_exp, START_SECOND + 3_600);
  });
});

describe('under CHECK_SESSION', () => {
  const CHECKED = { ...ROTATE_ONCE, CHECK_SESSION: 'true' };

  test('tokens carry the id of their session, through rotations', async () => {
    const { context, refresh, access } = await loggedIn(CHECKED);
    const { sid } = await theSession();
    const pair = await refreshPair(db, context, refresh);
    for (const token of [refresh, access, pair.access, pair.refresh as string]) {
      assert.equal(payloadOf(token).sid, sid);
    }
    assert.deepEqual(Object.keys(payloadOf(access)), ['token_type', 'exp', 'iat', 'jti', 'user_id', 'sid']);
  });

  test('access tokens die with it at once', async () => {
    const { context, access, refresh } = await loggedIn(CHECKED);
    await authenticateBearer(db, context, access);
    await verifyAnyToken(db, context, access);
    await blacklistToken(db, context, refresh);
    assert.equal(await refusalOf(() => authenticateBearer(db, context, access)), 'bearer_not_valid');
    assert.equal(await refusalOf(() => verifyAnyToken(db, context, access)), 'token_session_ended');
  });

  test('tokens from before pass, and get a session when they rotate', async () => {
    const { access, refresh } = await loggedIn(ROTATE_ONCE);
    const checked = contextAt(settingsOf(CHECKED));
    await authenticateBearer(db, checked, access);
    const pair = await refreshPair(db, checked, refresh);
    const { sid } = await theSession();
    assert.deepEqual([payloadOf(pair.access).sid, payloadOf(pair.refresh as string).sid], [sid, sid]);
  });

  test('a session that never was is none', async () => {
    const { context } = await loggedIn(CHECKED);
    const times = { exp: START_SECOND + 600, iat: START_SECOND - 10 };
    const forged = signed(
      { token_type: 'access', ...times, jti: 'x', user_id: '1', sid: 'nowhere' },
      TEST_KEY,
    );
    assert.equal(await refusalOf(() => verifyAnyToken(db, context, forged)), 'token_session_ended');
  });
});
