import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ON_POSTGRES } from '../../db/database.fixture.ts';
import { isStillReferredTo } from '../../db/failures.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf, TEST_KEY } from '../../e2e/settings-of.ts';
import type { SettingName } from '../settings.ts';
import { type Claims, withoutSignature } from './compact.ts';
import { obtainPair, obtainSliding } from './issue.ts';
import { type RefreshedPair, refreshPair, refreshSliding } from './refresh.ts';
import { blacklistToken } from './revoke.ts';
import { addToBlacklist } from './store.ts';
import {
  contextAt,
  newDatabase,
  newUser,
  payloadOf,
  recorded,
  refusalOf,
  START,
  START_SECOND,
  signed,
  updateUser,
} from './tokens.fixture.ts';
import { verifyAnyToken } from './verify.ts';

const ROTATE = { ROTATE_REFRESH_TOKENS: 'true' };
const ROTATE_ONCE = { ...ROTATE, BLACKLIST_AFTER_ROTATION: 'true' };

let db: Database;
let user: UserRow;

beforeEach(async () => {
  db = await newDatabase();
  user = await newUser(db, 'ada');
});
afterEach(() => db.destroy());

/** A context a minute after a login, and the refresh token of that login. */
async function loggedIn(env: Partial<Record<SettingName, string>> = {}) {
  const context = contextAt(settingsOf(env));
  const { refresh } = await obtainPair(db, context, user);
  context.setNow(START + 60);
  return { context, refresh };
}

/** A refresh token as another program with the same key makes it. */
function foreign(changes: object = {}): string {
  const claims = { token_type: 'refresh', exp: START_SECOND + 600, jti: 'foreign', user_id: user.id };
  return signed({ ...claims, ...changes }, TEST_KEY);
}

const blacklistedIds = async () =>
  (await recorded(db)).filter((row) => row.blacklisted_at !== null).map((row) => row.jti);

describe('without rotation', () => {
  test('an access token alone, from now on', async () => {
    const { context, refresh } = await loggedIn();
    const answer = await refreshPair(db, context, refresh);
    assert.deepEqual(Object.keys(answer), ['access']);
    const { jti, ...claims } = payloadOf(answer.access);
    const expected = {
      token_type: 'access',
      exp: START_SECOND + 360,
      iat: START_SECOND + 60,
      user_id: String(user.id),
    };
    assert.deepEqual(claims, expected);
    assert.notEqual(jti, payloadOf(refresh).jti);
  });
  test('again and again, and nothing is recorded by it', async () => {
    const { context, refresh } = await loggedIn({ BLACKLIST_AFTER_ROTATION: 'true' });
    const before = await recorded(db);
    for (let i = 0; i < 3; i += 1) await refreshPair(db, context, refresh);
    assert.deepEqual(await recorded(db), before);
  });
  test('a number as user id is taken over as a number', async () => {
    const context = contextAt(settingsOf());
    const { access } = await refreshPair(db, context, foreign({ tenant: 'acme', aud: 'x' }));
    const { user_id, tenant, aud } = payloadOf(access);
    assert.deepEqual([user_id, tenant, aud], [user.id, 'acme', 'x']);
  });
});

