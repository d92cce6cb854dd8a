import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from '../../db/connect.ts';
import { ON_POSTGRES } from '../../db/database.fixture.ts';
import { Attack, PASSWORD, type Reply } from './attack.ts';

const PER_ACCOUNT = 5;
const PER_ADDRESS = 40;
const LIMITS = {
  LOGIN_FAILURES_PER_ACCOUNT: String(PER_ACCOUNT),
  LOGIN_FAILURES_PER_ADDRESS: String(PER_ADDRESS),
};

const guess = (attack: Attack, username: string, password = 'wrong', headers: Record<string, string> = {}) =>
  attack.send('/api/token/', { body: { username, password }, headers });

/** DRF's words, with how long to wait in them and in Retry-After. */
function assertThrottled({ status, headers, body }: Reply): void {
  assert.equal(status, 429, body);
  const seconds = Number(headers['retry-after']);
  assert.ok(seconds >= 1 && seconds <= 900, `Retry-After: ${seconds}`);
  assert.deepEqual(JSON.parse(body), {
    detail: `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`,
  });
}

describe('case 22: guesses for one account', () => {
  let attack: Attack;
  before(async () => {
    attack = await Attack.start({ ...LIMITS, LOGIN_FAILURES_PER_ADDRESS: '0' });
  });
  after(() => attack.end());

  test('are bounded, and the right password is refused as well', () =>
    attack.case(22, async () => {
      for (let count = 0; count < PER_ACCOUNT; count += 1) {
        assert.equal((await guess(attack, 'ada')).status, 401);
      }
      assertThrottled(await guess(attack, 'ada'));
      assertThrottled(await guess(attack, 'ada', PASSWORD));
      assert.equal((await guess(attack, 'josé', PASSWORD)).status, 200);
    }));
  test('whether or not there is such an account', () =>
    attack.case(22, async () => {
      const answers = new Set<string>();
      for (const username of ['long', 'off', 'nobody', 'x'.repeat(1_000)]) {
        const statuses: number[] = [];
        let last: Reply | undefined;
        for (let count = 0; count <= PER_ACCOUNT; count += 1) {
          last = await guess(attack, username);
          statuses.push(last.status);
        }
        assertThrottled(last as Reply);
        const names = Object.keys(last?.headers ?? {}).sort();
        answers.add(JSON.stringify([statuses, names, last?.body.replace(/\d+ seconds?/, 'N seconds')]));
      }
      assert.equal(answers.size, 1, [...answers].join('\n'));
    }));
  test('in any spelling of the name that is the same name', () =>
    attack.case(22, async () => {
      const spellings = ['josé', 'jose\u0301', ' josé', 'ｊｏｓé', 'josé '];
      for (const username of spellings) assert.equal((await guess(attack, username)).status, 401);
      assertThrottled(await guess(attack, 'josé', PASSWORD));
    }));
  test('at every door: JSON, form, page, and the sliding token', () =>
    attack.case(22, async () => {
      await attack.server.createUser({ username: 'doors', password: PASSWORD });
      const doors: (() => Promise<Reply>)[] = [
        () => guess(attack, 'doors'),
        () => attack.send('/api/token/sliding/', { body: { username: 'doors', password: 'x' } }),
        () =>
          attack.send('/api/token/', {
            headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
            body: 'username=doors&password=x',
          }),
      ];
      for (let count = 0; count < PER_ACCOUNT; count += 1) {
        assert.equal((await (doors[count % doors.length] as () => Promise<Reply>)()).status, 401);
      }
      for (const door of doors) assert.equal((await door()).status, 429);
    }));
  test('of 60 at the same time no more get through than the limit and those that were being hashed', () =>
    attack.case(22, async () => {
      await attack.server.createUser({ username: 'storm', password: PASSWORD });
      const replies = await Promise.all(Array.from({ length: 60 }, () => guess(attack, 'storm')));
      const tried = replies.filter(({ status }) => status === 401).length;
      assert.ok(tried >= PER_ACCOUNT && tried <= PER_ACCOUNT + 8, `${tried} guesses`);
      assert.ok(replies.every(({ status }) => status === 401 || status === 429));
    }));
});

