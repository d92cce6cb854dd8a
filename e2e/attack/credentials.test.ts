import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hashPassword } from '../../server/users/hashers.ts';
import { queryDatabase } from '../database-query.ts';
import { startServer } from '../server-process.ts';
import { settingsOf } from '../settings-of.ts';
import { Attack, PASSWORD } from './attack.ts';

/** A cost whose hash takes some 30 ms: long beside everything else that a login does. */
const ROUNDS = 9;

/** A cost whose hash takes longer than a second, so that it is plain whether there was one. */
const SLOW_ROUNDS = 14;

let attack: Attack;

before(async () => {
  attack = await Attack.start({
    BCRYPT_ROUNDS: String(ROUNDS),
    // What is measured is the work of a refusal, not how many there may be.
    LOGIN_FAILURES_PER_ACCOUNT: '0',
    LOGIN_FAILURES_PER_ADDRESS: '0',
  });
  for (const username of ['unusable', 'malformed', 'foreign']) {
    await attack.server.createUser({ username, password: PASSWORD });
  }
  await attack.server.createUser({ username: 'qwx-active', password: PASSWORD });
  await attack.server.createUser({ username: 'qwx-inactive', password: PASSWORD, is_active: false });
  await store('unusable', `!${'a'.repeat(40)}`);
  await store('malformed', 'bcrypt_sha256$$2b$12$tooshort');
  await store('foreign', 'md5$salt$0cc175b9c0f1b6a831c399e269772661');
});
after(() => attack.end());

async function store(username: string, hash: string): Promise<void> {
  const { databaseUrl } = attack.server;
  await queryDatabase(databaseUrl, 'UPDATE auth_user SET password = ? WHERE username = ?', hash, username);
}

const logIn = (username: unknown, password: unknown, headers: Record<string, string> = {}) =>
  attack.send('/api/token/', { body: { username, password }, headers });

const REFUSED: readonly (readonly [username: string, password: string])[] = [
  ['nobody', PASSWORD],
  ['ada', 'wrong'],
  ['off', PASSWORD],
  ['off', 'wrong'],
  ['unusable', PASSWORD],
  ['unusable', `!${'a'.repeat(40)}`],
  ['malformed', PASSWORD],
  ['foreign', 'a'],
  ['x'.repeat(5_000), PASSWORD],
];

describe('case 20: every refused login', () => {
  test('is answered byte for byte alike', () =>
    attack.case(20, async () => {
      const answers = new Set<string>();
      for (const [username, password] of REFUSED) {
        const { status, headers, body } = await logIn(username, password);
        answers.add(JSON.stringify([status, { ...headers, date: '' }, body]));
      }
      assert.deepEqual(
        [...answers].map((answer) => JSON.parse(answer).filter((_: unknown, index: number) => index !== 1)),
        [[401, '{"detail":"No active account found with the given credentials"}']],
      );
    }));
  test('also on the page, but for the name that was entered', () =>
    attack.case(20, async () => {
      const pages = new Set<string>();
      for (const username of ['qwx-nobody', 'qwx-active', 'qwx-inactive']) {
        const { status, body } = await logIn(username, 'wrong', { accept: 'text/html' });
        pages.add(`${status} ${body.replaceAll(username, '')}`);
      }
      assert.equal(pages.size, 1);
    }));
  test('costs the same work', () =>
    attack.case(20, async () => {
      const samples = REFUSED.slice(0, 8).map(([username, password]) => ({
        username,
        password,
        taken: [] as number[],
      }));
      for (let round = 0; round < 7; round += 1) {
        for (const { username, password, taken } of samples) {
          const started = performance.now();
          await logIn(username, password);
          taken.push(performance.now() - started);
        }
      }
      // The quickest of each: whatever else the machine does can only add to it.
      const quickest = samples.map(({ username, taken }) => [username, Math.min(...taken)] as const);
      const values = quickest.map(([, time]) => time);
      assert.ok(Math.max(...values) < Math.min(...values) * 1.7, JSON.stringify(quickest));
      assert.ok(Math.min(...values) > 8, `one of them was not hashed: ${JSON.stringify(quickest)}`);
    }));
});

