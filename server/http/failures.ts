import type { FastifyRequest } from 'fastify';
import { isUnavailable } from '../../db/failures.ts';
import { AppError } from '../errors.ts';

/**
 * Turns whatever was thrown into a refusal that may be shown. What is not foreseen becomes a 500 without its cause.
 *
 * @param contentType the request's, for a media type that cannot even be read
 */
export function toAppError(error: unknown, contentType = ''): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) return new AppError('storage_unavailable', { retryAfter: 1, cause: error });
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('too_large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new AppError('unsupported_media_type', { values: { mediaType: contentType } });
  if (statusCode === 403 || statusCode === 404) return new AppError('not_found');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('bad_request', { values: { reason: 'Malformed request.' }, cause: error });
  }
  return new AppError('server_error', { cause: error });
}

/** Logs what went wrong on this server's side, with what was asked for and never what was sent. */
export function logFailure(refusal: AppError, error: unknown, { method, url, log }: FastifyRequest): void {
  if (refusal.status < 500) return;
  log.error({ err: refusal.cause ?? error, method, path: url.split('?', 1)[0] }, refusal.code);
}
