import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { sql } from 'kysely';
import { inSmallBatches } from '../../db/small-batches.ts';
import { type Database, statement } from '../../db/statement.ts';
import type { LoginFailureRow } from '../../db/tables.ts';
import { fromSqlTime, toSqlTime } from '../../db/values.ts';
import { AppError } from '../errors.ts';
import type { Settings } from '../settings.ts';
import { normalizeUsername } from './fields.ts';

export type FailureScope = 'account' | 'address';

/** Whom a log-in is for, and from where it comes. */
export interface Attempt {
  /** As it was typed. */
  username: string;
  address: string;
}

/** Why no log-in is taken at the moment, for people who look after it. */
export interface Lock {
  id: number;
  scope: FailureScope;
  /** The username, or the address; empty for a name that nobody has. */
  label: string;
  failures: number;
  until: Date;
}

type Limits = Pick<
  Settings,
  'LOGIN_FAILURES_PER_ACCOUNT' | 'LOGIN_FAILURES_PER_ADDRESS' | 'LOGIN_FAILURE_WINDOW'
>;

const failuresOf = statement((db) =>
  db
    .selectFrom('jotgate_login_failure')
    .select(['failures', 'since'])
    .where('scope', '=', '')
    .where('subject_hash', '=', ''),
);

const countFromNow = statement((db) =>
  db
    .updateTable('jotgate_login_failure')
    .set({ since: '' })
    .where('scope', '=', '')
    .where('subject_hash', '=', '')
    .where('since', '>', ''),
);

/**
 * Lets a log-in be tried, unless too many failed for its username or from its address. What is asked is the same
 * whether or not there is such an account.
 *
 * @throws AppError `throttled`, 429, with DRF's text
 */
export async function requireAttempt(
  db: Database,
  limits: Limits,
  attempt: Attempt,
  now: Date,
): Promise<void> {
  const waits = await Promise.all(
    subjectsOf(limits, attempt).map(async ({ scope, hash, most }) => {
      const row = (await failuresOf(db, scope, hash)).rows[0];
      if (row === undefined || row.failures < most) return 0;
      // A clock that was set back would else keep them until it has caught up with itself.
      if (fromSqlTime(row.since) > now) await countFromNow(db, toSqlTime(now), scope, hash, toSqlTime(now));
      return secondsLeft(limits, row.since, now);
    }),
  );
  const wait = Math.max(0, ...waits);
  if (wait <= 0) return;
  const seconds = Math.ceil(wait);
  throw new AppError('throttled', {
    values: { seconds: `${seconds} second${seconds === 1 ? '' : 's'}` },
    retryAfter: seconds,
  });
}

/** Counts a log-in that failed against its username and its address. */
export async function recordFailure(
  db: Database,
  limits: Limits,
  attempt: Attempt & { isKnown: boolean },
  now: Date,
): Promise<void> {
  const start = toSqlTime(new Date(now.getTime() - limits.LOGIN_FAILURE_WINDOW * 1000));
  const at = toSqlTime(now);
  for (const { scope, hash, label } of subjectsOf(limits, attempt)) {
    const shown = scope === 'account' && !attempt.isKnown ? '' : label.slice(0, 150);
    await sql`
      insert into jotgate_login_failure (scope, subject_hash, label, failures, since, last_at)
      values (${scope}, ${hash}, ${shown}, 1, ${at}, ${at})
      on conflict (scope, subject_hash) do update set
        failures = case when jotgate_login_failure.since <= ${start} then 1
          else jotgate_login_failure.failures + 1 end,
        since = case when jotgate_login_failure.since <= ${start} then excluded.since
          else jotgate_login_failure.since end,
        label = excluded.label, last_at = excluded.last_at`.execute(db);
  }
}

/** Forgets the failures of a username: whoever it is has just logged in. Those of the address stay. */
export async function forgiveAccount(db: Database, limits: Limits, username: string): Promise<void> {
  const hash = hashOf(normalizeUsername(username));
  // Most have none, and looking is cheaper than writing.
  if (limits.LOGIN_FAILURES_PER_ACCOUNT === 0) return;
  if ((await failuresOf(db, 'account', hash)).rows.length === 0) return;
  await db
    .deleteFrom('jotgate_login_failure')
    .where('scope', '=', 'account')
    .where('subject_hash', '=', hash)
    .execute();
}

