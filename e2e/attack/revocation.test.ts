import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseCompact } from '../../server/tokens/compact.ts';
import { signed } from '../../server/tokens/tokens.fixture.ts';
import { queryDatabase, storedText } from '../database-query.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack, claims, PASSWORD, type Reply } from './attack.ts';

let attack: Attack;

before(async () => {
  attack = await Attack.start({
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
    CHECK_REVOKE_TOKEN: 'true',
    UPDATE_LAST_LOGIN: 'true',
  });
});
after(() => attack.end());

const refresh = (token: string) => attack.send('/api/token/refresh/', { body: { refresh: token } });
const blacklist = (token: string) => attack.send('/api/token/blacklist/', { body: { refresh: token } });
const times = <Result>(count: number, call: () => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, call));
const won = (replies: readonly Reply[]) => replies.filter(({ status }) => status === 200);
const jtiOf = (token: string) => String(parseCompact(token).payload.jti);

/** Runs one statement on the server's database, as another program would. */
const sql = <Row>(statement: string, ...values: unknown[]) =>
  queryDatabase<Row>(attack.server.databaseUrl, statement, ...values);

async function blacklistRows(jti: string): Promise<number> {
  const rows = await sql(
    'SELECT b.id FROM token_blacklist_blacklistedtoken b JOIN token_blacklist_outstandingtoken o ON o.id = b.token_id WHERE o.jti = ?',
    jti,
  );
  return rows.length;
}

test('case 12: of 40 parallel refreshes of one token exactly one succeeds', () =>
  attack.case(12, async () => {
    for (let round = 0; round < 5; round += 1) {
      const login = await attack.logIn();
      const replies = await times(40, () => refresh(login.refresh));
      assert.equal(won(replies).length, 1);
      for (const { status, body } of replies) {
        if (status === 200) continue;
        assert.equal(status, 401);
        assert.deepEqual(JSON.parse(body), { detail: 'Token is blacklisted', code: 'token_not_valid' });
      }
      assert.equal(await blacklistRows(jtiOf(login.refresh)), 1);
      const successor = JSON.parse(won(replies)[0]?.body ?? '').refresh;
      assert.equal((await refresh(successor)).status, 200);
    }
  }));

describe('case 15: nothing valid survives what was acknowledged', () => {
  test('blacklisting, in a storm of refreshes', () =>
    attack.case(15, async () => {
      for (let round = 0; round < 10; round += 1) {
        const { refresh: token } = await attack.logIn();
        const [revoked, ...replies] = await Promise.all([
          blacklist(token),
          ...Array.from({ length: 10 }, () => refresh(token)),
        ]);
        const winners = won([revoked as Reply, ...replies]);
        assert.equal(winners.length, 1, 'the token was used up more than once');
        assert.equal((await refresh(token)).status, 401);
      }
    }));
  test('switching an account off', () =>
    attack.case(15, async () => {
      const logins = await times(5, () => attack.logIn('josé'));
      const held = new Set(logins.map((login) => login.refresh));
      const storm = Promise.all(
        [...held].map(async (first) => {
          let token = first;
          for (let step = 0; step < 30; step += 1) {
            const reply = await refresh(token);
            if (reply.status !== 200) return;
            token = JSON.parse(reply.body).refresh;
            held.add(token);
          }
        }),
      );
      await sql("UPDATE auth_user SET is_active = false WHERE username = 'josé'");
      const acknowledged = [...held];
      for (const token of acknowledged) assert.equal((await refresh(token)).status, 401);
      await storm;
      for (const token of held) assert.equal((await refresh(token)).status, 401);
      await sql("UPDATE auth_user SET is_active = true WHERE username = 'josé'");
    }));
  test('changing a password', () =>
    attack.case(15, async () => {
      const { refresh: token, access } = await attack.logIn('long', `${'x'.repeat(72)}the rest counts`);
      const [row] = await sql<{ password: string }>("SELECT password FROM auth_user WHERE username = 'long'");
      const storm = times(20, () => refresh(token));
      await sql("UPDATE auth_user SET password = '!changed' WHERE username = 'long'");
      assert.equal((await refresh(token)).status, 401);
      const me = await attack.send('/api/me/', {
        method: 'GET',
        headers: { authorization: `Bearer ${access}` },
      });
      assert.equal(me.status, 401);
      for (const { body } of won(await storm)) {
        assert.equal((await refresh(JSON.parse(body).refresh)).status, 401);
      }
      await sql("UPDATE auth_user SET password = ? WHERE username = 'long'", row?.password);
    }));
});