describe('case 22: guesses from one address', () => {
  test('one password on 1,000 users is bounded, and no header evades it', async () => {
    const attack = await Attack.start(LIMITS);
    try {
      await attack.case(22, async () => {
        await addUsers(attack, 1_000);
        let tried = 0;
        for (let start = 0; start < 1_000; start += 20) {
          const replies = await Promise.all(
            Array.from({ length: 20 }, (_, index) =>
              guess(attack, `user${start + index}`, 'summer2026', {
                'x-forwarded-for': `203.0.113.${index}, 198.51.100.${start % 250}`,
                forwarded: `for=203.0.113.${index}`,
                'x-real-ip': `203.0.113.${index}`,
                'x-forwarded-host': `host${index}.example`,
              }),
            ),
          );
          tried += replies.filter(({ status }) => status === 401).length;
          assert.ok(replies.every(({ status }) => status === 401 || status === 429));
        }
        assert.ok(tried >= PER_ADDRESS && tried <= PER_ADDRESS + 8, `${tried} guesses`);
        assertThrottled(await guess(attack, 'ada', PASSWORD));
        // Whoever is logged in already stays so.
        await attack.assertServes();
      });
    } finally {
      await attack.end();
    }
  });

  test('behind a proxy that is trusted it is the address that the proxy saw, not what a client claims', async () => {
    const attack = await Attack.start({ ...LIMITS, TRUST_PROXY: '127.0.0.1' });
    const from = (index: number, chain: string, password?: string) =>
      guess(attack, `nobody${index}`, password, { 'x-forwarded-for': chain });
    try {
      await attack.case(22, async () => {
        for (let index = 0; index < PER_ADDRESS; index += 1) {
          // What stands before the last address came from the client.
          assert.equal((await from(index, `192.0.2.${index}, 198.51.100.7`)).status, 401);
        }
        assertThrottled(await from(1_000, '192.0.2.250, 198.51.100.7'));
        const elsewhere = await guess(attack, 'ada', PASSWORD, { 'x-forwarded-for': '198.51.100.8' });
        assert.equal(elsewhere.status, 200);
        for (let index = 0; index < PER_ADDRESS; index += 1) {
          const address = `2001:db8:1:2:${index.toString(16)}::1`;
          assert.equal((await from(2_000 + index, address)).status, 401);
        }
        assertThrottled(await from(3_000, '2001:db8:1:2:ffff:ffff:ffff:ffff'));
        assert.equal((await from(3_001, '2001:db8:1:3::1')).status, 401);
      });
    } finally {
      await attack.end();
    }
  });
});

async function addUsers(attack: Attack, count: number): Promise<void> {
  const db = connect(attack.server.databaseUrl, { poolSize: 2 });
  const { password } = await db
    .selectFrom('auth_user')
    .select('password')
    .where('username', '=', 'ada')
    .executeTakeFirstOrThrow();
  const columns = {
    password,
    is_superuser: 0,
    first_name: '',
    last_name: '',
    email: '',
    is_staff: 0,
    is_active: 1,
  } as const;
  const others = { ...columns, last_login: null, date_joined: '2026-01-01 00:00:00.000000' };
  const rows = Array.from({ length: count }, (_, index) => ({ ...others, username: `user${index}` }));
  for (let start = 0; start < count; start += 500) {
    await db
      .insertInto('auth_user')
      .values(rows.slice(start, start + 500))
      .execute();
  }
  await db.destroy();
}

test('case 22: the count is shared by instances, and survives a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-guessing-'));
  const database = ON_POSTGRES ? await Attack.start(LIMITS) : undefined;
  const shared = database && { DATABASE_URL: database.server.databaseUrl };
  const start = () => Attack.resume(folder, { ...LIMITS, ...shared });
  try {
    const one = await start();
    const other = await start();
    await one.server.createUser({ username: 'shared', password: PASSWORD });
    await one.case(22, async () => {
      for (let count = 0; count < PER_ACCOUNT; count += 1) {
        assert.equal((await guess(count % 2 === 0 ? one : other, 'shared')).status, 401);
      }
      for (const at of [one, other]) assertThrottled(await guess(at, 'shared', PASSWORD));
    });
    await one.end();
    await other.server.stop();
    const later = await start();
    await later.case(22, async () => assertThrottled(await guess(later, 'shared', PASSWORD)));
    await later.end();
  } finally {
    await database?.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});
