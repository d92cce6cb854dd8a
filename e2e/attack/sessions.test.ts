import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCompact } from '../../server/tokens/compact.ts';
import { queryDatabase } from '../database-query.ts';
import { Attack, now, type Reply } from './attack.ts';

const ROTATION = { ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' };

/** The grace period of these servers, in seconds; times of a session are moved rather than waited for. */
const GRACE = 60;

interface Pair {
  refresh: string;
  access: string;
}

const jtiOf = (token: string) => String(parseCompact(token).payload.jti);
const expOf = (token: string) => Number(parseCompact(token).payload.exp);

/** The requests of one client at one server. */
function at(attack: Attack) {
  const { databaseUrl } = attack.server;
  const sql = <Row>(statement: string, ...values: unknown[]) =>
    queryDatabase<Row>(databaseUrl, statement, ...values);
  const refresh = (token: string) => attack.send('/api/token/refresh/', { body: { refresh: token } });
  return {
    sql,
    refresh,
    blacklist: (token: string) => attack.send('/api/token/blacklist/', { body: { refresh: token } }),
    me: (token: string) =>
      attack.send('/api/me/', { method: 'GET', headers: { authorization: `Bearer ${token}` } }),
    async rotate(token: string): Promise<Pair> {
      const { status, body } = await refresh(token);
      assert.equal(status, 200, body);
      return JSON.parse(body) as Pair;
    },
    /** Moves the rotation of a token so far into the past, in seconds. */
    async age(token: string, seconds: number): Promise<void> {
      const [row] = await sql<{ rotated_at: string | Date }>(
        'select rotated_at from jotgate_session_token where jti = ?',
        jtiOf(token),
      );
      const before =
        new Date(`${String(row?.rotated_at).replace(' ', 'T').slice(0, 23)}Z`).getTime() - seconds * 1000;
      await sql(
        'update jotgate_session_token set rotated_at = ? where jti = ?',
        new Date(before).toISOString().replace('T', ' ').replace('Z', '000'),
        jtiOf(token),
      );
    },
    async endOf(token: string): Promise<string | null> {
      const [row] = await sql<{ end_reason: string; ended_at: unknown }>(
        'select end_reason, ended_at from jotgate_session where id = (select session_id from jotgate_session_token where jti = ?)',
        jtiOf(token),
      );
      return row?.ended_at ? row.end_reason : null;
    },
  };
}

function assertDead({ status, body }: Reply, detail = 'Token is blacklisted'): void {
  assert.equal(status, 401, body);
  assert.deepEqual(JSON.parse(body), { detail, code: 'token_not_valid' });
}

describe('with a grace period, reuse detection and CHECK_SESSION', () => {
  let attack: Attack;
  let client: ReturnType<typeof at>;
  before(async () => {
    attack = await Attack.start({
      ...ROTATION,
      REFRESH_TOKEN_GRACE_PERIOD: String(GRACE),
      REVOKE_SESSION_ON_REUSE: 'true',
      CHECK_SESSION: 'true',
    });
    client = at(attack);
  });
  after(() => attack.end());

  test('case 13: reuse after the grace period ends the whole session, although the answer is an error', () =>
    attack.case(13, async () => {
      const stolen = (await attack.logIn()).refresh;
      const bystander = await attack.logIn();
      const second = await client.rotate(stolen);
      const third = await client.rotate(second.refresh);
      await client.age(stolen, GRACE + 1);
      assertDead(await client.refresh(stolen));
      assert.equal(await client.endOf(stolen), 'reuse');
      // Whoever holds the newest token, thief or victim, has to log in again; access dies with it.
      assertDead(await client.refresh(third.refresh));
      assert.equal((await client.me(third.access)).status, 401);
      assert.equal((await client.me(bystander.access)).status, 200);
      assert.equal((await client.refresh(bystander.refresh)).status, 200);
    }));

  test('case 13: so does one of 30 that come at the same time, and no token of the session is left', () =>
    attack.case(13, async () => {
      const stolen = (await attack.logIn()).refresh;
      const second = await client.rotate(stolen);
      await client.age(stolen, GRACE + 1);
      const replies = await Promise.all(
        Array.from({ length: 30 }, (_, index) => client.refresh(index % 3 === 0 ? second.refresh : stolen)),
      );
      assert.equal(await client.endOf(stolen), 'reuse');
      const alive = new Set([second.refresh]);
      for (const { status, body } of replies) if (status === 200) alive.add(JSON.parse(body).refresh);
      for (const token of alive) assert.equal((await client.refresh(token)).status, 401);
    }));

  test('case 13: a token that was revoked, not rotated, is no sign of theft', () =>
    attack.case(13, async () => {
      const { refresh } = await attack.logIn();
      const other = await attack.logIn();
      assert.equal((await client.blacklist(refresh)).status, 200);
      assertDead(await client.refresh(refresh));
      assert.equal(await client.endOf(refresh), 'logout');
      assert.equal((await client.refresh(other.refresh)).status, 200);
    }));

  test('case 14: within the period the predecessor gets the same successor, as often as it asks', () =>
    attack.case(14, async () => {
      const first = (await attack.logIn()).refresh;
      const second = await client.rotate(first);
      for (const age of [0, GRACE - 20]) {
        await client.age(first, age);
        const again = await client.rotate(first);
        assert.equal(again.refresh, second.refresh);
        assert.equal((await client.me(again.access)).status, 200);
      }
      assert.equal(await client.endOf(first), null);
    }));

  test('case 14: it covers the immediate predecessor alone', () =>
    attack.case(14, async () => {
      const first = (await attack.logIn()).refresh;
      const second = await client.rotate(first);
      await client.rotate(second.refresh);
      assertDead(await client.refresh(first));
      assert.equal(await client.endOf(first), 'reuse');
    }));

  test('case 14: it revives nothing that was revoked, and nobody who was switched off', () =>
    attack.case(14, async () => {
      const first = (await attack.logIn()).refresh;
      const second = await client.rotate(first);
      assert.equal((await client.blacklist(second.refresh)).status, 200);
      assertDead(await client.refresh(first));

      const login = (await attack.logIn('josé')).refresh;
      await client.rotate(login);
      await client.sql("update auth_user set is_active = false where username = 'josé'");
      assert.equal((await client.refresh(login)).status, 401);
      await client.sql("update auth_user set is_active = true where username = 'josé'");
    }));

  test('case 15: a log-out in a storm of refreshes and graces leaves nothing alive', () =>
    attack.case(15, async () => {
      for (let round = 0; round < 5; round += 1) {
        const login = await attack.logIn();
        const tokens = [login, await client.rotate(login.refresh)];
        const newest = tokens[1]?.refresh as string;
        const replies = await Promise.all([
          ...Array.from({ length: 6 }, () => client.refresh(newest)),
          client.blacklist(newest),
          ...Array.from({ length: 6 }, () => client.refresh(login.refresh)),
        ]);
        for (const { status, body } of replies) {
          if (status === 200 && body !== '{}') tokens.push(JSON.parse(body));
        }
        if (replies[6]?.status !== 200) continue;
        for (const { refresh, access } of tokens) {
          assert.equal((await client.refresh(refresh)).status, 401);
          assert.equal((await client.me(access)).status, 401);
        }
      }
    }));

  test('case 17: whoever drops while the answer is on its way, and asks again, gets the successor', () =>
    attack.case(17, async () => {
      for (let round = 0; round < 10; round += 1) {
        const { refresh } = await attack.logIn();
        await dropped(attack.server.url, refresh, round * 2);
        const first = await client.rotate(refresh);
        const again = await client.rotate(refresh);
        assert.equal(again.refresh, first.refresh);
        assert.equal((await client.refresh(first.refresh)).status, 200);
      }
    }));

  test('case 19: a session is listed with its newest token, and dies by it', () =>
    attack.case(19, async () => {
      const login = await attack.logIn();
      const { refresh, access } = await client.rotate(login.refresh);
      const list = await attack.send('/api/sessions/', {
        method: 'GET',
        headers: { authorization: `Bearer ${access}` },
      });
      assert.equal(list.status, 200, list.body);
      const [{ count }] = (await client.sql<{ count: number }>(
        'select count(*) as count from jotgate_session_token where jti = ?',
        jtiOf(refresh),
      )) as [{ count: number }];
      assert.equal(Number(count), 1);
      assert.equal((await client.blacklist(refresh)).status, 200);
      for (const token of [access, login.access]) assert.equal((await client.me(token)).status, 401);
    }));
});

/** Sends a refresh and hangs up, so many milliseconds later. */
async function dropped(url: string, refresh: string, after: number): Promise<void> {
  const body = JSON.stringify({ refresh });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const outgoing = request(new URL('/api/token/refresh/', url), { method: 'POST', headers });
  outgoing.on('error', () => undefined);
  outgoing.on('response', (incoming) => incoming.destroy());
  outgoing.end(body);
  await delay(after);
  outgoing.destroy();
}

describe('without a grace period or reuse detection, as in the original', () => {
  let attack: Attack;
  let client: ReturnType<typeof at>;
  before(async () => {
    attack = await Attack.start(ROTATION);
    client = at(attack);
  });
  after(() => attack.end());

  test('case 13: a rotated token is refused, and the session goes on', () =>
    attack.case(13, async () => {
      const { refresh } = await attack.logIn();
      const second = await client.rotate(refresh);
      for (let count = 0; count < 3; count += 1) assertDead(await client.refresh(refresh));
      assert.equal(await client.endOf(refresh), null);
      assert.equal((await client.refresh(second.refresh)).status, 200);
    }));

  test('case 17: whoever drops may find the token used up, and is never given two', () =>
    attack.case(17, async () => {
      for (let round = 0; round < 10; round += 1) {
        const { refresh } = await attack.logIn();
        await dropped(attack.server.url, refresh, round * 2);
        const { status } = await client.refresh(refresh);
        assert.ok(status === 200 || status === 401);
        await delay(20);
        const children = await client.sql(
          'select jti from jotgate_session_token where predecessor_jti = ?',
          jtiOf(refresh),
        );
        assert.equal(children.length, 1);
      }
    }));
});

describe('with a lifetime of the session', () => {
  let attack: Attack;
  let client: ReturnType<typeof at>;
  /** In seconds: longer than an access token lives, shorter than a refresh token. */
  const LIFETIME = 1_000;
  before(async () => {
    attack = await Attack.start({
      ...ROTATION,
      SESSION_MAX_LIFETIME: String(LIFETIME),
      REFRESH_TOKEN_GRACE_PERIOD: String(GRACE),
      CHECK_SESSION: 'true',
    });
    client = at(attack);
  });
  after(() => attack.end());

  test('case 16: no rotation outlives it, however many there are', () =>
    attack.case(16, async () => {
      const started = now();
      let { refresh } = await attack.logIn();
      const end = expOf(refresh);
      assert.ok(Math.abs(end - (started + LIFETIME)) <= 2, `${end - started} s`);
      for (let count = 0; count < 20; count += 1) {
        ({ refresh } = await client.rotate(refresh));
        assert.ok(expOf(refresh) <= end + 1);
      }
    }));

  test('case 16: after it, a token that is still in its time is refused', () =>
    attack.case(16, async () => {
      const { refresh } = await attack.logIn();
      const past = new Date(Date.now() - (LIFETIME + 5) * 1000)
        .toISOString()
        .replace('T', ' ')
        .replace('Z', '000');
      await client.sql(
        'update jotgate_session set created_at = ? where id = (select session_id from jotgate_session_token where jti = ?)',
        past,
        jtiOf(refresh),
      );
      assertDead(await client.refresh(refresh), 'Token is expired');
    }));
});