test('case 18: no other spelling of a blacklisted token passes', () =>
  attack.case(18, async () => {
    const { refresh: token } = await attack.logIn();
    const { payload } = parseCompact(token);
    assert.equal((await blacklist(token)).status, 200);
    const others = [
      token,
      ` ${token}\n`,
      signed({ ...payload, exp: Number(payload.exp) + 1 }, TEST_KEY),
      signed(Object.fromEntries(Object.entries(payload).reverse()), TEST_KEY),
      signed(payload, TEST_KEY, { alg: 'HS256' }),
      signed(payload, TEST_KEY, { typ: 'JWT', alg: 'HS256' }),
      signed(Buffer.from(JSON.stringify(payload, null, 1)), TEST_KEY),
    ];
    for (const other of others) assert.equal((await refresh(other)).status, 401);
    for (const other of others) {
      const verify = await attack.send('/api/token/verify/', { body: { token: other } });
      assert.equal(verify.status, 400);
    }
    const form = new URLSearchParams({ refresh: token }).toString();
    const asForm = await attack.send('/api/token/refresh/', {
      body: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(asForm.status, 401);
  }));

test('case 18: blacklisting 20 times in parallel makes one row', () =>
  attack.case(18, async () => {
    const { refresh: known } = await attack.logIn();
    const foreign = signed(claims({ token_type: 'refresh', user_id: undefined }), TEST_KEY);
    for (const token of [known, foreign]) {
      const replies = await times(20, () => blacklist(token));
      assert.equal(won(replies).length, 1);
      for (const { status } of replies) assert.ok(status === 200 || status === 401);
      assert.equal(await blacklistRows(jtiOf(token)), 1);
      assert.equal(
        (await sql('SELECT id FROM token_blacklist_outstandingtoken WHERE jti = ?', jtiOf(token))).length,
        1,
      );
    }
  }));

test('case 19: a rotated token is listed and revocable at once', () =>
  attack.case(19, async () => {
    const login = await attack.logIn();
    const successor = JSON.parse((await refresh(login.refresh)).body).refresh;
    const rows = await sql(
      'SELECT user_id, token FROM token_blacklist_outstandingtoken WHERE jti = ?',
      jtiOf(successor),
    );
    assert.deepEqual(rows, [{ user_id: 1, token: successor.slice(0, successor.lastIndexOf('.')) }]);
    assert.equal((await blacklist(successor)).status, 200);
    assert.equal((await refresh(successor)).status, 401);
  }));

test('case 38: the files of the database hold no usable token, and no password', () =>
  attack.case(38, async () => {
    const issued: string[] = [];
    const login = await attack.logIn();
    issued.push(login.refresh, login.access);
    const rotated = JSON.parse((await refresh(login.refresh)).body);
    issued.push(rotated.refresh, rotated.access);
    const sliding = await attack.send('/api/token/sliding/', {
      body: { username: 'ada', password: PASSWORD },
    });
    issued.push(JSON.parse(sliding.body).token);
    await blacklist(rotated.refresh);
    const stored = await storedText(attack.server.databaseUrl);
    assert.ok(stored.includes(jtiOf(rotated.refresh)), 'the right database is looked at');
    for (const token of issued)
      assert.ok(!stored.includes(token.split('.')[2] as string), 'a signature is stored');
    assert.ok(!stored.includes(PASSWORD));
    assert.ok(!stored.includes(TEST_KEY));
    for (const { token } of await sql<{ token: string }>(
      'SELECT token FROM token_blacklist_outstandingtoken',
    )) {
      assert.equal((await refresh(token)).status, 401);
    }
  }));
