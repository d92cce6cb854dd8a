import { isUtf8 } from 'node:buffer';
import { AppError } from '../errors.ts';

/** The members of a token's payload or header: RFC 7519 section 4. */
export type Claims = Readonly<Record<string, unknown>>;

export interface CompactToken {
  header: Claims;
  payload: Claims;
}

/** The longest token that is looked at, in characters. Ours have a few hundred. */
export const MAX_TOKEN_LENGTH = 8 * 1024;

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Takes a JWS compact serialization (RFC 7515 section 7.1) apart. Only canonical base64url counts, so that one
 * signature has one spelling, and only objects in valid UTF-8 JSON count as header and payload. Checks no signature.
 *
 * @throws AppError `token_invalid`
 */
export function parseCompact(token: string): CompactToken {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT.test(token)) throw new AppError('token_invalid');
  const [header, payload, signature] = token.split('.') as [string, string, string];
  if (![header, payload, signature].every(isCanonicalBase64Url)) throw new AppError('token_invalid');
  return { header: decodeHeader(header), payload: decodeObject(payload) };
}

/** The token without its signature, the form in which the database keeps it. */
export function withoutSignature(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}

/** Stands in for a signature, of which the database keeps none. */
const NO_SIGNATURE = 'AA';

/** Takes a token apart as the database has it, with its signature or without; null for what is none. */
export function parseStored(stored: string): CompactToken | null {
  const [header = '', payload = ''] = stored.split('.');
  try {
    return parseCompact(`${header}.${payload}.${NO_SIGNATURE}`);
  } catch {
    return null;
  }
}

/** RFC 4648 sections 3.5 and 5: no length that no bytes have, and no bits set that stand for nothing. */
function isCanonicalBase64Url(segment: string): boolean {
  const last = segment.at(-1) as string;
  switch (segment.length % 4) {
    case 1:
      return false;
    case 2:
      return 'AQgw'.includes(last);
    case 3:
      return 'AEIMQUYcgkosw048'.includes(last);
    default:
      return true;
  }
}

/** The header that was decoded last: nearly all tokens have the same. Frozen, for it is handed out again. */
let lastHeader: { segment: string; header: Claims } | undefined;

function decodeHeader(segment: string): Claims {
  if (lastHeader?.segment !== segment) lastHeader = { segment, header: Object.freeze(decodeObject(segment)) };
  return lastHeader.header;
}

function decodeObject(segment: string): Claims {
  let value: unknown;
  try {
    const bytes = Buffer.from(segment, 'base64url');
    if (isUtf8(bytes)) value = JSON.parse(bytes.toString());
  } catch (cause) {
    throw new AppError('token_invalid', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('token_invalid');
  return value as Claims;
}
