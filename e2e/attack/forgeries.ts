import assert from 'node:assert/strict';
import fc from 'fast-check';
import { segment, signed } from '../../server/tokens/tokens.fixture.ts';
import { TEST_KEY } from '../settings-of.ts';
import { type Attack, BODY_DOORS, type Door, FORM, now, TOKEN_DOORS, typeAt } from './attack.ts';

interface Options {
  readonly numRuns: number;
  readonly seed: number;
  readonly endOnFailure: true;
}

/** Something to try again and again at a server, with anything that fast-check comes up with. */
export interface Forgery {
  readonly name: string;
  /** Under which case what it sends is counted. */
  readonly case: number;
  /** Of 100 tries, how many are of it. */
  readonly share: number;
  /** Throws what fast-check does where it does not hold. */
  check(attack: Attack, options: Options): Promise<void>;
}

/** How many tries are under way at the same time, each line of them with a seed of its own. */
const LINES = 16;

/**
 * Tries one forgery.
 *
 * @param seed the same one gives the same tries
 * @throws Error of fast-check with the smallest example that fails, and its seed and path
 */
export async function tryForgery(
  attack: Attack,
  forgery: Forgery,
  { tries, seed }: { tries: number; seed: number },
): Promise<void> {
  const each = Math.ceil((tries * forgery.share) / 100 / LINES);
  const lines = Array.from({ length: LINES }, (_, line) =>
    forgery.check(attack, {
      numRuns: each,
      seed: (seed + line * 7_919) | 0,
      endOnFailure: true,
    }),
  );
  const outcomes = await Promise.allSettled(lines);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

const FORMATS = ['application/json', 'text/html'];

/** The claims of a good token of user 1, the same at any time, so that a seed gives the same forgeries again. */
function claimsAt(door: Door, id: number): Record<string, unknown> {
  const times = { exp: LAST_SECOND, iat: 1_767_225_600, refresh_exp: LAST_SECOND };
  return { token_type: typeAt(door), ...times, jti: `forgery${id}`, user_id: '1' };
}

/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799;

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
  // A bit of what a segment stands for.
  fc.tuple(fc.nat(2), fc.nat(), fc.nat(7)).map(([index, at, bit]) => (text: string) => {
    const bytes = Buffer.from(text.split('.')[index] ?? '', 'base64url');
    if (bytes.length === 0) return `${text}x`;
    const position = at % bytes.length;
    bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << bit), position);
    return withSegment(index, bytes.toString('base64url'))(text);
  }),
  // Another member in the header or the claims, under the old signature.
  fc
    .tuple(fc.nat(1), fc.constantFrom('alg', 'kid', 'exp', 'jti', 'user_id', 'token_type'), fc.jsonValue())
    .map(([index, name, value]) => (text: string) => {
      const members = objectIn(text.split('.')[index] ?? '');
      return withSegment(index, segment({ ...members, [name]: value }))(text);
    }),
  // Another encoding of the same bytes.
  fc
    .tuple(fc.nat(2), fc.constantFrom<BufferEncoding>('base64', 'hex', 'latin1', 'binary', 'utf8'))
    .map(([index, encoding]) => (text: string) => {
      const bytes = Buffer.from(text.split('.')[index] ?? '', 'base64url');
      return withSegment(
        index,
        encoding === 'base64' ? `${bytes.toString('base64')}=` : bytes.toString(encoding),
      )(text);
    }),
  fc.constantFrom(
    (text: string) => text.toUpperCase(),
    (text: string) => text.split('').reverse().join(''),
    (text: string) => text.normalize('NFD') + text,
    (text: string) => encodeURIComponent(text).replaceAll('.', '%2E'),
    (text: string) => Buffer.from(text).toString('base64url'),
  ),
);

/** What a segment says, if it is an object of JSON. */
function objectIn(part: string): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function withSegment(index: number, replacement: string): (text: string) => string {
  return (text) =>
    text
      .split('.')
      .map((part, at) => (at === index ? replacement : part))
      .join('.');
}

const alteredTokens: Forgery = {
  name: 'cases 1 to 5: whatever is altered about a token, it is refused',
  case: 1,
  share: 40,
  check: (attack, options) =>
    fc.assert(
      fc.asyncProperty(
        anyDoor,
        fc.array(anyAlteration, { minLength: 1, maxLength: 3 }),
        async (door, alterations) => {
          const good = signed(claimsAt(door, 0), TEST_KEY);
          const forged = alterations.reduce((text, alter) => (text === '' ? 'x' : alter(text)), good);
          // A body is trimmed, and so is a header; such a text is the very same token.
          fc.pre(forged.trim() !== good && forged.trim() !== '');
          fc.pre(door.field !== null || /^[\x21-\x7e]+$/.test(forged));
          const { status, body } = await attack.present(door, forged);
          assert.ok(status === 401 || (status === 400 && door.field !== null), `${status} ${body}`);
          if (status === 401) assert.equal(JSON.parse(body).code, 'token_not_valid');
        },
      ),
      options,
    ),
};

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

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

/** What is true of every token that may pass, in the words of RFC 7519 and not of the code under test. */
function mayPass(door: Door, header: unknown, payload: unknown): boolean {
  const [head, body] = [header, payload].map((value) =>
    typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)) : new Map(),
  ) as [Map<string, unknown>, Map<string, unknown>];
  const isTime = (value: unknown) => typeof value === 'number' && value >= 0 && value <= LAST_SECOND;
  const jti = body.get('jti');
  const exp = body.get('exp');
  return (
    head.get('alg') === 'HS256' &&
    !head.has('kid') &&
    !head.has('crit') &&
    isTime(exp) &&
    (exp as number) > now() - 2 &&
    typeof jti === 'string' &&
    jti.length > 0 &&
    jti.length <= 255 &&
    ['nbf', 'iat'].every(
      (name) => !body.has(name) || (isTime(body.get(name)) && Number(body.get(name)) < now() + 2),
    ) &&
    (!body.has('sub') || typeof body.get('sub') === 'string') &&
    (door.path.includes('verify') || body.get('token_type') === typeAt(door))
  );
}

const signedTokens: Forgery = {
  name: 'cases 6 to 11: whatever a token says that is signed with the right key, it passes only if it may, and is never a fault',
  case: 8,
  share: 30,
  check: (attack, options) =>
    fc.assert(
      fc.asyncProperty(
        anyDoor,
        anyHeader,
        anyChanges,
        fc.constantFrom(...FORMATS),
        fc.nat(),
        async (door, header, changes, accept, id) => {
          const payload = { ...claimsAt(door, id), ...Object.fromEntries(changes) };
          const { status, body } = await attack.present(door, signed(payload, TEST_KEY, header), { accept });
          assert.ok([200, 400, 401].includes(status), `${status} ${body.slice(0, 200)}`);
          if (status === 200) assert.ok(mayPass(door, asJson(header), asJson(payload)), 'it was taken');
        },
      ),
      options,
    ),
};

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

const bodies: Forgery = {
  name: 'case 25: whatever is sent as a body, it is never a fault',
  case: 25,
  share: 20,
  check: (attack, options) =>
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
      options,
    ),
};

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

const requests: Forgery = {
  name: 'case 27: whatever is asked for, in whatever way, it is never a fault',
  case: 27,
  share: 10,
  check: (attack, options) =>
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
      options,
    ),
};

export const FORGERIES: readonly Forgery[] = [alteredTokens, signedTokens, bodies, requests];
