import type { Database } from '../../../db/statement.ts';
import { AppError } from '../../errors.ts';
import type { Settings } from '../../settings.ts';
import type { Claims } from '../compact.ts';
import type { Signer, VerifyingKey } from '../context.ts';
import { own } from '../rules.ts';
import { ForeignKeys } from './foreign-keys.ts';
import { type PublicJwk, publicJwk } from './key-material.ts';
import { checkKeyRing, type Ring, type RingKey, RingReader } from './ring.ts';
import { rotateIfDue } from './ring-changes.ts';
import { UNNAMED } from './ring-rows.ts';
import { closeRing, prepareRing } from './ring-start.ts';

/** The key that the settings give, for tokens that name none. */
export interface SettingsKey extends VerifyingKey {
  /** Null where there is only a public key. */
  sign: ((claims: Claims) => string) | null;
}

/** A signer that is in use until it is closed. */
export interface OpenSigner extends Signer {
  /** The public keys that others may check tokens with. */
  publicKeys(): Promise<readonly PublicJwk[]>;
  close(): void;
}

export interface SignerOptions {
  db: Database;
  settings: Settings;
  /** Null where the settings give none. */
  settingsKey: SettingsKey | null;
  /** Seconds since the epoch. */
  now(): number;
  onError(error: unknown, what: string): void;
}

/** How often it is looked whether the keys of a ring are due to be rotated, in milliseconds. */
const ROTATION_CHECK = 30_000;

/**
 * Opens what signs and verifies, as the settings say: the key that they give, a ring of keys, keys of another server.
 *
 * @throws KeyRingError
 */
export async function openSigner(options: SignerOptions): Promise<OpenSigner> {
  const { settings, onError } = options;
  const { JWK_URL, ALGORITHM } = settings;
  const ring = await openRing(options);
  const foreign =
    JWK_URL === null
      ? null
      : new ForeignKeys({
          url: JWK_URL,
          preferred: ALGORITHM,
          onError: (error) => onError(error, 'JWK_URL'),
        });
  // Nobody waits for it: the first token that needs a key of theirs does.
  foreign?.fetch();
  const signer = ring === null ? withoutRing(options, foreign) : withRing(options, ring, foreign);
  const timer = settings.KEY_RING && settings.KEY_ROTATION_INTERVAL > 0 ? rotateByItself(options) : undefined;
  return {
    ...signer,
    close() {
      clearInterval(timer);
      foreign?.close();
    },
  };
}

type Keys = Omit<OpenSigner, 'close'>;

async function openRing({ db, settings, now }: SignerOptions): Promise<RingReader | null> {
  const moment = new Date(now() * 1000);
  // First, or keys under two secrets would be in one ring.
  await checkKeyRing(db, settings);
  if (settings.KEY_RING) await prepareRing(db, settings, moment);
  else if (!(await closeRing(db, settings, moment))) return null;
  const ring = new RingReader(db, settings.SECRET_KEY);
  await ring.current();
  return ring;
}

function withoutRing({ settings, settingsKey }: SignerOptions, foreign: ForeignKeys | null): Keys {
  const { ALGORITHM, VERIFYING_KEY } = settings;
  const key = settingsKey ?? undefined;
  const shown =
    VERIFYING_KEY === null
      ? []
      : [publicJwk({ algorithm: ALGORITHM, publicKey: VERIFYING_KEY, privateKey: null }, UNNAMED)];
  return {
    sign: (claims) => signOf(settingsKey)(claims),
    keyFor: (header) => (Object.hasOwn(header, 'kid') ? foreign?.find(header) : key),
    stillCounts: () => true,
    prepareToSign: () => void signOf(settingsKey),
    ringKeyId: () => null,
    publicKeys: async () => shown,
  };
}

function withRing(
  { settings, settingsKey, now }: SignerOptions,
  reader: RingReader,
  foreign: ForeignKeys | null,
): Keys {
  const counts = (key: RingKey | undefined) =>
    key !== undefined && (key.expiresAt === null || now() < key.expiresAt) ? key : undefined;
  const ownKey = ({ keys }: Ring, header: Claims): VerifyingKey | undefined => {
    if (!Object.hasOwn(header, 'kid')) {
      return settings.KEY_RING ? counts(keys.get(UNNAMED)) : (settingsKey ?? undefined);
    }
    const kid = own(header, 'kid');
    return typeof kid === 'string' && kid !== UNNAMED ? counts(keys.get(kid)) : undefined;
  };
  const signing = () => (settings.KEY_RING ? reader.latest.active : settingsKey);
  return {
    sign: (claims) => signOf(signing())(claims),
    keyFor: async (header) => ownKey(await reader.current(), header) ?? foreign?.find(header),
    stillCounts: async (trx, header) =>
      ownKey(await reader.current(trx), header) !== undefined || foreign?.knows(own(header, 'kid')) === true,
    prepareToSign: async () => {
      await reader.current();
      signOf(signing());
    },
    ringKeyId: () => (settings.KEY_RING ? (reader.latest.active?.id ?? null) : null),
    publicKeys: async () => {
      const { keys } = await reader.current();
      return [...keys.values()].flatMap((key) => counts(key)?.jwk ?? []);
    },
  };
}

/** @throws AppError `no_signing_key` */
function signOf(key: Pick<SettingsKey, 'sign'> | null): (claims: Claims) => string {
  const sign = key?.sign ?? null;
  if (sign === null) throw new AppError('no_signing_key');
  return sign;
}

function rotateByItself({ db, settings, now, onError }: SignerOptions): NodeJS.Timeout {
  const check = () => {
    const change = { origin: { via: 'command', actor: null }, now: new Date(now() * 1000) } as const;
    rotateIfDue(db, settings, change).catch((error) => onError(error, 'KEY_ROTATION_INTERVAL'));
  };
  return setInterval(check, ROTATION_CHECK).unref();
}
