import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Attack, claims, PASSWORD } from './attack.ts';

const HOUR = 3_600;
const PER_ACCOUNT = 3;

const folder = mkdtempSync(join(tmpdir(), 'jotgate-clock-'));
const file = join(folder, 'offset');
const hook = pathToFileURL(fileURLToPath(new URL('moved-clock.mjs', import.meta.url))).href;

let attack: Attack;

/** Sets the clock of the server, and of nobody else, to so many seconds from now. */
const setClock = (offset: number) => writeFileSync(file, String(offset));

before(async () => {
  setClock(0);
  attack = await Attack.start({
    NODE_OPTIONS: `--import ${hook}`,
    CLOCK_FILE: file,
    ROTATE_REFRESH_TOKENS: 'true',
    BLACKLIST_AFTER_ROTATION: 'true',
    REFRESH_TOKEN_GRACE_PERIOD: '10s',
    LOGIN_FAILURES_PER_ACCOUNT: String(PER_ACCOUNT),
    LOGIN_FAILURE_WINDOW: '10m',
  });
});
after(async () => {
  setClock(0);
  await attack.end();
  rmSync(folder, { recursive: true });
});

const refresh = (token: string) => attack.send('/api/token/refresh/', { body: { refresh: token } });
const verify = async (token: string) => (await attack.send('/api/token/verify/', { body: { token } })).status;
const guess = (username: string, password = 'wrong') =>
  attack.send('/api/token/', { body: { username, password } });

test('case 42: an hour ahead tokens expire, and nothing expired revives beyond what the clock says', () =>
  attack.case(42, async () => {
    const { refresh: token, access } = await attack.logIn();
    assert.equal(await verify(access), 200);
    setClock(HOUR);
    assert.equal(await verify(access), 401);
    const later = JSON.parse((await refresh(token)).body);
    assert.equal(await verify(later.access), 200);
    setClock(0);
    // Made in what is now the future: no token of now.
    assert.equal(await verify(later.access), 401);
    assert.equal(await verify(access), 200);
  }));

test('case 42: what was revoked stays so, wherever the clock goes, and no grace lasts an hour', () =>
  attack.case(42, async () => {
    const { refresh: revoked } = await attack.logIn();
    assert.equal((await attack.send('/api/token/blacklist/', { body: { refresh: revoked } })).status, 200);
    const { refresh: rotated } = await attack.logIn();
    assert.equal((await refresh(rotated)).status, 200);
    for (const offset of [HOUR, 60, 0]) {
      setClock(offset);
      assert.equal((await refresh(revoked)).status, 401, `${offset}`);
      if (offset > 0) assert.equal((await refresh(rotated)).status, 401, `grace, ${offset}`);
    }
    setClock(0);
  }));

test('case 42: a clock that was set back an hour neither ends a limit nor makes one of hours', () =>
  attack.case(42, async () => {
    setClock(HOUR);
    for (let count = 0; count < PER_ACCOUNT; count += 1) assert.equal((await guess('long')).status, 401);
    assert.equal((await guess('long')).status, 429);
    setClock(0);
    const { status, headers } = await guess('long');
    assert.equal(status, 429);
    assert.ok(Number(headers['retry-after']) <= 600, `Retry-After: ${headers['retry-after']}`);
    setClock(601);
    const answer = await guess('long');
    setClock(0);
    assert.equal(answer.status, 401, 'the lock outlasts what was said of it');
  }));

test('case 42: an hour behind, log-ins and rotations go on', () =>
  attack.case(42, async () => {
    setClock(-HOUR);
    const { refresh: token, access } = await attack.logIn('ada', PASSWORD);
    assert.equal(await verify(access), 200);
    assert.equal((await refresh(token)).status, 200);
    assert.ok(claims().iat, 'the clock of the tests is right');
    setClock(0);
  }));