describe('with rotation', () => {
  test('access first, then the successor: a new id and term, all else as it was', async () => {
    const { context } = await loggedIn(ROTATE);
    const old = foreign({ tenant: 'acme', iat: START_SECOND - 5, groups: ['a'] });
    const answer = await refreshPair(db, context, old);
    assert.deepEqual(Object.keys(answer), ['access', 'refresh']);
    const successor = payloadOf(answer.refresh as string);
    assert.deepEqual(Object.entries(successor), [
      ['token_type', 'refresh'],
      ['exp', START_SECOND + 60 + 86_400],
      ['jti', successor.jti],
      ['user_id', user.id],
      ['tenant', 'acme'],
      ['iat', START_SECOND + 60],
      ['groups', ['a']],
    ]);
    assert.match(String(successor.jti), /^[0-9a-f]{32}$/);
  });
  test('the successor is recorded at once, as its owner’s, without its signature', async () => {
    const { context, refresh } = await loggedIn(ROTATE);
    const answer = await refreshPair(db, context, refresh);
    const successor = answer.refresh as string;
    assert.deepEqual((await recorded(db)).at(-1), {
      jti: payloadOf(successor).jti,
      token: withoutSignature(successor),
      user_id: user.id,
      created_at: '2026-03-04 05:07:07.250000',
      expires_at: '2026-03-05 05:07:07',
      blacklisted_at: null,
    });
    assert.equal(await refusalOf(() => blacklistToken(db, context, successor)), undefined);
    assert.equal(await refusalOf(() => refreshPair(db, context, successor)), 'token_blacklisted');
  });
  test('the old one lives on where nothing revokes it', async () => {
    const { context, refresh } = await loggedIn(ROTATE);
    const first = await refreshPair(db, context, refresh);
    const second = await refreshPair(db, context, refresh);
    assert.notEqual(first.refresh, second.refresh);
    for (const { refresh: successor } of [first, second]) await refreshPair(db, context, successor as string);
  });
  test('with the blacklist the old one is dead everywhere', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    const answer = await refreshPair(db, context, refresh);
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
    assert.equal(await refusalOf(() => blacklistToken(db, context, refresh)), 'token_blacklisted');
    assert.equal(await refusalOf(() => verifyAnyToken(db, context, refresh)), 'token_blacklisted_at_verify');
    assert.deepEqual(await blacklistedIds(), [payloadOf(refresh).jti]);
    await refreshPair(db, context, answer.refresh as string);
  });
  test('a token of another program is recorded as it is revoked', async () => {
    const { context } = await loggedIn(ROTATE_ONCE);
    await refreshPair(db, context, foreign());
    assert.deepEqual(await blacklistedIds(), ['foreign']);
    assert.equal(
      await refusalOf(() => refreshPair(db, context, foreign({ exp: START_SECOND + 999 }))),
      'token_blacklisted',
    );
  });
});

describe('many at once', () => {
  test('case 12: of 50 rotations of one token with the blacklist exactly one succeeds', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    const refusals = await Promise.all(
      Array.from({ length: 50 }, () => refusalOf(() => refreshPair(db, context, refresh))),
    );
    assert.equal(refusals.filter((code) => code === undefined).length, 1);
    assert.equal(refusals.filter((code) => code === 'token_blacklisted').length, 49);
    assert.equal((await recorded(db)).length, 2);
    assert.deepEqual(await blacklistedIds(), [payloadOf(refresh).jti]);
  });
  test('the same for a token that was never recorded', async () => {
    const { context } = await loggedIn(ROTATE_ONCE);
    const refusals = await Promise.all(
      Array.from({ length: 50 }, () => refusalOf(() => refreshPair(db, context, foreign()))),
    );
    assert.equal(refusals.filter((code) => code === undefined).length, 1);
    assert.deepEqual(await blacklistedIds(), ['foreign']);
  });
  test('without the blacklist all succeed, each with a successor of its own', async () => {
    const { context, refresh } = await loggedIn(ROTATE);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refreshPair(db, context, refresh)));
    assert.equal(new Set(answers.map((answer) => payloadOf(answer.refresh as string).jti)).size, 20);
    assert.equal((await recorded(db)).length, 21);
  });
  test('case 18: of 20 that revoke one token exactly one does', async () => {
    const { context, refresh } = await loggedIn();
    const refusals = await Promise.all(
      Array.from({ length: 20 }, () => refusalOf(() => blacklistToken(db, context, refresh))),
    );
    assert.deepEqual(refusals.filter((code) => code === undefined).length, 1);
    assert.equal(refusals.filter((code) => code === 'token_blacklisted').length, 19);
    assert.equal((await db.selectFrom('token_blacklist_blacklistedtoken').selectAll().execute()).length, 1);
  });
  for (const env of [ROTATE, ROTATE_ONCE]) {
    test(`case 15: what is revoked while it rotates has no live successor (${Object.keys(env)})`, async () => {
      const { context, refresh } = await loggedIn(env);
      const [revoked, ...rotations] = await Promise.all([
        refusalOf(() => blacklistToken(db, context, refresh)),
        ...Array.from({ length: 10 }, () => refreshPair(db, context, refresh).catch(() => null)),
      ]);
      const successors = rotations.filter((answer) => answer !== null);
      if (revoked === undefined && 'BLACKLIST_AFTER_ROTATION' in env) assert.deepEqual(successors, []);
      // Whatever went through before the revocation was recorded, the token itself is dead after it.
      assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
    });
  }
  for (const [name, env, event, expected] of [
    [
      'its user is switched off',
      ROTATE_ONCE,
      () => updateUser(db, user, { is_active: 0 }),
      'token_user_inactive',
    ],
    ['its user is deleted', ROTATE, () => db.deleteFrom('auth_user').execute(), 'token_user_inactive'],
    ['it is revoked', ROTATE, (jti: string) => addToBlacklist(db, jti, new Date()), 'token_blacklisted'],
  ] as const) {
    test(`case 15: no successor when ${name} after the checks and before the rotation`, async () => {
      const { context, refresh } = await loggedIn(env);
      if (expected === 'token_user_inactive') {
        await db.updateTable('token_blacklist_outstandingtoken').set({ user_id: null }).execute();
      }
      // The access token is signed after the checks, so that this is the moment between.
      let happened: Promise<unknown> | undefined;
      const sign = (claims: Claims) => {
        happened ??= Promise.resolve(event(String(payloadOf(refresh).jti)));
        return context.signer.sign(claims);
      };
      const signer = { ...context.signer, sign };
      const pairs: RefreshedPair[] = [];
      const refused = await refusalOf(async () => {
        pairs.push(await refreshPair(db, { ...context, signer }, refresh));
      });
      const isDone = await happened?.then(
        () => true,
        (error: unknown) => !isStillReferredTo(error),
      );
      if (pairs[0] === undefined) {
        assert.equal(refused, expected);
        assert.equal((await recorded(db)).length, 1);
        return;
      }
      // On Postgres the rotation may be the first of the two. What it gave is dead then when the second is done.
      assert.ok(ON_POSTGRES);
      const left = expected === 'token_user_inactive' ? (pairs[0].refresh as string) : refresh;
      assert.equal(await refusalOf(() => refreshPair(db, context, left)), isDone ? expected : undefined);
    });
  }
});

