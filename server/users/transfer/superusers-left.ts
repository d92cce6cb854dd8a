import type { Database } from '../../../db/statement.ts';
import type { AccountFields } from '../accounts.ts';
import { isUsablePassword } from '../password-summary.ts';
import type { UserPlan } from './plan-user.ts';

/** What is said where an import would shut everybody out. */
const REASON = 'would leave no active superuser who can log in';

/** Turns those changes into conflicts after which no superuser would be left who can log in. */
export async function keepSuperuser(db: Database, plans: readonly UserPlan[]): Promise<UserPlan[]> {
  const takes = plans.some((plan) => plan.outcome === 'changed' && effectOf(plan) < 0);
  if (!takes) return [...plans];
  let left = await countSuperusersWhoCanLogIn(db);
  return plans.map((plan): UserPlan => {
    const effect = effectOf(plan);
    if (effect < 0 && left <= 1) return { outcome: 'conflict', record: plan.record, reason: REASON };
    left += effect;
    return plan;
  });
}

/** Of how many superusers there are more, or fewer, after what is planned. */
function effectOf(plan: UserPlan): number {
  if (plan.outcome === 'new') return Number(rules(plan.after, plan.password ?? ''));
  if (plan.outcome !== 'changed') return 0;
  const { before, after, account, password } = plan;
  const stored = account.user.password;
  return Number(rules(after, password ?? stored)) - Number(rules(before, stored));
}

function rules({ is_superuser, is_active, is_staff }: AccountFields, password: string): boolean {
  return is_superuser && is_active && is_staff && isUsablePassword(password);
}

async function countSuperusersWhoCanLogIn(db: Database): Promise<number> {
  const row = await db
    .selectFrom('auth_user')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('is_superuser', '=', 1)
    .where('is_active', '=', 1)
    .where('is_staff', '=', 1)
    .where('password', 'not like', '!%')
    .where('password', '!=', '')
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
