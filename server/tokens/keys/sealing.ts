import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What is sealed was sealed under another SECRET_KEY, or for another key, or altered. */
export class SealError extends Error {
  override name = 'SealError';
}

/** Encrypts private keys under SECRET_KEY, each for its own name alone. */
export interface Seal {
  /** A text for the database: base64url of a random nonce, what is encrypted, and its tag. */
  close(content: string, kid: string): string;
  /** @throws SealError */
  open(sealed: string, kid: string): string;
}

/** AES-256-GCM (NIST SP 800-38D) by a key of HKDF-SHA256 (RFC 5869), with the name of the key as associated data. */
export function makeSeal(secretKey: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'jotgate signing keys', 32));
  return {
    close(content, kid) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(kid));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(content, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return sealed.toString('base64url');
    },
    open(sealed, kid) {
      const bytes = Buffer.from(sealed, 'base64url');
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(kid)).setAuthTag(bytes.subarray(-TAG_BYTES));
        const content = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([content, decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new SealError('It cannot be opened', { cause });
      }
    },
  };
}
