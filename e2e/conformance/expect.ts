import { createHmac } from 'node:crypto';
import type { Json } from '../../server/errors.ts';

/** What a recorded step expects; the marks that `json` may hold are described at `deviations`. */
export interface Expectation {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent where nothing is said about the body. */
  readonly json?: Json;
}

/** An answer as it came over the wire. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** What the matcher must know to judge a token. */
export interface Circumstances {
  /** The HMAC key. */
  readonly key: string;
  readonly algorithm: 'HS256' | 'HS384' | 'HS512';
  /** When the request was sent, in seconds since the epoch. */
  readonly now: number;
  /** The right value of the revoke claim for an account. */
  revokeClaim(userId: unknown): string;
}

/** The headers that an expectation speaks of: one that it does not list must be absent. */
const JUDGED_HEADERS = ['content-type', 'allow', 'vary', 'www-authenticate', 'retry-after', 'location'];

/** How far a `$now+N` may be off, in seconds. */
const TOLERANCE = 5;

type Members = Readonly<Record<string, Json>>;

/** What surrounds a value: the circumstances, and the token payload that it is part of. */
interface Scope extends Circumstances {
  readonly payload?: Members;
}

/**
 * Says in which ways an answer differs from what is expected; an empty list if in none. The order of keys counts.
 *
 * Marks: `{"$jwt": {header, payload}}` is a token signed with the key whose segments are canonical and have exactly
 * these members in this order; `$now+N` a whole number within five of N seconds after the request; `$hex32` 32
 * lower-case hex digits; `$hash` the account's revoke claim; `$starts:x` a text that begins with x.
 *
 * @throws Error when the expectation holds a mark that is not one of these
 */
export function deviations(expected: Expectation, answer: Answer, circumstances: Circumstances): string[] {
  return [
    ...same('status', expected.status, answer.status),
    ...JUDGED_HEADERS.flatMap((name) => same(name, expected.headers[name], answer.headers[name])),
    ...bodyDeviations(expected.json, answer.body, circumstances),
  ];
}

function bodyDeviations(expected: Json | undefined, body: string, circumstances: Circumstances): string[] {
  if (expected === undefined) return [];
  const actual = parsed(body);
  return actual === undefined
    ? [`body is no JSON: ${shown(body)}`]
    : compare('body', expected, actual, circumstances);
}

function compare(path: string, expected: Json, actual: Json, scope: Scope): string[] {
  if (typeof expected === 'string' && expected.startsWith('$'))
    return compareMark(path, expected, actual, scope);
  if (Array.isArray(expected)) return compareList(path, expected, actual, scope);
  if (!isMembers(expected)) return same(path, expected, actual);
  const token = expected.$jwt;
  if (isMembers(token)) return compareToken(path, token, actual, scope);
  return isMembers(actual) ? compareMembers(path, expected, actual, scope) : [unlike(path, expected, actual)];
}

function compareList(path: string, expected: readonly Json[], actual: Json, scope: Scope): string[] {
  if (!Array.isArray(actual) || actual.length !== expected.length) return [unlike(path, expected, actual)];
  return expected.flatMap((item, index) => compare(`${path}[${index}]`, item, actual[index] as Json, scope));
}

function compareMembers(path: string, expected: Members, actual: Members, scope: Scope): string[] {
  const wanted = Object.keys(expected);
  if (wanted.join() !== Object.keys(actual).join()) {
    return [
      `${path} has the keys ${Object.keys(actual).join(', ') || 'none'}, not ${wanted.join(', ') || 'none'}`,
    ];
  }
  return wanted.flatMap((key) =>
    compare(`${path}.${key}`, expected[key] as Json, actual[key] as Json, scope),
  );
}

function compareMark(path: string, mark: string, actual: Json, scope: Scope): string[] {
  return matchesMark(mark, actual, scope) ? [] : [unlike(path, mark, actual)];
}

function matchesMark(mark: string, actual: Json, scope: Scope): boolean {
  const offset = /^\$now([+-]\d+)$/.exec(mark)?.[1];
  if (offset !== undefined) {
    return Number.isInteger(actual) && Math.abs(Number(actual) - scope.now - Number(offset)) <= TOLERANCE;
  }
  if (mark.startsWith('$starts:')) return typeof actual === 'string' && actual.startsWith(mark.slice(8));
  if (mark === '$hex32') return typeof actual === 'string' && /^[0-9a-f]{32}$/.test(actual);
  if (mark === '$hash') return actual === scope.revokeClaim(scope.payload?.user_id);
  throw new Error(`Nothing is known of the mark ${mark}`);
}

function compareToken(path: string, expected: Members, actual: Json, scope: Scope): string[] {
  const segments = typeof actual === 'string' ? actual.split('.') : [];
  const [header, payload] = segments.map(decoded);
  if (segments.length !== 3 || !isMembers(header) || !isMembers(payload)) {
    return [`${path} is not a token of three segments: ${shown(actual)}`];
  }
  return [
    ...segments
      .filter((segment) => !isCanonical(segment))
      .map((segment) => `${path} is not canonical at ${segment}`),
    ...same(`${path}'s signature`, signature(segments, scope), segments[2]),
    ...compare(`${path}'s header`, expected.header ?? null, header, scope),
    ...compare(`${path}'s payload`, expected.payload ?? null, payload, { ...scope, payload }),
  ];
}

/** RFC 7515, section 5.1, by node:crypto alone: nothing of the server's own code judges its tokens. */
function signature(segments: readonly string[], { key, algorithm }: Circumstances): string {
  const hash = createHmac(algorithm.replace('HS', 'sha'), key);
  return hash.update(`${segments[0]}.${segments[1]}`).digest('base64url');
}

function decoded(segment: string): Json | undefined {
  return parsed(Buffer.from(segment, 'base64url').toString());
}

/** base64url as it must be written (RFC 4648, section 3.5) and, where it holds JSON, without blanks or repeated names. */
function isCanonical(segment: string): boolean {
  const bytes = Buffer.from(segment, 'base64url');
  const json = parsed(bytes.toString());
  return (
    bytes.toString('base64url') === segment &&
    (json === undefined || JSON.stringify(json) === bytes.toString())
  );
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function isMembers(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function same(path: string, expected: Json | undefined, actual: Json | undefined): string[] {
  return Object.is(expected, actual) ? [] : [unlike(path, expected, actual)];
}

function unlike(path: string, expected: Json | undefined, actual: Json | undefined): string {
  return `${path} is ${shown(actual)}, not ${shown(expected)}`;
}

function shown(value: Json | undefined): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
