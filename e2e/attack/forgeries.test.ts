import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { segment, signed } from '../../server/tokens/tokens.fixture.ts';
import { TEST_KEY } from '../settings-of.ts';
import { Attack, BODY_DOORS, claims, type Door, FORM, now, TOKEN_DOORS, token, typeAt } from './attack.ts';

/** Given to repeat a run; printed by every run. */
const SEED = Number(process.env.FORGERY_SEED ?? Date.now() % 2 ** 31);

/** How many tries each property has: 5,000 together. */
const TRIES = { altered: 2_000, own: 1_500, bodies: 1_000, requests: 500 };

const FORMATS = ['application/json', 'text/html'];

let attack: Attack;

before(async () => {
  console.log(`forgeries: seed ${SEED} (FORGERY_SEED=${SEED} repeats them)`);
  attack = await Attack.start();
});
after(() => attack.end());

const options = (numRuns: number) => ({ numRuns, seed: SEED, endOnFailure: true });

const anyDoor = fc.constantFrom<Door>(...TOKEN_DOORS);

/** What may be done to a token's text. Each is told the token and gives another. */
const anyAlteration: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.nat(), fc.constantFrom(...'AZaz09-_.=+/ %~\n')).map(([at, character]) => (text: string) => {
    const index = at % text.length;
    return text.slice(0, index) + character + text.slice(index + 1);
  }),
  fc.tuple(fc.nat(), fc.string({ minLength: 1, maxLength: 8 })).map(([at, more]) => (text: string) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + more + text.slice(index);
  }),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 40 })).map(([at, length]) => (text: string) => {
    const index = at % text.length;
    return text.slice(0, index) + text.slice(index + length);
  }),
  fc
    .shuffledSubarray([0, 1, 2, 0, 1, 2])
    .map((order) => (text: string) => order.map((index) => text.split('.')[index]).join('.')),
  fc.tuple(fc.nat(2), fc.jsonValue()).map(([index, value]) => withSegment(index, segment(value))),
  fc
    .tuple(fc.nat(2), fc.uint8Array({ maxLength: 80 }))
    .map(([index, bytes]) => withSegment(index, segment(bytes))),
  fc.constantFrom(
    (text: string) => text.toUpperCase(),
    (text: string) => text.split('').reverse().join(''),
    (text: string) => text.normalize('NFD') + text,
    (text: string) => encodeURIComponent(text).replaceAll('.', '%2E'),
    (text: string) => Buffer.from(text).toString('base64url'),
  ),
);

function withSegment(index: number, replacement: string): (text: string) => string {
  return (text) =>
    text
      .split('.')
      .map((part, at) => (at === index ? replacement : part))
      .join('.');
}

test('cases 1 to 5: whatever is altered about a token, it is refused', () =>
  attack.case(1, () =>
    fc.assert(
      fc.asyncProperty(
        anyDoor,
        fc.array(anyAlteration, { minLength: 1, maxLength: 3 }),
        async (door, alterations) => {
          const good = token({ token_type: typeAt(door) });
          const forged = alterations.reduce((text, alter) => (text === '' ? 'x' : alter(text)), good);
          // A body is trimmed, and so is a header; such a text is the very same token.
          fc.pre(forged.trim() !== good && forged.trim() !== '');
          fc.pre(door.field !== null || /^[\x21-\x7e]+$/.test(forged));
          const { status, body } = await attack.present(door, forged);
          assert.ok(status === 401 || (status === 400 && door.field !== null), `${status} ${body}`);
          if (status === 401) assert.equal(JSON.parse(body).code, 'token_not_valid');
        },
      ),
      options(TRIES.altered),
    ),
  ));

const oddNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, 1e20, -1e20, 2 ** 53, now(), now() + 1e9),
);
const oddValue = fc.oneof(fc.jsonValue(), oddNumber, fc.string({ maxLength: 300 }));
const names = [
  'token_type',
  'exp',
  'iat',
  'nbf',
  'jti',
  'user_id',
  'aud',
  'iss',
  'sub',
  'refresh_exp',
  '__proto__',
  'constructor',
];

/** Changes of some claims, each to anything or to nothing. */
const anyChanges = fc.array(fc.tuple(fc.constantFrom(...names), fc.option(oddValue, { nil: undefined })), {
  maxLength: 4,
});