describe('the owner', () => {
  test('gone or switched off: refused, and the token is not used up', async () => {
    const { context, refresh } = await loggedIn(ROTATE_ONCE);
    await updateUser(db, user, { is_active: 0 });
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_user_inactive');
    await updateUser(db, user, { is_active: 1 });
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), undefined);
    assert.equal(
      await refusalOf(() => refreshPair(db, context, foreign({ user_id: '999' }))),
      'token_user_inactive',
    );
  });
  for (const user_id of [undefined, null, '', 0]) {
    test(`a token of no one in particular passes, as in the original: ${JSON.stringify(user_id)}`, async () => {
      const { context } = await loggedIn(ROTATE_ONCE);
      const { access, refresh } = await refreshPair(db, context, foreign({ user_id }));
      assert.deepEqual(payloadOf(access).user_id, user_id);
      assert.deepEqual((await recorded(db)).at(-1)?.user_id, null);
      await refreshPair(db, context, refresh as string);
    });
  }
  for (const user_id of [['1'], { id: 1 }, '1e0', ' 1', 1e300, 1.5, true, '9'.repeat(400)]) {
    test(`an odd id is nobody's: ${JSON.stringify(user_id).slice(0, 30)}`, async () => {
      const { context } = await loggedIn(ROTATE_ONCE);
      assert.equal(
        await refusalOf(() => refreshPair(db, context, foreign({ user_id }))),
        'token_user_inactive',
      );
      assert.equal((await recorded(db)).length, 1);
    });
  }
  test('whose password changed: refused, and the token is revoked on sight', async () => {
    const { context, refresh } = await loggedIn({ CHECK_REVOKE_TOKEN: 'true' });
    await refreshPair(db, context, refresh);
    await updateUser(db, user, { password: '!other' });
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_password_changed');
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
    await updateUser(db, user, { password: user.password });
    assert.equal(await refusalOf(() => refreshPair(db, context, refresh)), 'token_blacklisted');
  });
});

