import { RefusedValue, type SettingType } from './types.ts';

/** What a setting holds that is a key: nothing of it is shown but its length. */
function keyText(takes: string): SettingType<string | null> {
  return {
    takes,
    parse: (value) => (value === '' ? null : value),
    show: (value) => (value === null ? '' : `******** (${value.length} characters)`),
  };
}

/** The key that signs. What it must be hangs on the algorithm: see `resolveKeys`. */
export const signingKey = keyText(
  'a random text, best of 64 bytes or more; for RS, PS, ES and EdDSA a private key as PEM, or the path of its file',
);

/** The key that verifies where that is not the one that signs. */
export const verifyingKey = keyText(
  'for RS, PS, ES and EdDSA a public key or certificate as PEM, or the path of its file, or nothing',
);

/** The address of a JSON Web Key set. Its refusals never repeat the text, as a URL may hold a password. */
export const jwkUrl: SettingType<string | null> = {
  takes: 'an https address (or http, of this very machine) without a user name in it, or nothing',
  parse(value) {
    if (value === '') return null;
    const url = URL.canParse(value) ? new URL(value) : null;
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
    if (url === null || !isSafe || url.username !== '' || url.password !== '') {
      throw new RefusedValue(`It takes ${jwkUrl.takes}`);
    }
    return url.href;
  },
  // What stands behind the question mark may be a key of its own.
  show: (value) => value?.replace(/\?.+/, '?********') ?? '',
};

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
