import { CompiledQuery } from 'kysely';
import { hasTable } from '../../../db/has-table.ts';
import { keepPrepared } from '../../../db/prepared.ts';
import type { Database } from '../../../db/statement.ts';
import { fromSqlTime } from '../../../db/values.ts';
import type { Settings } from '../../settings.ts';
import type { Claims } from '../compact.ts';
import type { VerifyingKey } from '../context.ts';
import { type KeyMaterial, makeSign, makeVerifyingKey, type PublicJwk, publicJwk } from './key-material.ts';
import { type KeyRow, UNNAMED, verifyingKeys } from './ring-rows.ts';
import { makeSeal, type Seal, SealError } from './sealing.ts';

/** A key of the ring, ready for use. */
export interface RingKey extends VerifyingKey {
  readonly id: number;
  /** From when it counts no more, in seconds since the epoch; null where no end is known. */
  readonly expiresAt: number | null;
  /** Null for one that never signs. */
  readonly sign: ((claims: Claims) => string) | null;
  /** Null for a secret. */
  readonly jwk: PublicJwk | null;
}

/** The keys of the ring that count, as they were at some version of it. */
export interface Ring {
  /** 0 where there is no ring. */
  readonly version: number;
  /** By the kid that tokens name. */
  readonly keys: ReadonlyMap<string, RingKey>;
  readonly active: RingKey | null;
}

/** The keys of the ring cannot be used. The message is one line for people. */
export class KeyRingError extends Error {
  override name = 'KeyRingError';
}

const OTHER_SECRET =
  'The signing keys in the database are encrypted under another SECRET_KEY: set the one they were made with. If it is ' +
  'lost, `jotgate rotatekeys --new-ring` makes new keys, and everybody has to log in again.';

const VERSION_SQL = 'select "version" from "jotgate_key_ring" where "id" = 1';
keepPrepared(VERSION_SQL);
const READ_VERSION = CompiledQuery.raw(VERSION_SQL) as CompiledQuery<{ version: number }>;

/**
 * Says of the keys in the database that they can be used, by returning.
 *
 * @throws KeyRingError
 */
export async function checkKeyRing(db: Database, { SECRET_KEY }: Settings): Promise<void> {
  if (await hasTable(db, 'jotgate_key_ring')) await new RingReader(db, SECRET_KEY).current();
}

/** Knows the ring as it is now, and reads it again only when its version says that it changed. */
export class RingReader {
  readonly #db: Database;
  readonly #secretKey: string;
  readonly #seal: Seal;
  #ring: Ring = { version: 0, keys: new Map(), active: null };
  #asked: Promise<Ring> | undefined;

  constructor(db: Database, secretKey: string) {
    this.#db = db;
    this.#secretKey = secretKey;
    this.#seal = makeSeal(secretKey);
  }

  /** The ring as it was read last. */
  get latest(): Ring {
    return this.#ring;
  }

  /**
   * The ring with whatever was done to it, by whichever instance, before this was called. All who ask in one turn of
   * the event loop share one query.
   *
   * @param trx the transaction that it is asked in, which shares nothing
   * @throws KeyRingError
   */
  current(trx?: Database): Promise<Ring> {
    if (trx !== undefined) return this.#read(trx);
    this.#asked ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#asked = undefined;
        this.#read(this.#db).then(resolve, reject);
      });
    });
    return this.#asked;
  }

  async #read(db: Database): Promise<Ring> {
    const { rows } = await db.executeQuery(READ_VERSION);
    const version = rows[0]?.version ?? 0;
    if (version === this.#ring.version) return this.#ring;
    // Whatever changes after the version was read raises it again, so the keys are never older than it says.
    this.#ring = this.#assemble(version, await verifyingKeys(db));
    return this.#ring;
  }

  #assemble(version: number, rows: readonly KeyRow[]): Ring {
    const known = this.#ring.keys;
    const keys = new Map(rows.map((row) => [row.kid, this.#toRingKey(row, known.get(row.kid))]));
    const active = rows.find(({ state, kid }) => state === 'active' && kid !== UNNAMED);
    return { version, keys, active: active === undefined ? null : (keys.get(active.kid) ?? null) };
  }

  #toRingKey(row: KeyRow, known: RingKey | undefined): RingKey {
    const { id, state, expires_at } = row;
    const ends = state === 'retiring' && expires_at !== null;
    const expiresAt = ends ? fromSqlTime(expires_at).getTime() / 1000 : null;
    // What a key with a name is made of never changes.
    const unpacked = row.kid !== UNNAMED && known !== undefined ? known : this.#unpack(row);
    return { ...unpacked, id, expiresAt };
  }

  /** Makes of a row what signs and verifies. */
  #unpack(row: KeyRow): Omit<RingKey, 'id' | 'expiresAt'> {
    const material = this.#materialOf(row);
    const { algorithm, publicKey, privateKey } = material;
    const verifying = makeVerifyingKey(algorithm, publicKey || (privateKey ?? ''));
    return {
      ...verifying,
      sign: privateKey === null || row.kid === UNNAMED ? null : makeSign(algorithm, privateKey, row.kid),
      jwk: publicKey === '' ? null : publicJwk(material, row.kid),
    };
  }

  #materialOf({ kid, algorithm, public_key, sealed_key }: KeyRow): KeyMaterial {
    const isSecret = public_key === '';
    // The key without a name may be SECRET_KEY itself, which is not kept in the database.
    if (sealed_key === null)
      return { algorithm, publicKey: public_key, privateKey: isSecret ? this.#secretKey : null };
    try {
      return { algorithm, publicKey: public_key, privateKey: this.#seal.open(sealed_key, kid) };
    } catch (error) {
      if (error instanceof SealError) throw new KeyRingError(OTHER_SECRET, { cause: error });
      throw error;
    }
  }
}