describe('a sliding token', () => {
  async function slid(env: Partial<Record<SettingName, string>> = {}) {
    const context = contextAt(settingsOf(env));
    const { token } = await obtainSliding(db, context, user);
    context.setNow(START + 100);
    return { context, token };
  }

  test('changes exp and iat alone', async () => {
    const { context, token } = await slid();
    const answer = await refreshSliding(db, context, token);
    assert.deepEqual(Object.keys(answer), ['token']);
    const before = payloadOf(token);
    assert.deepEqual(
      Object.entries(payloadOf(answer.token)),
      Object.entries({ ...before, exp: START_SECOND + 400, iat: START_SECOND + 100 }),
    );
    assert.equal((await recorded(db)).length, 1);
  });

  const sliding = (changes: object) =>
    signed({ token_type: 'sliding', exp: START + 60, jti: 's', user_id: user.id, ...changes }, TEST_KEY);
  const rows: readonly [string, object, string | undefined, Record<string, string>?][] = [
    ['a second left', { refresh_exp: START + 1 }, undefined],
    ['the end is now', { refresh_exp: START }, 'token_claim_expired'],
    ['over', { refresh_exp: START - 1 }, 'token_claim_expired'],
    ['over, within the leeway', { refresh_exp: START - 9 }, undefined, { LEEWAY: '10' }],
    ['over, at the end of the leeway', { refresh_exp: START - 10 }, 'token_claim_expired', { LEEWAY: '10' }],
    ['no end', {}, 'token_without_claim'],
    ['an end that is a text', { refresh_exp: String(START + 60) }, 'token_invalid'],
    ['an end of null', { refresh_exp: null }, 'token_invalid'],
    ['an end in a list', { refresh_exp: [START + 60] }, 'token_invalid'],
    ['an end beyond all calendars', { refresh_exp: 1e20 }, 'token_invalid'],
    ['a refresh token', { token_type: 'refresh', refresh_exp: START + 60 }, 'token_wrong_type'],
    ['an access token', { token_type: 'access', refresh_exp: START + 60 }, 'token_wrong_type'],
    ['expired itself', { exp: START, refresh_exp: START + 60 }, 'token_expired'],
    ['of nobody', { user_id: 999, refresh_exp: START + 60 }, 'token_user_inactive'],
  ];
  for (const [name, changes, expected, env] of rows) {
    test(`${name}: ${expected ?? 'renewed'}`, async () => {
      const context = contextAt(settingsOf(env));
      assert.equal(await refusalOf(() => refreshSliding(db, context, sliding(changes))), expected);
    });
  }

  test('is refused by the name of the claim that is set', async () => {
    const context = contextAt(settingsOf({ SLIDING_TOKEN_REFRESH_EXP_CLAIM: 'until' }));
    const error = await refreshSliding(db, context, sliding({ refresh_exp: START + 60 })).catch((e) => e);
    assert.deepEqual(error.body, { detail: "Token has no 'until' claim", code: 'token_not_valid' });
    const over = await refreshSliding(db, context, sliding({ until: START })).catch((e) => e);
    assert.deepEqual(over.body, { detail: "Token 'until' claim has expired", code: 'token_not_valid' });
  });

  test('whose password changed is revoked on sight', async () => {
    const { context, token } = await slid({ CHECK_REVOKE_TOKEN: 'true' });
    await updateUser(db, user, { password: '!other' });
    assert.equal(await refusalOf(() => refreshSliding(db, context, token)), 'token_password_changed');
    assert.equal(await refusalOf(() => refreshSliding(db, context, token)), 'token_blacklisted');
  });
});

describe('revoking', () => {
  test('a refresh token alone can be revoked', async () => {
    const { context, refresh } = await loggedIn();
    const { access } = await refreshPair(db, context, refresh);
    assert.equal(await refusalOf(() => blacklistToken(db, context, access)), 'token_wrong_type');
    const { token } = await obtainSliding(db, context, user);
    assert.equal(await refusalOf(() => blacklistToken(db, context, token)), 'token_wrong_type');
    assert.deepEqual(await blacklistedIds(), []);
  });
  test('one that nobody recorded is recorded first, by its owner where there is one', async () => {
    const { context } = await loggedIn();
    await blacklistToken(db, context, foreign());
    await blacklistToken(db, context, foreign({ jti: 'orphan', user_id: 999 }));
    const rows = (await recorded(db)).slice(1);
    assert.deepEqual(
      rows.map(({ jti, user_id, token }) => [jti, user_id, token.split('.').length]),
      [
        ['foreign', user.id, 2],
        ['orphan', null, 2],
      ],
    );
    assert.deepEqual(await blacklistedIds(), ['foreign', 'orphan']);
  });
  test('another spelling of a revoked token is no way around', async () => {
    const { context } = await loggedIn();
    await blacklistToken(db, context, foreign());
    for (const other of [
      foreign({ exp: START_SECOND + 9_999 }),
      foreign({ user_id: String(user.id) }),
      signed({ jti: 'foreign', user_id: user.id, exp: START_SECOND + 600, token_type: 'refresh' }, TEST_KEY),
      signed({ token_type: 'refresh', exp: START_SECOND + 600, jti: 'foreign' }, TEST_KEY, { alg: 'HS256' }),
    ]) {
      assert.equal(await refusalOf(() => refreshPair(db, context, other)), 'token_blacklisted');
    }
  });
});
