import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseCompact } from '../../server/tokens/compact.ts';
import { queryDatabase } from '../database-query.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack } from './attack.ts';
import { run } from './start.ts';

/** So long ago that nothing of it is of use to anybody. */
const LONG_AGO = '2020-01-01 00:00:00.000000';

let attack: Attack;

before(async () => {
  attack = await Attack.start({ ROTATE_REFRESH_TOKENS: 'true', BLACKLIST_AFTER_ROTATION: 'true' });
});
after(() => attack.end());

const sql = <Row>(statement: string, ...values: unknown[]) =>
  queryDatabase<Row>(attack.server.databaseUrl, statement, ...values);
const jtiOf = (token: string) => String(parseCompact(token).payload.jti);
const refresh = (token: string) => attack.send('/api/token/refresh/', { body: { refresh: token } });
const blacklist = (token: string) => attack.send('/api/token/blacklist/', { body: { refresh: token } });

/** The recorded tokens, and whether each is on the blacklist. */
async function records(): Promise<Map<string, boolean>> {
  const rows = await sql<{ jti: string; entry: number | null }>(
    'select o.jti, b.id as entry from token_blacklist_outstandingtoken o left join token_blacklist_blacklistedtoken b on b.token_id = o.id',
  );
  return new Map(rows.map(({ jti, entry }) => [jti, entry !== null]));
}

/** Lets the time of a token's record be over. */
const expire = (token: string) =>
  sql('update token_blacklist_outstandingtoken set expires_at = ? where jti = ?', LONG_AGO, jtiOf(token));

test('case 18: purging removes expired rows alone, in a storm of refreshes and revocations', () =>
  attack.case(18, async () => {
    const logIn = async () => (await attack.logIn()).refresh;
    const [alive, revoked, rotated] = [await logIn(), await logIn(), await logIn()];
    const [over, overAndRevoked] = [await logIn(), await logIn()];
    const successor = JSON.parse((await refresh(rotated)).body).refresh as string;
    for (const token of [revoked, overAndRevoked]) assert.equal((await blacklist(token)).status, 200);
    for (const token of [over, overAndRevoked]) await expire(token);

    const stormy = [await logIn(), await logIn(), await logIn(), await logIn()];
    const settings = { SECRET_KEY: TEST_KEY, DATABASE_URL: attack.server.databaseUrl };
    const purged = run(attack.server.folder, settings, ['flushexpiredtokens']);
    let isOver = false;
    const storm = stormy.map(async (first, index) => {
      const used: string[] = [];
      let token = first;
      for (let step = 0; !isOver || step === 0; step += 1) {
        const { status, body } = await refresh(token);
        assert.equal(status, 200, body);
        used.push(token);
        token = JSON.parse(body).refresh;
      }
      if (index % 2 === 0) return { used, newest: token };
      assert.equal((await blacklist(token)).status, 200);
      return { used: [...used, token], newest: null };
    });
    const stormed = Promise.all(storm);
    // What fails there is to be heard of below.
    stormed.catch(() => undefined);
    const { code, stdout, stderr } = await purged;
    isOver = true;
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim().split('\n').at(-1), '2 expired tokens flushed.');

    const left = await records();
    for (const token of [over, overAndRevoked]) assert.ok(!left.has(jtiOf(token)));
    for (const token of [revoked, rotated]) assert.equal(left.get(jtiOf(token)), true);
    for (const token of [alive, successor]) assert.equal(left.get(jtiOf(token)), false);
    for (const token of [revoked, rotated]) assert.equal((await refresh(token)).status, 401);
    for (const token of [alive, successor]) assert.equal((await refresh(token)).status, 200);
    for (const { used, newest } of await stormed) {
      const now = await records();
      for (const token of used) assert.equal(now.get(jtiOf(token)), true);
      assert.equal((await refresh(used.at(-1) ?? '')).status, 401);
      if (newest !== null) assert.equal((await refresh(newest)).status, 200);
    }
  }));

test('case 18: purging twice removes no more, and no entry of the blacklist is left without its token', () =>
  attack.case(18, async () => {
    const { refresh: token } = await attack.logIn();
    assert.equal((await blacklist(token)).status, 200);
    const before = await records();
    const settings = { SECRET_KEY: TEST_KEY, DATABASE_URL: attack.server.databaseUrl };
    const { stdout } = await run(attack.server.folder, settings, ['flushexpiredtokens']);
    assert.match(stdout, /^0 expired tokens flushed\.$/m);
    assert.deepEqual(await records(), before);
    const orphans = await sql(
      'select id from token_blacklist_blacklistedtoken where token_id not in (select id from token_blacklist_outstandingtoken)',
    );
    assert.deepEqual(orphans, []);
  }));