/** Every lock there is now, the newest first. */
export async function listLocks(db: Database, limits: Limits, now: Date, limit = 200): Promise<Lock[]> {
  const rows = await liveLocks(db, limits, now).orderBy('last_at', 'desc').limit(limit).execute();
  return rows.map((row) => lockOf(limits, row));
}

/** The lock of an account, if it has one. */
export async function findAccountLock(
  db: Database,
  limits: Limits,
  username: string,
  now: Date,
): Promise<Lock | null> {
  const row = await liveLocks(db, limits, now)
    .where('scope', '=', 'account')
    .where('subject_hash', '=', hashOf(normalizeUsername(username)))
    .executeTakeFirst();
  return row === undefined ? null : lockOf(limits, row);
}

function liveLocks(db: Database, limits: Limits, now: Date) {
  const start = toSqlTime(new Date(now.getTime() - limits.LOGIN_FAILURE_WINDOW * 1000));
  const scopes = (['account', 'address'] as const).filter((scope) => mostOf(limits, scope) > 0);
  return db
    .selectFrom('jotgate_login_failure')
    .selectAll()
    .where('since', '>', start)
    .where(({ or, and, eb }) =>
      or(scopes.map((scope) => and([eb('scope', '=', scope), eb('failures', '>=', mostOf(limits, scope))]))),
    );
}

function lockOf(limits: Limits, { id, scope, label, failures, since }: LoginFailureRow): Lock {
  const until = new Date(fromSqlTime(since).getTime() + limits.LOGIN_FAILURE_WINDOW * 1000);
  return { id, scope: scope as FailureScope, label, failures, until };
}

/** Lifts locks. @returns how many there were */
export async function liftLocks(db: Database, ids: readonly number[]): Promise<number> {
  if (ids.length === 0) return 0;
  const result = await db
    .deleteFrom('jotgate_login_failure')
    .where('id', 'in', ids)
    .executeTakeFirstOrThrow();
  return Number(result.numDeletedRows);
}

/** Forgets what no longer counts. An attack from many addresses leaves much of it. */
export async function purgeFailures(
  db: Database,
  limits: Limits,
  now: Date,
  { isOver }: { isOver?: () => boolean } = {},
): Promise<void> {
  const start = toSqlTime(new Date(now.getTime() - limits.LOGIN_FAILURE_WINDOW * 1000));
  const forget = async (trx: Database, size: number) => {
    const oldest = trx
      .selectFrom('jotgate_login_failure')
      .select('id')
      .where('last_at', '<=', start)
      .orderBy('last_at')
      .limit(size);
    const result = await trx
      .deleteFrom('jotgate_login_failure')
      .where('id', 'in', oldest)
      .executeTakeFirstOrThrow();
    return Number(result.numDeletedRows);
  };
  await inSmallBatches(db, forget, isOver);
}

/** What an attempt counts against, where there is a limit. */
function subjectsOf(limits: Limits, { username, address }: Attempt) {
  const name = normalizeUsername(username);
  const network = networkOf(address);
  const subjects = [
    { scope: 'account' as const, hash: hashOf(name), label: name },
    { scope: 'address' as const, hash: hashOf(network), label: network },
  ];
  return subjects
    .map((subject) => ({ ...subject, most: mostOf(limits, subject.scope) }))
    .filter(({ most }) => most > 0);
}

function mostOf(limits: Limits, scope: FailureScope): number {
  return scope === 'account' ? limits.LOGIN_FAILURES_PER_ACCOUNT : limits.LOGIN_FAILURES_PER_ADDRESS;
}

/** Seconds until failures that began to be counted at a time are forgotten. A clock that was set back adds nothing. */
function secondsLeft(limits: Limits, since: string, now: Date): number {
  const passed = Math.max(0, (now.getTime() - fromSqlTime(since).getTime()) / 1000);
  return limits.LOGIN_FAILURE_WINDOW - passed;
}

/** An address; of IPv6 the /64 network, for whoever has one address of it has all. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = [...before, ...(tail === undefined ? [] : zeros), ...after].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function hashOf(subject: string): string {
  return createHash('sha256').update(subject).digest('hex');
}
