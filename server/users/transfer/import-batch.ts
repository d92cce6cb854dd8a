import { lockName } from '../../../db/locks.ts';
import type { Database } from '../../../db/statement.ts';
import { toSqlTime } from '../../../db/values.ts';
import type { NewEvent } from '../../audit/record.ts';
import type { Grants } from './file-grants.ts';
import type { ImportRequest } from './import-options.ts';
import { accountsByName, namesById } from './known-accounts.ts';
import type { Outcome, Problem } from './outcomes.ts';
import { passIds } from './pass-ids.ts';
import { planUser, type UserPlan } from './plan-user.ts';
import { keepSuperuser } from './superusers-left.ts';
import type { UserRecord } from './user-record.ts';
import { addUsers, changeUsers, superuserEvents } from './write-users.ts';

export interface BatchResult {
  outcomes: Outcome[];
  problems: Problem[];
  superusers: number;
  events: NewEvent[];
}

type BatchRequest = Pick<ImportRequest, 'options' | 'origin' | 'now'>;

/**
 * Takes some users, each name once.
 *
 * @param db a transaction, unless it is a dry run
 */
export async function importBatch(
  db: Database,
  records: readonly UserRecord[],
  grants: Grants,
  request: BatchRequest,
): Promise<BatchResult> {
  const { options } = request;
  if (!options.dryRun) await lockName(db, 'accounts');
  const plans = await keepSuperuser(db, await planned(db, records, grants, request));
  if (options.dryRun) return resultOf(plans, []);
  const changes = plans.filter((plan) => plan.outcome === 'changed');
  const news = plans.filter((plan) => plan.outcome === 'new');
  const changed = await changeUsers(db, changes, grants, request.origin);
  const ids = await addUsers(db, news, options);
  if (!options.newIds && news.some(({ record }) => record.id !== null)) await passIds(db, 'auth_user');
  const done = plans.map((plan) => withoutLost(plan, ids));
  return resultOf(done, [...changed, ...superuserEvents(news, ids, request.origin)]);
}

async function planned(
  db: Database,
  records: readonly UserRecord[],
  grants: Grants,
  { options, now }: BatchRequest,
): Promise<UserPlan[]> {
  const accounts = await accountsByName(
    db,
    records.map(({ username }) => username),
  );
  const ids = records.flatMap(({ id, username }) => (id === null || accounts.has(username) ? [] : [id]));
  const owners = options.newIds ? new Map<number, string>() : await namesById(db, ids);
  return records.map((record) =>
    planUser(record, {
      account: accounts.get(record.username) ?? null,
      idOwner: owners.get(record.id ?? 0) ?? null,
      grants,
      options,
      now: toSqlTime(now),
    }),
  );
}

/** A plan as it came out: somebody may have taken the name a moment ago. */
function withoutLost(plan: UserPlan, ids: ReadonlyMap<string, number>): UserPlan {
  if (plan.outcome !== 'new' || ids.has(plan.after.username)) return plan;
  return { outcome: 'conflict', record: plan.record, reason: 'was added by somebody else a moment ago' };
}

function resultOf(plans: readonly UserPlan[], events: NewEvent[]): BatchResult {
  return {
    outcomes: plans.map(({ outcome }) => outcome),
    problems: plans.flatMap((plan) => {
      if (plan.outcome !== 'conflict') return [];
      const { record, reason } = plan;
      return [{ outcome: plan.outcome, place: record.place, name: record.username, reason }];
    }),
    superusers: plans.filter((plan) => plan.outcome === 'new' && plan.after.is_superuser).length,
    events,
  };
}
