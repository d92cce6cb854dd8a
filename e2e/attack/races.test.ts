import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseCompact } from '../../server/tokens/compact.ts';
import { queryDatabase } from '../database-query.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack, type Reply } from './attack.ts';

/** How many refresh one token at the same time. */
const MANY = 50;

/** How often each race is run. */
const ROUNDS = 2;

const jtiOf = (token: string) => String(parseCompact(token).payload.jti);

for (const grace of ['0', '10s']) {
  for (const reuse of ['false', 'true']) {
    describe(`case 12: grace ${grace}, reuse detection ${reuse}`, () => {
      const settings = {
        ROTATE_REFRESH_TOKENS: 'true',
        BLACKLIST_AFTER_ROTATION: 'true',
        REFRESH_TOKEN_GRACE_PERIOD: grace,
        REVOKE_SESSION_ON_REUSE: reuse,
      };
      let attack: Attack;
      let other: ServerProcess;
      before(async () => {
        attack = await Attack.start(settings);
        other = await startServer({
          settings: { SECRET_KEY: TEST_KEY, ...settings, DATABASE_URL: attack.server.databaseUrl },
        });
      });
      after(async () => {
        await other.stop();
        await attack.end();
      });

      const outcome = grace === '0' ? 'exactly one succeeds' : 'all get the same successor';
      for (const processes of [1, 2]) {
        test(`${MANY} at the same time, at ${processes} on one database: ${outcome}`, () =>
          attack.case(12, async () => {
            for (let round = 0; round < ROUNDS; round += 1) {
              const { refresh } = await attack.logIn();
              const urls = [attack.server.url, processes === 1 ? attack.server.url : other.url];
              const replies = await Promise.all(
                Array.from({ length: MANY }, (_, index) =>
                  attack.send('/api/token/refresh/', { body: { refresh }, url: urls[index % 2] as string }),
                ),
              );
              await assertOne(replies, refresh);
            }
          }));
      }

      async function assertOne(replies: readonly Reply[], token: string): Promise<void> {
        const won = replies.filter(({ status }) => status === 200);
        assert.equal(won.length, grace === '0' ? 1 : MANY);
        assert.ok(replies.every(({ status }) => status === 200 || status === 401));
        const successors = new Set(won.map(({ body }) => jtiOf(JSON.parse(body).refresh)));
        assert.equal(successors.size, 1);
        const recorded = await queryDatabase<{ jti: string }>(
          attack.server.databaseUrl,
          'select jti from jotgate_session_token where predecessor_jti = ?',
          jtiOf(token),
        );
        assert.deepEqual(
          recorded.map(({ jti }) => jti),
          [...successors],
        );
        // Without a grace period the second of two at once has used it again: then nobody is to have it.
        const isOver = grace === '0' && reuse === 'true';
        const next = await attack.send('/api/token/refresh/', { body: JSON.parse(won[0]?.body ?? '') });
        assert.equal(next.status, isOver ? 401 : 200, next.body);
      }
    });
  }
}

describe('case 43: what is revoked at one instance', () => {
  let attack: Attack;
  let other: Attack;
  before(async () => {
    const settings = {
      ROTATE_REFRESH_TOKENS: 'true',
      BLACKLIST_AFTER_ROTATION: 'true',
      CHECK_SESSION: 'true',
    };
    attack = await Attack.start(settings);
    other = await Attack.resume(attack.server.folder, {
      ...settings,
      DATABASE_URL: attack.server.databaseUrl,
    });
  });
  after(async () => {
    await other.server.stop();
    await attack.end();
  });

  test('is refused at another by the very next request, at every door', () =>
    attack.case(43, async () => {
      for (let round = 0; round < 10; round += 1) {
        const [here, there] = round % 2 === 0 ? [attack, other] : [other, attack];
        const { refresh, access } = await here.logIn();
        const me = () =>
          there.send('/api/me/', { method: 'GET', headers: { authorization: `Bearer ${access}` } });
        assert.equal((await me()).status, 200);
        const revoked = await here.send('/api/token/blacklist/', { body: { refresh } });
        assert.equal(revoked.status, 200);
        for (const path of ['/api/token/refresh/', '/api/token/blacklist/']) {
          assert.equal((await there.send(path, { body: { refresh } })).status, 401);
        }
        const verify = await there.send('/api/token/verify/', { body: { token: refresh } });
        assert.ok([400, 401].includes(verify.status), `${verify.status}`);
        assert.equal((await me()).status, 401);
      }
    }));
});
