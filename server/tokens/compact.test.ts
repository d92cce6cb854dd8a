import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_TOKEN_LENGTH, parseCompact, withoutSignature } from './compact.ts';
import { refusalOf, segment, signed } from './tokens.fixture.ts';

const HEADER = { alg: 'HS256', typ: 'JWT' };
const PAYLOAD = { token_type: 'access', exp: 1, ü: '€' };
const TOKEN = signed(PAYLOAD, 'key');
const [H, P, S] = TOKEN.split('.') as [string, string, string];

test('a token comes apart', () => {
  assert.deepEqual(parseCompact(TOKEN), { header: HEADER, payload: PAYLOAD });
});

test('without its signature it keeps header and payload', () => {
  assert.equal(withoutSignature(TOKEN), `${H}.${P}`);
});

test('of a claim that comes twice the last counts', () => {
  const token = `${H}.${segment(Buffer.from('{"exp": 1, "exp": 2}'))}.${S}`;
  assert.deepEqual(parseCompact(token).payload, { exp: 2 });
});

test('__proto__ and constructor are claims like any other', () => {
  const { payload } = parseCompact(
    `${H}.${segment(Buffer.from('{"__proto__": {"exp": 1}, "constructor": 2}'))}.${S}`,
  );
  assert.equal(Object.getPrototypeOf(payload), Object.prototype);
  assert.deepEqual(Object.keys(payload), ['__proto__', 'constructor']);
  assert.equal(payload.exp, undefined);
});

/** The same bytes with unused bits of the last character set, for a segment whose length leaves some. */
function otherSpellings(text: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const bytes = Buffer.from(text, 'base64url');
  return [...alphabet]
    .map((character) => text.slice(0, -1) + character)
    .filter((other) => other !== text && Buffer.from(other, 'base64url').equals(bytes));
}

test('a signature of 32 bytes has four spellings, and one of them is a token', () => {
  assert.equal(S.length, 43);
  const others = otherSpellings(S);
  assert.equal(others.length, 3);
  for (const other of others)
    assert.throws(() => parseCompact(`${H}.${P}.${other}`), { code: 'token_invalid' });
});

test('so have header and payload, whatever their length', () => {
  let seen = 0;
  for (const filler of ['', 'x', 'xx']) {
    const part = segment({ a: filler });
    assert.deepEqual(parseCompact(`${part}.${part}.${S}`).payload, { a: filler });
    for (const other of otherSpellings(part)) {
      seen += 1;
      assert.throws(() => parseCompact(`${other}.${P}.${S}`), { code: 'token_invalid' });
      assert.throws(() => parseCompact(`${H}.${other}.${S}`), { code: 'token_invalid' });
    }
  }
  assert.equal(seen, 3 + 15);
});

const REFUSED: Readonly<Record<string, string>> = {
  'an empty text': '',
  'dots alone': '..',
  'one segment': H,
  'two segments': `${H}.${P}`,
  'four segments': `${TOKEN}.${S}`,
  'five segments': `${TOKEN}.${S}.${S}`,
  'an empty signature': `${H}.${P}.`,
  'an empty header': `.${P}.${S}`,
  'an empty payload': `${H}..${S}`,
  padding: `${H}.${P}.${S}=`,
  'a blank before': ` ${TOKEN}`,
  'a new line behind': `${TOKEN}\n`,
  'a new line within': `${H}.${P}.${S.slice(0, 9)}\n${S.slice(9)}`,
  'a blank within': `${H}.${P.slice(0, 4)} ${P.slice(4)}.${S}`,
  'a plus of plain base64': `${H}.${P}.+${S.slice(1)}`,
  'a slash of plain base64': `${H}.${P}./${S.slice(1)}`,
  'a question mark': `${H}.${P}.?${S.slice(1)}`,
  'a letter that is no ASCII': `${H}.${P}.é${S.slice(1)}`,
  'a NUL': `${H}.${P}.\0${S.slice(1)}`,
  'a length of 1 mod 4 in the signature': `${H}.${P}.${S}AA`,
  'a length of 1 mod 4 in the payload': `${H}.AAAAA.${S}`,
  'a payload that is no JSON': `${H}.${segment(Buffer.from('no'))}.${S}`,
  'a payload of nothing': `${H}.${segment(Buffer.from(' '))}.${S}`,
  'a payload cut off': `${H}.${segment(Buffer.from('{"exp": 1'))}.${S}`,
  'a payload with more behind it': `${H}.${segment(Buffer.from('{} {}'))}.${S}`,
  'a payload in invalid UTF-8': `${H}.${segment(Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]))}.${S}`,
  'a payload with NaN': `${H}.${segment(Buffer.from('{"exp": NaN}'))}.${S}`,
  'a header in invalid UTF-8': `${segment(Buffer.from([0x7b, 0xc3, 0x28, 0x7d]))}.${P}.${S}`,
};

describe('no token:', () => {
  for (const [name, token] of Object.entries(REFUSED)) {
    test(name, () => assert.throws(() => parseCompact(token), { code: 'token_invalid' }));
  }
  for (const value of [[], [{}], 'text', 1, null, true]) {
    test(`header ${JSON.stringify(value)}`, () =>
      assert.throws(() => parseCompact(`${segment(value)}.${P}.${S}`), { code: 'token_invalid' }));
    test(`payload ${JSON.stringify(value)}`, () =>
      assert.throws(() => parseCompact(`${H}.${segment(value)}.${S}`), { code: 'token_invalid' }));
  }
});

test('a token over 8 KiB is refused before it is decoded', async (context) => {
  const filler = (length: number) => `${H}.${segment({ a: 'x'.repeat(length) })}.${S}`;
  const fits = filler(6_000);
  assert.ok(fits.length <= MAX_TOKEN_LENGTH);
  assert.equal(await refusalOf(() => parseCompact(fits)), undefined);
  const tooLong = filler(6_300);
  assert.ok(tooLong.length > MAX_TOKEN_LENGTH);
  const parse = context.mock.method(JSON, 'parse');
  assert.equal(await refusalOf(() => parseCompact(tooLong)), 'token_invalid');
  assert.equal(parse.mock.callCount(), 0);
});
