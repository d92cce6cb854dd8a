import type { Database } from '../../../db/statement.ts';
import { toSqlTime } from '../../../db/values.ts';
import type { Settings } from '../../settings.ts';
import { parseStored } from '../compact.ts';
import type { Algorithm } from '../context.ts';
import { own } from '../rules.ts';
import { type Edit, endOfTokens, longestLifetime } from './ring-edit.ts';
import { allKeys, type KeyRow, UNNAMED, updateKey } from './ring-rows.ts';

/**
 * The key of the tokens that name none is the one that the settings give: it signs where there is no ring. A ring
 * knows it as well, so that who was logged in before the ring stays so.
 */

interface UnnamedMaterial {
  algorithm: Algorithm;
  /** PEM; empty for a secret. */
  publicKey: string;
  /** Null where it is SECRET_KEY, which is not kept in the database. */
  secret: string | null;
}

/** Has the ring accept the tokens that were signed without it until now, until the longest of them has expired. */
export async function letUnnamedGo(edit: Edit): Promise<void> {
  const key = unnamedOf(await allKeys(edit.trx));
  if (key !== undefined && key.state !== 'active') return;
  const row = key ?? (await insertUnnamed(edit));
  await updateKey(edit.trx, row, {
    state: 'retiring',
    retiring_at: toSqlTime(edit.now),
    expires_at: toSqlTime(endOfTokens(row, edit.now)),
  });
}

/**
 * Has the ring know that an instance without one signs (again): its tokens are accepted until the ring is back, and
 * for as long as they live.
 */
export async function bringUnnamedBack(edit: Edit): Promise<void> {
  const key = unnamedOf(await allKeys(edit.trx));
  if (key?.state === 'withdrawn') return;
  const row = key ?? (await insertUnnamed(edit));
  const { publicKey, secret } = await unnamedMaterial(edit.trx, edit.settings);
  await updateKey(edit.trx, row, {
    state: 'active',
    public_key: publicKey,
    sealed_key: secret === null ? null : edit.seal.close(secret, UNNAMED),
    activated_at: toSqlTime(edit.now),
    token_lifetime: Math.max(row.token_lifetime, longestLifetime(edit.settings)),
    retiring_at: null,
    expires_at: null,
    retired_at: null,
  });
}

export function unnamedOf(keys: readonly KeyRow[]): KeyRow | undefined {
  return keys.find(({ kid }) => kid === UNNAMED);
}

async function insertUnnamed({ trx, settings, seal, now }: Edit): Promise<KeyRow> {
  const { algorithm, publicKey, secret } = await unnamedMaterial(trx, settings);
  const row = await trx
    .insertInto('jotgate_signing_key')
    .values({
      ...{ kid: UNNAMED, algorithm, state: 'active', public_key: publicKey },
      sealed_key: secret === null ? null : seal.close(secret, UNNAMED),
      token_lifetime: longestLifetime(settings),
      created_at: toSqlTime(now),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return row as KeyRow;
}

async function unnamedMaterial(db: Database, settings: Settings): Promise<UnnamedMaterial> {
  const { ALGORITHM, SIGNING_KEY, VERIFYING_KEY, SECRET_KEY } = settings;
  if (VERIFYING_KEY !== null) return { algorithm: ALGORITHM, publicKey: VERIFYING_KEY, secret: null };
  if (ALGORITHM.startsWith('HS')) {
    const secret = SIGNING_KEY === SECRET_KEY ? null : SIGNING_KEY;
    return { algorithm: ALGORITHM, publicKey: '', secret };
  }
  // ALGORITHM was changed together with KEY_RING: until now SECRET_KEY signed.
  return { algorithm: await formerAlgorithm(db), publicKey: '', secret: null };
}

/** In which way SECRET_KEY signed, by the header of the token that was given out last. */
async function formerAlgorithm(db: Database): Promise<Algorithm> {
  const last = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select('token')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const alg = own(parseStored(last?.token ?? '')?.header ?? {}, 'alg');
  return SECRET_ALGORITHMS.find((algorithm) => algorithm === alg) ?? 'HS256';
}

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;

/** Whether anybody may hold a token that was given out by now. Every one comes from one that is recorded. */
export async function hasTokens(db: Database): Promise<boolean> {
  const row = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
