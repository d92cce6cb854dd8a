import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const BYTES = 64;

/** There is no secret key, and none can be made. The message is one line for people. */
export class SecretKeyError extends Error {
  override name = 'SecretKeyError';
}

/**
 * The key kept in the file `secret_key` of a folder. Where there is no such file it is made, of 64 random bytes as
 * base64url (86 characters), for its owner alone. Processes that start together end up with the same key.
 *
 * @param folder relative to the working folder; made with its parents where it is missing
 * @throws SecretKeyError when the key cannot be read or kept
 */
export function readOrMakeSecretKey(folder = 'data'): string {
  const path = join(folder, 'secret_key');
  const key = readKey(path) ?? makeKey(folder, path);
  if (Buffer.byteLength(key) >= BYTES) return key;
  throw new SecretKeyError(
    `${path} holds no key of ${BYTES} bytes or more. Delete it to have a new one made: tokens made with the old one end`,
  );
}

function readKey(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    // Of what stands in the folder's place, making the folder tells more.
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw new SecretKeyError(`The secret key ${path} cannot be read (${codeOf(error)})`, { cause: error });
  }
}

function makeKey(folder: string, path: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeOnce(path, `${randomBytes(BYTES).toString('base64url')}\n`);
  } catch (error) {
    throw new SecretKeyError(
      `The folder ${resolve(folder)} is not writable (${codeOf(error)}), so no secret key can be kept there`,
      { cause: error },
    );
  }
  // Another process may have been first.
  return readKey(path) ?? '';
}

/**
 * Writes a file for its owner alone, unless there is one already. A link never replaces, as a rename would: of several
 * processes one wins, and its file is whole from the first moment, whatever crashes.
 */
function writeOnce(path: string, content: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, content, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