const anyHeader = fc.oneof(
  { weight: 4, arbitrary: fc.constant<unknown>({ alg: 'HS256', typ: 'JWT' }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('alg', 'typ', 'kid', 'crit', 'jwk', 'jku', 'x5c', 'cty', 'zip', 'b64'), oddValue)
      .map(([name, value]): unknown => ({ alg: 'HS256', [name]: value })),
  },
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
);

test('cases 6 to 11: whatever a token says that is signed with the right key, it is never a fault', () =>
  attack.case(8, () =>
    fc.assert(
      fc.asyncProperty(
        anyDoor,
        anyHeader,
        anyChanges,
        fc.constantFrom(...FORMATS),
        async (door, header, changes, accept) => {
          const payload = { ...claims({ token_type: typeAt(door) }), ...Object.fromEntries(changes) };
          const { status, body } = await attack.present(door, signed(payload, TEST_KEY, header), { accept });
          assert.ok([200, 400, 401].includes(status), `${status} ${body.slice(0, 200)}`);
        },
      ),
      options(TRIES.own),
    ),
  ));

const fieldNames = [
  'username',
  'password',
  'token',
  'refresh',
  '_method',
  '_token',
  '_content',
  '_content_type',
  '__proto__',
  'constructor',
  'toString',
];
const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const anyFields = fc.array(fc.tuple(fc.constantFrom(...fieldNames), fc.oneof(fc.jsonValue(), anyText)), {
  maxLength: 6,
});

const anyBody: fc.Arbitrary<{ type: string; body: string | Uint8Array }> = fc.oneof(
  fc
    .oneof(
      fc.jsonValue(),
      anyFields.map((fields) => Object.fromEntries(fields)),
    )
    .map((value) => ({ type: 'application/json', body: JSON.stringify(value) })),
  anyFields.map((fields) => ({
    type: FORM,
    body: fields.map(([name, value]) => `${name}=${encodeURIComponent(textOf(value))}`).join('&'),
  })),
  anyFields.map((fields) => ({
    type: 'multipart/form-data; boundary=b',
    body: `${fields.map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${textOf(value)}\r\n`).join('')}--b--\r\n`,
  })),
  fc
    .tuple(
      fc.constantFrom('application/json', FORM, 'multipart/form-data; boundary=b', 'text/plain'),
      fc.uint8Array({ maxLength: 200 }),
    )
    .map(([type, body]) => ({ type, body })),
);

/** As text, without the surrogates that have no partner and that no encoding takes. */
function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\p{Surrogate}/gu, '\u{FFFD}');
}

test('case 25: whatever is sent as a body, it is never a fault', () =>
  attack.case(25, () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...BODY_DOORS, '/api/me/', '/api/'),
        anyBody,
        fc.constantFrom(...FORMATS),
        async (path, { type, body }, accept) => {
          const reply = await attack.send(path, { headers: { 'content-type': type, accept }, body });
          assert.ok(
            (reply.status >= 400 && reply.status < 500) || reply.status === 200,
            `${reply.status} ${reply.body.slice(0, 200)}`,
          );
        },
      ),
      options(TRIES.bodies),
    ),
  ));

const headerText = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const pathText = fc.string({
  unit: fc.constantFrom(...'/abc.%20~:*?&=#()[]{}<>"\\^|;@!$,+-_'),
  maxLength: 30,
});

test('case 27: whatever is asked for, in whatever way, it is never a fault', () =>
  attack.case(27, () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND'),
        fc
          .tuple(fc.constantFrom('', '/', '/api/', '/api/token/', '/api/me/', '/static/'), pathText)
          .map((parts) => parts.join('')),
        fc.dictionary(
          fc.constantFrom(
            'accept',
            'content-type',
            'authorization',
            'cookie',
            'host',
            'origin',
            'range',
            'if-none-match',
          ),
          headerText,
        ),
        async (method, path, headers) => {
          const all: Record<string, string> = { host: 'a', connection: 'close', ...headers };
          const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
          const { statuses } = await attack.raw(
            Buffer.from(`${method} ${path || '/'} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
            1_000,
          );
          assert.ok(statuses.length === 1 && Number(statuses[0]) < 500, `${statuses}`);
        },
      ),
      options(TRIES.requests),
    ),
  ));
