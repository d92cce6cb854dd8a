import { createHmac } from 'node:crypto';

/** Signs whatever claims by HS256, as nobody but the server and this test can (RFC 7515). */
export function mintToken(
  key: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const parts = [{ alg: 'HS256', typ: 'JWT', ...header }, claims];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
