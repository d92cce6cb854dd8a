import { createHmac } from 'node:crypto';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Settings } from '../settings.ts';
import type { TokenOwner } from '../users/users.ts';
import { createUser } from '../users/users.ts';
import { type Claims, parseCompact } from './compact.ts';
import type { Algorithm, Signer, TokenContext } from './context.ts';

export { newDatabase } from '../../db/database.fixture.ts';

/** When every test begins, in seconds: 2026-03-04T05:06:07.250Z, so that fractions are not forgotten. */
export const START = 1_772_600_767.25;

/** START in whole seconds, as `iat` has it. */
export const START_SECOND = Math.floor(START);

/** A context whose clock stands still until it is set. */
export interface TestContext extends TokenContext {
  setNow(seconds: number): void;
}

export function contextAt(settings: Settings, start = START): TestContext {
  let now = start;
  return {
    settings,
    signer: hmacSigner(settings.SIGNING_KEY ?? '', settings.ALGORITHM),
    now: () => now,
    setNow: (seconds) => {
      now = seconds;
    },
  };
}

export function newUser(
  db: Database,
  username: string,
  extra: Partial<Parameters<typeof createUser>[1]> = {},
) {
  return createUser(db, { username, passwordHash: `!${username}`, ...extra }, new Date(START * 1000));
}

/** A segment of a token: JSON of a value, or bytes and texts as they are. */
export function segment(value: unknown): string {
  const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return Buffer.from(bytes).toString('base64url');
}

/** A token signed by node:crypto alone (RFC 7515 section 5.1): nothing of the code under test makes it. */
export function signed(
  payload: unknown,
  key: string,
  header: unknown = { alg: 'HS256', typ: 'JWT' },
): string {
  const input = `${segment(header)}.${segment(payload)}`;
  const { alg } = (header ?? {}) as { alg?: unknown };
  const hash = alg === 'HS384' || alg === 'HS512' ? alg.replace('HS', 'sha') : 'sha256';
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}

/** Signs and checks with node:crypto, strictly: whatever is not the very signature is refused. Its key has no name. */
function hmacSigner(key: string, algorithm: Algorithm): Signer {
  const verifySignature = (token: string) => {
    const input = token.slice(0, token.lastIndexOf('.'));
    const expected = createHmac(algorithm.replace('HS', 'sha'), key).update(input).digest('base64url');
    if (token !== `${input}.${expected}`) throw new Error('The signature is another');
  };
  return {
    sign: (claims) => signed(claims, key, { alg: algorithm, typ: 'JWT' }),
    keyFor: (header) => (Object.hasOwn(header, 'kid') ? undefined : { algorithm, verifySignature }),
    stillCounts: () => true,
    prepareToSign: () => {},
    ringKeyId: () => null,
  };
}

export function payloadOf(token: string): Claims {
  return parseCompact(token).payload;
}

/** The code of the refusal that a call ends with; undefined when it ends well. Other errors are thrown on. */
export async function refusalOf(call: () => unknown): Promise<ErrorCode | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

/** Every recorded token with whether it is on the blacklist, in the order of recording. */
export async function recorded(db: Database) {
  return db
    .selectFrom('token_blacklist_outstandingtoken as outstanding')
    .leftJoin('token_blacklist_blacklistedtoken as blacklisted', 'blacklisted.token_id', 'outstanding.id')
    .select(['outstanding.jti', 'outstanding.token', 'outstanding.user_id', 'outstanding.created_at'])
    .select(['outstanding.expires_at', 'blacklisted.blacklisted_at'])
    .orderBy('outstanding.id')
    .execute();
}

export function updateUser(db: Database, user: UserRow, changes: Partial<UserRow>) {
  return db.updateTable('auth_user').set(changes).where('id', '=', user.id).execute();
}

/** As much of a user as is read for a token. */
export function ownerOf({ id, username, password, is_active }: UserRow): TokenOwner {
  return { id, username, password, is_active };
}
