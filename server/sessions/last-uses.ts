import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { toSqlTime } from '../../db/values.ts';
import type { Client } from './sessions.ts';

/** When and from where sessions were used last. Written together now and then, so that no refresh is a write for it. */
export interface LastUses {
  /** Notes that a token of a session was used now. */
  note(jti: string, client: Client): void;
  /** Resolves when all that was noted is written, or could not be. */
  flush(): Promise<void>;
  /** Writes what is left and ends. */
  close(): Promise<void>;
}

export interface LastUsesOptions {
  /** Seconds since the epoch. */
  now(): number;
  onError(error: unknown): void;
}

/** How long uses are gathered, in milliseconds. */
const GATHERING = 1_000;

/** How many tokens are noted at most between two writes: what is more is not worth more memory. */
const MOST = 10_000;

export function openLastUses(db: Database, { now, onError }: LastUsesOptions): LastUses {
  let waiting = new Map<string, { client: Client; at: number }>();
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const uses = waiting;
    waiting = new Map();
    writing = writing.then(() => (uses.size === 0 ? undefined : write(db, uses))).catch(onError);
    return writing;
  };
  return {
    note(jti, client) {
      if (waiting.size >= MOST && !waiting.has(jti)) return;
      waiting.set(jti, { client, at: now() });
      timer ??= setTimeout(flush, GATHERING).unref();
    },
    flush,
    close: flush,
  };
}

/** A use that was noted earlier than one that is stored, by another instance for one, changes nothing. */
async function write(db: Database, uses: ReadonlyMap<string, { client: Client; at: number }>): Promise<void> {
  await inTransaction(db, async (trx) => {
    for (const [jti, { client, at }] of uses) {
      const time = toSqlTime(new Date(at * 1000));
      await sql`
        update jotgate_session set last_used_at = ${time}, address = ${client.address.slice(0, 45)},
          user_agent = ${client.userAgent.slice(0, 255)}
        where id = (select session_id from jotgate_session_token where jti = ${jti})
          and last_used_at < ${time} and ended_at is null`.execute(trx);
    }
  });
}
