import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Json } from '../../server/errors.ts';
import { type Answer, type Circumstances, deviations, type Expectation } from './expect.ts';

const NOW = 1_800_000_000;
const CIRCUMSTANCES: Circumstances = {
  key: 'k'.repeat(32),
  algorithm: 'HS256',
  now: NOW,
  revokeClaim: (userId) => `HASH-OF-${userId}`,
};

const HEADER = { alg: 'HS256', typ: 'JWT' };
const PAYLOAD = {
  token_type: 'access',
  exp: NOW + 300,
  jti: '0123456789abcdef0123456789abcdef',
  user_id: '1',
  hash_password: 'HASH-OF-1',
};

const EXPECTED: Expectation = {
  status: 200,
  headers: { 'content-type': 'application/json', allow: 'POST, OPTIONS' },
  json: {
    access: {
      $jwt: {
        header: HEADER,
        payload: { ...PAYLOAD, exp: '$now+300', jti: '$hex32', hash_password: '$hash' },
      },
    },
    detail: '$starts:JSON parse error - ',
    list: ['a', null, 1, false],
  },
};

const encoded = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(input: string, key = CIRCUMSTANCES.key, hash = 'sha256'): string {
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

function token(payload: Json = PAYLOAD, header: Json = HEADER): string {
  return signed(`${encoded(header)}.${encoded(payload)}`);
}

const BODY = { access: token(), detail: 'JSON parse error - line 1', list: ['a', null, 1, false] };

function answer(body: unknown = BODY, change: Partial<Answer> = {}): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', allow: 'POST, OPTIONS', date: 'today' },
    body: JSON.stringify(body),
    ...change,
  };
}

const judge = (given: Answer, expected = EXPECTED) => deviations(expected, given, CIRCUMSTANCES);

const withToken = (access: unknown) => answer({ ...BODY, access });

/** The same bits with a spare one set: it decodes alike, and another text passes for the same token. */
function withSpareBit(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) ?? '') + 1];
}

test('an answer as expected deviates in nothing', () => {
  assert.deepEqual(judge(answer()), []);
  assert.deepEqual(judge(withToken(token({ ...PAYLOAD, exp: NOW + 305 }))), []);
  assert.deepEqual(judge(answer('anything'), { status: 200, headers: EXPECTED.headers }), []);
});

const WRONG: Readonly<Record<string, [Answer, RegExp]>> = {
  'another status': [answer(BODY, { status: 201 }), /^status is 201, not 200$/],
  'another header value': [
    answer(BODY, { headers: { 'content-type': 'application/json; charset=utf-8', allow: 'POST, OPTIONS' } }),
    /^content-type is/,
  ],
  'a header missing': [answer(BODY, { headers: { 'content-type': 'application/json' } }), /^allow is absent/],
  'a header too many': [
    answer(BODY, { headers: { ...answer().headers, vary: 'Accept' } }),
    /^vary is "Accept", not absent$/,
  ],
  'no JSON': [answer(BODY, { body: '<h1>Oops</h1>' }), /^body is no JSON/],
  'no body': [answer(BODY, { body: '' }), /^body is no JSON/],
  'a list for an object': [answer([]), /^body is \[\]/],
  'keys in another order': [
    answer({ detail: BODY.detail, access: BODY.access, list: BODY.list }),
    /^body has the keys/,
  ],
  'a key missing': [answer({ access: BODY.access, detail: BODY.detail }), /^body has the keys/],
  'a key too many': [answer({ ...BODY, code: 'x' }), /^body has the keys/],
  'another beginning': [answer({ ...BODY, detail: 'parse error' }), /^body\.detail is/],
  'a shorter list': [answer({ ...BODY, list: ['a', null, 1] }), /^body\.list is/],
  'another type in a list': [
    answer({ ...BODY, list: ['a', null, '1', false] }),
    /^body\.list\[2\] is "1", not 1$/,
  ],
  'no token': [withToken(null), /is not a token/],
  'a token of two segments': [withToken(token().split('.').slice(0, 2).join('.')), /is not a token/],
  'another key': [withToken(signed(token().split('.').slice(0, 2).join('.'), 'other')), /signature is/],
  'another hash': [
    withToken(signed(token().split('.').slice(0, 2).join('.'), CIRCUMSTANCES.key, 'sha512')),
    /signature is/,
  ],
  'a signature with a spare bit set': [withToken(withSpareBit(token())), /is not canonical/],
  'a payload with blanks': [
    withToken(
      signed(`${encoded(HEADER)}.${Buffer.from(JSON.stringify(PAYLOAD, null, 1)).toString('base64url')}`),
    ),
    /is not canonical/,
  ],
  'padding in a segment': [withToken(signed(`${encoded(HEADER)}=.${encoded(PAYLOAD)}`)), /is not canonical/],
  'a header with more': [withToken(token(PAYLOAD, { ...HEADER, kid: '1' })), /header has the keys/],
  'a header in another order': [
    withToken(token(PAYLOAD, { typ: 'JWT', alg: 'HS256' })),
    /header has the keys/,
  ],
  'another algorithm in the header': [
    withToken(token(PAYLOAD, { ...HEADER, alg: 'none' })),
    /header\.alg is "none"/,
  ],
  'a claim too many': [withToken(token({ ...PAYLOAD, role: 'x' })), /payload has the keys/],
  'claims in another order': [
    withToken(token(Object.fromEntries(Object.entries(PAYLOAD).reverse()))),
    /payload has the keys/,
  ],
  'a user_id as a number': [withToken(token({ ...PAYLOAD, user_id: 1 })), /payload\.user_id is 1, not "1"$/],
  'a time too late': [withToken(token({ ...PAYLOAD, exp: NOW + 306 })), /payload\.exp is/],
  'a time too early': [withToken(token({ ...PAYLOAD, exp: NOW + 294 })), /payload\.exp is/],
  'a time with a fraction': [withToken(token({ ...PAYLOAD, exp: NOW + 300.5 })), /payload\.exp is/],
  'a time as a text': [withToken(token({ ...PAYLOAD, exp: String(NOW + 300) })), /payload\.exp is/],
  'a jti in capitals': [withToken(token({ ...PAYLOAD, jti: PAYLOAD.jti.toUpperCase() })), /payload\.jti is/],
  'a jti too short': [withToken(token({ ...PAYLOAD, jti: 'abc' })), /payload\.jti is/],
  "another account's revoke claim": [
    withToken(token({ ...PAYLOAD, hash_password: 'HASH-OF-2' })),
    /hash_password is/,
  ],
};

describe('a deviation is seen:', () => {
  for (const [name, [given, message]] of Object.entries(WRONG)) {
    test(name, () => {
      const found = judge(given);
      assert.ok(found.length > 0, 'nothing was found');
      assert.ok(
        found.some((deviation) => message.test(deviation)),
        found.join('\n'),
      );
    });
  }
});

test('a mark that is not known is an error of the expectation', () => {
  assert.throws(() => judge(answer('x'), { ...EXPECTED, json: '$maybe' }), /\$maybe/);
});
