import { newDatabase } from '../../../db/database.fixture.ts';
import type { Database } from '../../../db/statement.ts';
import type { UserRow } from '../../../db/tables.ts';
import { settingsOf } from '../../../e2e/settings-of.ts';
import type { ErrorCode } from '../../errors.ts';
import type { SettingName, Settings } from '../../settings.ts';
import { parseCompact } from '../compact.ts';
import type { TokenContext } from '../context.ts';
import { obtainPair, obtainSliding, type TokenPair } from '../issue.ts';
import { type RefreshedPair, refreshPair, refreshSliding } from '../refresh.ts';
import { newUser, refusalOf, START } from '../tokens.fixture.ts';
import { verifyAnyToken } from '../verify.ts';
import { makeSign, makeVerifyingKey } from './key-material.ts';
import type { KeyChange } from './ring-edit.ts';
import { type OpenSigner, openSigner } from './signer.ts';

/** One database, and the instances of the server that use it. */
export interface Installation {
  db: Database;
  user: UserRow;
  /** In seconds since the epoch; it stands still until it is set. */
  clock: { now: number };
  /** Starts an instance with these settings. */
  start(env?: Partial<Record<SettingName, string>>): Promise<Instance>;
  /** A change of the keys, made now by nobody in particular. */
  change(): KeyChange;
  end(): Promise<void>;
}

export interface Instance {
  settings: Settings;
  signer: OpenSigner;
  obtain(): Promise<TokenPair>;
  obtainSliding(): Promise<string>;
  refresh(token: string): Promise<RefreshedPair>;
  refreshSliding(token: string): Promise<string>;
  /** Why a token is refused; undefined where it is good. */
  verify(token: string): Promise<ErrorCode | undefined>;
}

export async function install(): Promise<Installation> {
  const db = await newDatabase();
  const user = await newUser(db, 'ada');
  const clock = { now: START };
  const signers: OpenSigner[] = [];
  return {
    db,
    user,
    clock,
    async start(env = {}) {
      const settings = settingsOf(env);
      const signer = await openSigner({
        ...{ db, settings, settingsKey: settingsKeyOf(settings), now: () => clock.now },
        onError: (error) => {
          throw error;
        },
      });
      signers.push(signer);
      return instanceOf(db, user, { settings, signer, now: () => clock.now }, signer);
    },
    change: () => ({ origin: { via: 'command', actor: null }, now: new Date(clock.now * 1000) }),
    async end() {
      for (const signer of signers) signer.close();
      await db.destroy();
    },
  };
}

/** As the app registers it, but without the app. */
function settingsKeyOf({ ALGORITHM, SIGNING_KEY, VERIFYING_KEY }: Settings) {
  const verifying = VERIFYING_KEY ?? SIGNING_KEY;
  if (verifying === null) return null;
  const sign = SIGNING_KEY === null ? null : makeSign(ALGORITHM, SIGNING_KEY);
  return { ...makeVerifyingKey(ALGORITHM, verifying), sign };
}

function instanceOf(db: Database, user: UserRow, context: TokenContext, signer: OpenSigner): Instance {
  return {
    settings: context.settings,
    signer,
    obtain: () => obtainPair(db, context, user),
    obtainSliding: async () => (await obtainSliding(db, context, user)).token,
    refresh: (token) => refreshPair(db, context, token),
    refreshSliding: async (token) => (await refreshSliding(db, context, token)).token,
    verify: (token) => refusalOf(() => verifyAnyToken(db, context, token)),
  };
}

/** What the header of a token says. */
export function headerOf(token: string): Readonly<Record<string, unknown>> {
  return parseCompact(token).header;
}
