import { isUtf8 } from 'node:buffer';
import { Busboy } from '@fastify/busboy';
import formbody from '@fastify/formbody';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import { essenceOf } from './negotiate.ts';

/** The media types that bodies are read as, in DRF's order. */
export const PARSED_MEDIA_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
] as const;

/** The longest body that is read, in bytes. */
export const BODY_LIMIT = 1024 * 1024;

/**
 * Registers what reads bodies. An empty body is undefined whatever its media type, as in DRF, and only a body that
 * is not empty is refused for its type.
 */
export async function registerParsers(app: FastifyInstance): Promise<void> {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => parseJson(body),
  );
  await app.register(formbody, { parser: parseForm });
  app.addContentTypeParser(
    'multipart/form-data',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: Buffer) =>
      parseMultipart(body, request.headers['content-type'] ?? ''),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) => {
    if (body.length === 0) return undefined;
    throw new AppError('unsupported_media_type', {
      values: { mediaType: request.headers['content-type'] ?? '' },
    });
  });
}

/**
 * Reads text as one of the parsed media types: what the raw data form sends.
 *
 * @throws AppError `parse_error` or `unsupported_media_type`
 */
export async function parseText(contentType: string, text: string): Promise<unknown> {
  const essence = essenceOf(contentType);
  if (text.trim() === '') return undefined;
  if (essence === 'application/json') return parseJson(Buffer.from(text));
  if (essence === 'application/x-www-form-urlencoded') return parseForm(text.trim());
  if (essence === 'multipart/form-data')
    return parseMultipart(Buffer.from(text), withBoundary(contentType, text));
  throw new AppError('unsupported_media_type', { values: { mediaType: contentType } });
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    if (!isUtf8(body)) throw new SyntaxError('the body is not valid UTF-8');
    return JSON.parse(body.toString());
  } catch (error) {
    throw parseError(`JSON parse error - ${withoutExcerpt((error as Error).message)}`);
  }
}

/** Cuts the piece of the body that V8 quotes: it may hold a password, and error texts get around. */
function withoutExcerpt(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, '');
}

/** Reads `application/x-www-form-urlencoded`. Of a name that comes twice the last value counts. */
function parseForm(text: string): Record<string, string> {
  return Object.fromEntries(formPairs(text));
}

/**
 * The pairs of a form in the order they were sent.
 *
 * @throws AppError `parse_error`
 */
export function formPairs(text: string): (readonly [name: string, value: string])[] {
  if (text === '') return [];
  // Bytes that are no UTF-8 came out as this character; a form sends the real one percent-encoded.
  if (text.includes('\uFFFD')) throw parseError('Form parse error - the body is not valid UTF-8');
  try {
    return text.split('&').map((pair) => {
      const at = pair.indexOf('=');
      const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      return [decodeFormPart(name), decodeFormPart(value)] as const;
    });
  } catch {
    throw parseError('Form parse error - a % is not followed by two hex digits of valid UTF-8');
  }
}

function decodeFormPart(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

/** Reads `multipart/form-data` (RFC 7578). Files are passed over: no endpoint takes one. */
function parseMultipart(body: Buffer, contentType: string): Promise<Record<string, string> | undefined> {
  if (body.length === 0) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(
        parseError(
          `Multipart form parse error - ${error instanceof Error ? error.message : 'not well formed'}`,
        ),
      );
    try {
      const pairs: [string, string][] = [];
      const parser = new Busboy({ headers: { 'content-type': contentType } });
      parser.on('field', (name, value) => pairs.push([name, value]));
      parser.on('file', (_name, file) => file.resume());
      parser.on('error', fail);
      parser.on('finish', () => {
        // The parser's replacement for bytes that are no UTF-8. The real character is as rare in a form as they are.
        if (pairs.flat().some((text) => text?.includes('\uFFFD')))
          fail(new Error('the body is not valid UTF-8'));
        else resolve(Object.fromEntries(pairs));
      });
      parser.end(body);
    } catch (error) {
      fail(error);
    }
  });
}

/** A person who pastes a multipart body into the raw data form cannot name its boundary: the body itself does. */
function withBoundary(contentType: string, text: string): string {
  if (/boundary=/i.test(contentType)) return contentType;
  const boundary = /^--([\w'()+,./:=? -]{1,70})\r?$/m.exec(text)?.[1];
  return boundary === undefined ? contentType : `${contentType}; boundary="${boundary}"`;
}

function parseError(reason: string): AppError {
  return new AppError('parse_error', { values: { reason } });
}
