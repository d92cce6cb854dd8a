import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { segment, signed } from '../../server/tokens/tokens.fixture.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack, assertNotValid, claims, type Door, now, TOKEN_DOORS, token, typeAt } from './attack.ts';

let attack: Attack;

before(async () => {
  attack = await Attack.start();
});
after(() => attack.end());

/** Shows each token at each door and asks for 401. A door is told which type of token it wants. */
async function refusedEverywhere(
  forge: (door: Door, good: string) => Readonly<Record<string, string>>,
): Promise<void> {
  for (const door of TOKEN_DOORS) {
    const good = token({ token_type: typeAt(door) });
    for (const [name, forged] of Object.entries(forge(door, good))) {
      assertNotValid(await attack.present(door, forged), `${door.path} ${name}`);
    }
  }
}

const parts = (text: string) => text.split('.') as [string, string, string];

test('the doors open for good tokens, or nothing below says anything', () =>
  attack.case(1, async () => {
    for (const door of TOKEN_DOORS) {
      const reply = await attack.present(door, token({ token_type: typeAt(door) }));
      assert.equal(reply.status, 200, `${door.path} ${reply.body}`);
    }
  }));

test('case 1: altered header or payload, foreign or missing signatures, other numbers of segments', () =>
  attack.case(1, () =>
    refusedEverywhere((door, good) => {
      const [header, payload, signature] = parts(good);
      const other = parts(token({ token_type: typeAt(door) }))[2];
      return {
        'another payload': `${header}.${segment(claims({ token_type: typeAt(door), user_id: '2' }))}.${signature}`,
        'another header': `${segment({ typ: 'JWT', alg: 'HS256' })}.${payload}.${signature}`,
        'no signature': `${header}.${payload}.`,
        'no signature and no dot': `${header}.${payload}`,
        'a cut signature': `${header}.${payload}.${signature.slice(0, 40)}`,
        'a longer signature': `${good}AAAA`,
        "another token's signature": `${header}.${payload}.${other}`,
        'another key': signed(claims({ token_type: typeAt(door) }), 'another key'),
        'an empty key': signed(claims({ token_type: typeAt(door) }), ''),
        'one segment': header,
        'four segments': `${good}.${signature}`,
        'five segments': `${good}.${signature}.${signature}`,
        dots: '..',
      };
    }),
  ));

test('case 2: alg none in all spellings, other algorithms, keys that are public', () =>
  attack.case(2, async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const jwk = publicKey.export({ format: 'jwk' });
    const algs = [
      'none',
      'None',
      'NONE',
      'nOnE',
      '',
      undefined,
      ['HS256'],
      null,
      1,
      'HS384',
      'HS512',
      'RS256',
      'ES256',
      'EdDSA',
      'XY1',
      'hs256',
    ];
    await refusedEverywhere((door) => {
      const payload = claims({ token_type: typeAt(door) });
      const forged = algs.flatMap((alg) => {
        const header = { alg, typ: 'JWT' };
        const signature = createHmac('sha256', TEST_KEY)
          .update(`${segment(header)}.${segment(payload)}`)
          .digest('base64url');
        return [
          [
            `alg ${JSON.stringify(alg)}, signed as HS256`,
            `${segment(header)}.${segment(payload)}.${signature}`,
          ],
          [`alg ${JSON.stringify(alg)}, signed as it says`, signed(payload, TEST_KEY, header)],
          [`alg ${JSON.stringify(alg)}, not signed`, `${segment(header)}.${segment(payload)}.`],
        ];
      });
      return {
        ...Object.fromEntries(forged),
        'a PEM as the secret': signed(payload, pem),
        'a JWK as the secret': signed(payload, JSON.stringify(jwk)),
        'a JWK in the header': signed(payload, pem, { alg: 'ES256', jwk }),
      };
    });
  }));

test('case 3: header or payload that is no object, whatever its signature', () =>
  attack.case(3, () =>
    refusedEverywhere((door) => {
      const odd = [[], [claims()], 'text', 1, null, true, ''];
      const payload = claims({ token_type: typeAt(door) });
      return Object.fromEntries([
        ...odd.map((value) => [`payload ${JSON.stringify(value)}`, signed(value, TEST_KEY)]),
        ...odd.map((value) => [`header ${JSON.stringify(value)}`, signed(payload, TEST_KEY, value)]),
      ]);
    }),
  ));

/** Other spellings of the same bytes: the last character's unused bits set. */
function otherSpellings(text: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bytes = Buffer.from(text, 'base64url');
  const spellings = [...alphabet].map((last) => text.slice(0, -1) + last);
  return spellings.filter((other) => other !== text && Buffer.from(other, 'base64url').equals(bytes));
}