describe('case 21: passwords and names', () => {
  test('a password over 72 bytes counts to its end', () =>
    attack.case(21, async () => {
      const password = `${'x'.repeat(72)}the rest counts`;
      assert.equal((await logIn('long', password)).status, 200);
      for (const other of [
        password.slice(0, 72),
        password.slice(0, -1),
        `${password}x`,
        `${'x'.repeat(72)}the rest differs`,
      ]) {
        assert.equal((await logIn('long', other)).status, 401);
      }
    }));
  test('a NUL is refused', () =>
    attack.case(21, async () => {
      for (const [username, password] of [
        ['ada', `${PASSWORD}\0`],
        ['ada', `${PASSWORD}\0rest`],
        ['ada\0', PASSWORD],
      ]) {
        const reply = await logIn(username, password);
        assert.equal(reply.status, 400);
        assert.match(reply.body, /Null characters are not allowed/);
      }
    }));
  test('a megabyte is refused before any hashing', async () => {
    const slow = await startServer({ settings: { BCRYPT_ROUNDS: String(SLOW_ROUNDS) } });
    try {
      await attack.case(21, async () => {
        const tried = async (times: number, password: string) => {
          const body = { username: 'nobody', password };
          const started = performance.now();
          const sent = Array.from({ length: times }, () =>
            attack.send('/api/token/', { url: slow.url, body }),
          );
          const statuses = (await Promise.all(sent)).map(({ status }) => status);
          return { statuses: [...new Set(statuses)], took: performance.now() - started };
        };
        const hashed = await tried(1, 'x'.repeat(4_096));
        assert.deepEqual(hashed.statuses, [401]);
        for (const length of [4_097, 1_000_000]) {
          const refused = await tried(10, 'x'.repeat(length));
          assert.deepEqual(refused.statuses, [400]);
          assert.ok(refused.took < hashed.took, `ten took ${refused.took} ms, one hash ${hashed.took} ms`);
        }
        assert.deepEqual((await tried(1, 'x'.repeat(1_100_000))).statuses, [413]);
      });
    } finally {
      await slow.stop();
    }
  });
  test('a name is one in all its Unicode forms, and its case matters', () =>
    attack.case(21, async () => {
      for (const username of ['josé', 'jose\u0301', 'ｊｏｓé', ' josé ']) {
        assert.equal((await logIn(username, PASSWORD)).status, 200, username);
      }
      for (const username of ['José', 'JOSÉ', 'jose', 'Ada', 'ADA']) {
        assert.equal((await logIn(username, PASSWORD)).status, 401, username);
      }
    }));
  test('a name that grows eighteenfold in normalizing is no work', () =>
    attack.case(21, async () => {
      const started = performance.now();
      assert.equal((await logIn('\ufdfa'.repeat(300_000), 'x')).status, 401);
      assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
    }));
  test('no spelling of SQL gets in', () =>
    attack.case(21, async () => {
      for (const text of ["' OR '1'='1", 'ada" --', "ada'; DROP TABLE auth_user; --", '%', 'ad_', '*']) {
        assert.equal((await logIn(text, text)).status, 401);
        assert.equal((await logIn(text, PASSWORD)).status, 401);
      }
    }));
});

test('case 24: a login by a hash of a lower cost stores one of the cost that is set, with a salt of its own', () =>
  attack.case(24, async () => {
    const stored = async (username: string) => {
      const [row] = await queryDatabase<{ password: string }>(
        attack.server.databaseUrl,
        'SELECT password FROM auth_user WHERE username = ?',
        username,
      );
      return row?.password ?? '';
    };
    const cheap = await hashPassword(PASSWORD, settingsOf());
    for (const username of ['ada', 'josé']) await store(username, cheap);
    assert.equal((await logIn('ada', 'wrong')).status, 401);
    assert.equal(await stored('ada'), cheap);
    for (const username of ['ada', 'josé']) {
      assert.equal((await logIn(username, PASSWORD)).status, 200);
      assert.match(await stored(username), /^bcrypt_sha256\$\$2b\$09\$[./A-Za-z0-9]{53}$/);
    }
    assert.notEqual(await stored('ada'), await stored('josé'));
    const before = await stored('ada');
    assert.equal((await logIn('ada', PASSWORD)).status, 200);
    assert.equal(await stored('ada'), before);
  }));
