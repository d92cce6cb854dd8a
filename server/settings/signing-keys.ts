import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Settings } from '../settings.ts';
import { type Algorithm, keyKind } from './algorithms.ts';
import { RefusedValue, secret } from './types.ts';

/** A file with a key in it. */
export interface KeyFile {
  text: string;
  /** Whether accounts of this machine other than the owner's can read it. */
  isOpen: boolean;
}

/** What is no reason not to start, and how to mend it; without secrets. */
export interface SettingWarning {
  title: string;
  advice: string;
}

export interface ResolvedKeys {
  SIGNING_KEY: string | null;
  VERIFYING_KEY: string | null;
  /** A line each, without secrets. */
  problems: readonly string[];
  warnings: readonly SettingWarning[];
}

type KeySetting = 'SIGNING_KEY' | 'VERIFYING_KEY';
type Values = Partial<Settings>;

/**
 * The keys that sign and verify, from what the settings say, as far as that is known. For HMAC that is one secret,
 * SECRET_KEY where nothing else is set. For the others it is a private key as PEM in PKCS #8 and a public one in SPKI;
 * a server without the private key verifies and does not sign.
 *
 * @param readFile throws what `readKeyFile` throws
 */
export function resolveKeys(values: Values, readFile: (path: string) => KeyFile = readKeyFile): ResolvedKeys {
  const { ALGORITHM, SIGNING_KEY = null, VERIFYING_KEY = null } = values;
  const given = { SIGNING_KEY, VERIFYING_KEY };
  if (ALGORITHM === undefined) return { ...given, problems: [], warnings: [] };
  try {
    return keyKind(ALGORITHM) === null
      ? { ...sharedSecret(ALGORITHM, values), problems: [], warnings: [] }
      : { ...keyPair(ALGORITHM, values, readFile), problems: [] };
  } catch (error) {
    if (!(error instanceof KeyProblem)) throw error;
    return { ...given, problems: [error.message], warnings: [] };
  }
}

/** The message names the setting and holds nothing of its value. */
class KeyProblem extends Error {
  constructor(name: KeySetting, reason: string) {
    super(`${name}: ${reason}`);
  }
}

function sharedSecret(algorithm: Algorithm, { SIGNING_KEY, VERIFYING_KEY, SECRET_KEY }: Values) {
  if (VERIFYING_KEY) {
    throw new KeyProblem(
      'VERIFYING_KEY',
      `It is for RS, PS, ES and EdDSA; ${algorithm} signs and verifies with one secret, SIGNING_KEY`,
    );
  }
  if (!SIGNING_KEY) return { SIGNING_KEY: SECRET_KEY ?? null, VERIFYING_KEY: null };
  try {
    return { SIGNING_KEY: secret.parse(SIGNING_KEY), VERIFYING_KEY: null };
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error;
    throw new KeyProblem('SIGNING_KEY', error.reasons.join(' '));
  }
}

function keyPair(algorithm: Algorithm, values: Values, readFile: (path: string) => KeyFile) {
  const { SIGNING_KEY, VERIFYING_KEY } = values;
  const warnings: SettingWarning[] = [];
  const material = (name: KeySetting, value: string) => {
    const { text, file } = pemOf(name, value, readFile);
    if (file?.isOpen && name === 'SIGNING_KEY') {
      warnings.push({
        title: `${name} is in a file that others on this machine can read`,
        advice: `Whoever has it signs tokens for anyone. Run: chmod 600 ${JSON.stringify(value)}`,
      });
    }
    return text;
  };
  const signing = SIGNING_KEY ? privateKeyOf(algorithm, material('SIGNING_KEY', SIGNING_KEY)) : null;
  const verifying = VERIFYING_KEY ? publicKeyOf(algorithm, material('VERIFYING_KEY', VERIFYING_KEY)) : null;
  const derived = signing === null ? null : createPublicKey(signing);
  if (verifying !== null && derived?.equals(verifying) === false) {
    throw new KeyProblem('VERIFYING_KEY', 'It is not the public half of SIGNING_KEY');
  }
  const shown = verifying ?? derived;
  if (shown === null && !values.KEY_RING && !values.JWK_URL) throw lacking(algorithm);
  return {
    SIGNING_KEY: signing && pem(signing, 'pkcs8'),
    VERIFYING_KEY: shown && pem(shown, 'spki'),
    warnings,
  };
}

function lacking(algorithm: Algorithm): KeyProblem {
  return new KeyProblem(
    'SIGNING_KEY',
    `${algorithm} takes ${keyKind(algorithm)?.words} as PEM, or the path of its file. A server that only verifies ` +
      'takes VERIFYING_KEY or JWK_URL; with KEY_RING the server makes its own keys',
  );
}

function pem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ format: 'pem', type }).toString();
}

/** The PEM that a setting holds, or the file that it names does. */
function pemOf(name: KeySetting, value: string, readFile: (path: string) => KeyFile) {
  // Where a value must be one line, line breaks are written as \n.
  if (value.includes('-----BEGIN')) return { text: value.replaceAll('\\n', '\n') };
  if (value.length > LONGEST_PATH || /[\r\n]/.test(value)) {
    throw new KeyProblem(name, 'It is neither PEM nor the path of a file');
  }
  try {
    const file = readFile(value);
    return { text: file.text, file };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new KeyProblem(name, `It is no PEM, and a file of this name cannot be read (${code})`);
  }
}

/** What the operating systems take as a path, in characters. */
const LONGEST_PATH = 4096;

function privateKeyOf(algorithm: Algorithm, text: string): KeyObject {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    const what = text.includes('-----BEGIN') ? 'this is a public key or certificate' : 'this is none';
    throw new KeyProblem('SIGNING_KEY', `It takes a private key as PEM, and ${what}`);
  }
  return fitting('SIGNING_KEY', algorithm, text, createPrivateKey);
}

function publicKeyOf(algorithm: Algorithm, text: string): KeyObject {
  if (text.includes('PRIVATE KEY-----')) {
    throw new KeyProblem(
      'VERIFYING_KEY',
      'It takes a public key, and this is a private one: SIGNING_KEY takes that',
    );
  }
  return fitting('VERIFYING_KEY', algorithm, text, createPublicKey);
}

function fitting(
  name: KeySetting,
  algorithm: Algorithm,
  text: string,
  read: (text: string) => KeyObject,
): KeyObject {
  const kind = keyKind(algorithm);
  const wanted = `${algorithm} takes ${kind?.words} as PEM`;
  let key: KeyObject;
  try {
    key = read(text);
  } catch {
    // RFC 7468 section 11, and OpenSSL's older form.
    const isLocked = text.includes('ENCRYPTED');
    throw new KeyProblem(name, `${wanted}, and this ${isLocked ? 'has a passphrase' : 'cannot be read'}`);
  }
  if (kind?.fits(key)) return key;
  throw new KeyProblem(name, `${wanted}, and this is ${describe(key)}`);
}

function describe({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  const { modulusLength, namedCurve } = asymmetricKeyDetails;
  const size = modulusLength && `${modulusLength} bits`;
  return `one of another kind: ${[asymmetricKeyType, namedCurve, size].filter(Boolean).join(', ')}`;
}

/** @throws the operating system's error */
export function readKeyFile(path: string): KeyFile {
  const text = readFileSync(path, 'utf8');
  // On Windows the mode says nothing of who may read.
  return { text, isOpen: process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0 };
}