test('case 4: only canonical base64url is a token', () =>
  attack.case(4, async () => {
    await refusedEverywhere((door, good) => {
      const [header, payload, signature] = parts(good);
      const others = otherSpellings(signature);
      assert.equal(others.length, 3);
      return {
        ...Object.fromEntries(
          others.map((other, index) => [`spelling ${index + 2}`, `${header}.${payload}.${other}`]),
        ),
        padding: `${good}=`,
        'a question mark': `${header}.${payload}.?${signature.slice(1)}`,
        'a plus': `${header}.${payload}.+${signature.slice(1)}`,
        'a slash': `${header}.${payload}./${signature.slice(1)}`,
        'a length of 1 mod 4': `${good}AA`,
        'signed, with padding in the payload': spelledAndSigned(`${payload}==`, header),
        'signed, with a plus in the payload': spelledAndSigned(`${payload}+`, header),
        typed: typeAt(door).repeat(3),
      };
    });
    // A header cannot hold these; a body can.
    for (const door of TOKEN_DOORS) {
      if (door.field === null) continue;
      const good = token({ token_type: typeAt(door) });
      const [header, payload, signature] = parts(good);
      for (const middle of ['\n', ' ', '\r\n', '\t', '\u200b', 'é']) {
        assertNotValid(
          await attack.present(
            door,
            `${header}.${payload}.${signature.slice(0, 9)}${middle}${signature.slice(9)}`,
          ),
          door.path,
        );
        assertNotValid(await attack.present(door, `${header}.${middle}${payload}.${signature}`), door.path);
      }
    }
  }));

/** A token whose payload segment is spelled as given, under a signature that fits the spelling. */
function spelledAndSigned(payload: string, header: string): string {
  const input = `${header}.${payload}`;
  return `${input}.${createHmac('sha256', TEST_KEY).update(input).digest('base64url')}`;
}

test('case 5: signed invalid UTF-8, and tokens over 8 KiB', () =>
  attack.case(5, async () => {
    await refusedEverywhere((door) => {
      const json = JSON.stringify(claims({ token_type: typeAt(door), name: 'xx' }));
      const bytes = Buffer.from(json);
      bytes.set([0xff, 0xfe], json.indexOf('xx'));
      return {
        'invalid UTF-8': signed(bytes, TEST_KEY),
        'an overlong sequence': signed(
          Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]),
          TEST_KEY,
        ),
        'over 8 KiB': token({ token_type: typeAt(door), name: 'x'.repeat(6_500) }),
      };
    });
    for (const door of TOKEN_DOORS) {
      if (door.field === null) continue;
      assertNotValid(
        await attack.present(door, token({ token_type: typeAt(door), name: 'x'.repeat(700_000) })),
        door.path,
      );
    }
  }));

test('case 6: of claims that come twice the last counts, at every door', () =>
  attack.case(6, async () => {
    for (const door of TOKEN_DOORS) {
      const good = () => JSON.stringify(claims({ token_type: typeAt(door) }));
      for (const first of ['"exp":1', '"token_type":"wrong"', '"jti":7', '"user_id":"2"']) {
        const reply = await attack.present(
          door,
          signed(Buffer.from(`{${first},${good().slice(1)}`), TEST_KEY),
        );
        assert.equal(reply.status, 200, `${door.path} ${first} ${reply.body}`);
      }
      for (const last of ['"exp":1', '"jti":7', '"iat":1e20']) {
        const doubled = signed(Buffer.from(`${good().slice(0, -1)},${last}}`), TEST_KEY);
        assertNotValid(await attack.present(door, doubled), `${door.path} ${last}`);
      }
    }
  }));

test('case 6: __proto__ and constructor have no effect', () =>
  attack.case(6, async () => {
    await refusedEverywhere((door) => {
      const inherited = (json: object) =>
        signed(Buffer.from(`{"__proto__":${JSON.stringify(json)},"constructor":{"prototype":{}}}`), TEST_KEY);
      return { 'all inherited': inherited(claims({ token_type: typeAt(door) })), nothing: inherited({}) };
    });
    const json = JSON.stringify(claims({ token_type: 'refresh' }));
    const odd = signed(
      Buffer.from(`${json.slice(0, -1)},"__proto__":{"user_id":"2","is_staff":true},"constructor":1}`),
      TEST_KEY,
    );
    const reply = await attack.send('/api/token/refresh/', { body: { refresh: odd } });
    assert.equal(reply.status, 200);
    const me = await attack.send('/api/me/', {
      method: 'GET',
      headers: { authorization: `Bearer ${JSON.parse(reply.body).access}` },
    });
    assert.deepEqual(JSON.parse(me.body), { id: 1, username: 'ada' });
  }));

