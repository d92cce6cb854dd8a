import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noteCase } from '../case-table.ts';
import { startServer } from '../server-process.ts';
import { TEST_KEY } from '../settings-of.ts';
import { PASSWORD } from './attack.ts';

describe('case 23: floods of log-ins', () => {
  /** What others wait at most while passwords are hashed, in milliseconds; a busy machine included. */
  const FAST = 1_000;

  for (const [count, rounds] of [
    [40, 11],
    [400, 10],
  ] as const) {
    test(`${count} at the same time: all are answered or told to come again, and the rest stays fast`, async () => {
      const server = await startServer({
        settings: { SECRET_KEY: TEST_KEY, BCRYPT_ROUNDS: String(rounds), LOG_LEVEL: 'fatal' },
      });
      try {
        await server.createUser({ username: 'ada', password: PASSWORD });
        const login = () =>
          fetch(`${server.url}/api/token/`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ username: 'ada', password: PASSWORD }),
          });
        const { access } = (await (await login()).json()) as { access: string };
        let isOver = false;
        const flood = Promise.all(Array.from({ length: count }, login)).finally(() => {
          isOver = true;
        });
        const times: number[] = [];
        while (!isOver) {
          const started = performance.now();
          const me = await fetch(`${server.url}/api/me/`, { headers: { authorization: `Bearer ${access}` } });
          times.push(performance.now() - started);
          assert.equal(me.status, 200);
          await me.arrayBuffer();
        }
        const replies = await flood;
        noteCase(23, {
          requests: count + times.length,
          serverErrors: replies.filter(({ status }) => status >= 500).length,
        });
        const refused = replies.filter(({ status }) => status !== 200);
        for (const { status, headers } of refused) {
          assert.ok(status === 503 || status === 429, String(status));
          assert.ok(Number(headers.get('retry-after')) >= 1);
        }
        assert.ok(count < 100 || refused.length > 0, 'nothing bounds how many wait');
        times.sort((one, two) => one - two);
        const most = times[Math.floor(times.length * 0.95)] as number;
        console.log(
          `${count} log-ins at once: ${refused.length} told to come again; ` +
            `of ${times.length} other requests 95 in 100 took up to ${Math.round(most)} ms.`,
        );
        assert.ok(most < FAST);
      } finally {
        await server.stop();
      }
    });
  }
});