test('case 7: keys in headers are ignored, nothing is fetched, kid and crit are refused', () =>
  attack.case(7, async () => {
    let connections = 0;
    const listener = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/key`;
    const attacker = 'a key of the attacker, and long enough for any check of that kind';
    const jwk = { kty: 'oct', k: Buffer.from(attacker).toString('base64url') };
    const names = { jwk, jku: url, x5u: url, x5c: [Buffer.from(attacker).toString('base64')] };
    try {
      await refusedEverywhere((door) => {
        const payload = claims({ token_type: typeAt(door) });
        const forged = Object.entries(names).map(([name, value]) => [
          name,
          signed(payload, attacker, { alg: 'HS256', [name]: value }),
        ]);
        const kids = [
          '',
          'x',
          '../../../../dev/null',
          "x' UNION SELECT 'key",
          '; sleep 9',
          '$(sleep 9)',
          'x'.repeat(5_000),
          null,
          1,
          ['x'],
        ];
        const refusedKids = kids.map((kid) => [
          `kid ${JSON.stringify(kid).slice(0, 30)}`,
          signed(payload, TEST_KEY, { alg: 'HS256', kid }),
        ]);
        const crits = [['b64'], ['exp'], '', [], null, {}].map((crit) => [
          `crit ${JSON.stringify(crit)}`,
          signed(payload, TEST_KEY, { alg: 'HS256', crit, b64: true }),
        ]);
        return Object.fromEntries([...forged, ...refusedKids, ...crits]);
      });
      for (const door of TOKEN_DOORS) {
        const genuine = signed(claims({ token_type: typeAt(door) }), TEST_KEY, { alg: 'HS256', ...names });
        assert.equal((await attack.present(door, genuine)).status, 200, door.path);
      }
      assert.equal(connections, 0);
    } finally {
      listener.close();
    }
  }));

test('case 7: a kid is no slower than a bad signature', () =>
  attack.case(7, async () => {
    const time = async (forged: string) => {
      const times: number[] = [];
      for (let i = 0; i < 40; i += 1) {
        const started = performance.now();
        await attack.send('/api/token/verify/', { body: { token: forged } });
        times.push(performance.now() - started);
      }
      return times.sort((a, b) => a - b)[20] as number;
    };
    const bad = await time(signed(claims(), 'another key'));
    const kid = await time(token({}, { alg: 'HS256', kid: "x' AND randomblob(1e9) --" }));
    assert.ok(kid < bad * 3 + 10, `${kid} ms against ${bad} ms`);
  }));

test('case 8: times and ids that are none', () =>
  attack.case(8, async () => {
    const times: readonly [string, string[]][] = [
      ['exp', ['"9999999999"', 'null', '[9999999999]', '1e999', '-1e20', 'true', '{}', '1e20', '0', '-1']],
      ['nbf', ['1e20', '1e999', '"0"', 'null', '[]', '9999999999', '-1']],
      ['iat', ['1e20', '9999999999', '"0"', 'null', '{}', '-1e999']],
      ['jti', ['null', '7', '""', '[]', '["x"]', `"${'x'.repeat(4_000)}"`, 'true']],
      ['sub', ['7', 'null', '[]']],
    ];
    await refusedEverywhere((door) => {
      const json = (changes: object) => JSON.stringify(claims({ token_type: typeAt(door), ...changes }));
      const forged = times.flatMap(([name, values]) =>
        values.map((value) => [
          `${name} ${value.slice(0, 30)}`,
          signed(Buffer.from(`${json({ [name]: undefined }).slice(0, -1)},"${name}":${value}}`), TEST_KEY),
        ]),
      );
      return {
        ...Object.fromEntries(forged),
        'no exp': token({ token_type: typeAt(door), exp: undefined }),
        'no jti': token({ token_type: typeAt(door), jti: undefined }),
        nothing: signed({}, TEST_KEY),
      };
    });
    for (const door of TOKEN_DOORS) {
      if (door.path.includes('verify')) continue;
      for (const token_type of [
        undefined,
        null,
        7,
        '',
        [typeAt(door)],
        'x'.repeat(4_000),
        typeAt(door).toUpperCase(),
      ]) {
        assertNotValid(
          await attack.present(door, token({ token_type })),
          `${door.path} type ${JSON.stringify(token_type)?.slice(0, 30)}`,
        );
      }
    }
  }));

test('case 8: times in fractions of a second are times', () =>
  attack.case(8, async () => {
    for (const door of TOKEN_DOORS) {
      for (const nbf of [0, 1e-83, 0.5, now() - 1.5]) {
        const reply = await attack.present(
          door,
          token({ token_type: typeAt(door), nbf, iat: now() - 1.5, exp: now() + 60.5 }),
        );
        assert.equal(reply.status, 200, `${door.path} ${nbf} ${reply.body}`);
      }
    }
  }));

test('case 8: an odd user id is nobody, and never a fault', () =>
  attack.case(8, async () => {
    for (const door of TOKEN_DOORS) {
      for (const user_id of [
        '1e0',
        ' 1',
        [1],
        { id: 1 },
        1e300,
        -1,
        '9'.repeat(3_000),
        "1' OR '1'='1",
        true,
        'ada',
        '\0',
      ]) {
        const { status, body } = await attack.present(door, token({ token_type: typeAt(door), user_id }));
        const expected = door.path.includes('verify') || door.path.includes('blacklist') ? 200 : 401;
        assert.equal(status, expected, `${door.path} ${JSON.stringify(user_id).slice(0, 30)} ${body}`);
      }
    }
  }));

test('case 9: a token of one type is no token of another', () =>
  attack.case(9, async () => {
    for (const door of TOKEN_DOORS) {
      for (const token_type of ['access', 'refresh', 'sliding']) {
        const reply = await attack.present(door, token({ token_type }));
        if (door.path.includes('verify') || token_type === typeAt(door)) assert.equal(reply.status, 200);
        else assertNotValid(reply, `${door.path} ${token_type}`);
      }
    }
    const { refresh, access } = await attack.logIn();
    assertNotValid(
      await attack.send('/api/token/refresh/', { body: { refresh: access } }),
      'access for refresh',
    );
    assertNotValid(
      await attack.send('/api/me/', { method: 'GET', headers: { authorization: `Bearer ${refresh}` } }),
      'refresh as bearer',
    );
    const lasting = token({ token_type: 'access', exp: now() + 86_400 });
    assertNotValid(
      await attack.send('/api/token/refresh/', { body: { refresh: lasting } }),
      "an access token of a refresh token's lifetime",
    );
  }));

test("case 11: what makes a library's error is 401 as any other", () =>
  attack.case(11, () =>
    refusedEverywhere((door) => ({
      'an unknown alg': token({ token_type: typeAt(door) }, { alg: 'unknown' }),
      'no alg': token({ token_type: typeAt(door) }, { typ: 'JWT' }),
      'a future nbf': token({ token_type: typeAt(door), nbf: now() + 600 }),
      'no object': signed('x', TEST_KEY),
      'exp beyond all numbers': signed(
        Buffer.from('{"exp":1e999,"jti":"a","token_type":"access"}'),
        TEST_KEY,
      ),
      'a header that is no JSON': `${segment(Buffer.from('{'))}.${segment(claims())}.AAAA`,
      'nested as deep as fits': signed(
        Buffer.from(`{"a":${'['.repeat(2_900)}${']'.repeat(2_900)}}`),
        TEST_KEY,
      ),
    })),
  ));

test('case 11: the same on the pages', () =>
  attack.case(11, async () => {
    const forged = [
      token({ nbf: now() + 600 }),
      signed('x', TEST_KEY),
      signed(Buffer.from('{"exp":1e999,"iat":-1e999,"nbf":1e300}'), TEST_KEY),
      signed(Buffer.from(`{"a":${'['.repeat(2_900)}${']'.repeat(2_900)}}`), TEST_KEY),
      signed(Buffer.from('{"__proto__":1,"constructor":{"toString":1},"toString":1}'), TEST_KEY),
      signed({}, TEST_KEY, JSON.parse('{"alg":"HS256","__proto__":1,"constructor":1,"toString":null}')),
      token({ exp: 253_402_300_799, iat: 0.5 }),
    ];
    for (const door of TOKEN_DOORS) {
      for (const one of forged) {
        const reply = await attack.present(door, one, { accept: 'text/html' });
        assert.ok(reply.status === 401 || reply.status === 200, `${door.path} ${reply.status}`);
        assert.match(String(reply.headers['content-type']), /^text\/html/);
        assert.ok(
          !/\[object Object\]|native code/.test(reply.body),
          `${door.path} shows an inherited member`,
        );
      }
    }
  }));
