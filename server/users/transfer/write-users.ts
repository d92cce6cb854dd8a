import type { Insertable } from 'kysely';
import type { Database } from '../../../db/statement.ts';
import type { UserTable } from '../../../db/tables.ts';
import { toSqlBoolean } from '../../../db/values.ts';
import type { NewEvent, Origin } from '../../audit/record.ts';
import { changesOf, differencesBetween } from '../account-differences.ts';
import { unusablePassword } from '../hashers.ts';
import { storeFields } from '../store-account.ts';
import { setPassword } from '../users.ts';
import { type Grants, grantNames } from './file-grants.ts';
import type { ImportOptions } from './import-options.ts';
import { inserter } from './many-rows.ts';
import type { UserPlan } from './plan-user.ts';

type NewPlan = Extract<UserPlan, { outcome: 'new' }>;
type ChangePlan = Extract<UserPlan, { outcome: 'changed' }>;

type UserColumns = Omit<Insertable<UserTable>, 'id'>;

const SAMPLE: UserColumns = {
  username: '',
  password: '',
  first_name: '',
  last_name: '',
  email: '',
  is_active: 1,
  is_staff: 0,
  is_superuser: 0,
  last_login: null,
  date_joined: '',
};

/** Those whose name somebody else took a moment ago are left out. */
const insertUsers = inserter(SAMPLE, (db, rows) =>
  db
    .insertInto('auth_user')
    .values(rows)
    .onConflict((conflict) => conflict.column('username').doNothing())
    .returning(['id', 'username']),
);
const insertUsersWithIds = inserter({ id: 0, ...SAMPLE }, (db, rows) =>
  db
    .insertInto('auth_user')
    .values(rows)
    .onConflict((conflict) => conflict.column('username').doNothing())
    .returning(['id', 'username']),
);
const insertGroups = inserter({ user_id: 0, group_id: 0 }, (db, rows) =>
  db.insertInto('auth_user_groups').values(rows),
);
const insertPermissions = inserter({ user_id: 0, permission_id: 0 }, (db, rows) =>
  db.insertInto('auth_user_user_permissions').values(rows),
);

/**
 * Adds users. Those whose name somebody else took a moment ago are left out.
 *
 * @returns the ids by username, of those that were added
 */
export async function addUsers(
  trx: Database,
  plans: readonly NewPlan[],
  { newIds }: Pick<ImportOptions, 'newIds'>,
): Promise<Map<string, number>> {
  const withId = ({ record }: NewPlan) => record.id !== null && !newIds;
  const added = [
    ...(await insertUsersWithIds(
      trx,
      plans.filter(withId).map((plan) => ({ id: plan.record.id as number, ...columnsOf(plan) })),
    )),
    ...(await insertUsers(trx, plans.filter((plan) => !withId(plan)).map(columnsOf))),
  ];
  const ids = new Map(added.map(({ id, username }) => [username, id]));
  await addGrants(trx, plans, ids);
  return ids;
}

/** The superusers among those that were added, for the history. */
export function superuserEvents(
  plans: readonly NewPlan[],
  ids: ReadonlyMap<string, number>,
  origin: Origin,
): NewEvent[] {
  return plans.flatMap(({ after }): NewEvent[] => {
    const id = ids.get(after.username);
    if (id === undefined || !after.is_superuser) return [];
    return [
      { kind: 'superuser_created', origin, object: { type: 'user', id: String(id), name: after.username } },
    ];
  });
}

/** Makes accounts what they are to be. @returns what the history says of it */
export async function changeUsers(
  trx: Database,
  plans: readonly ChangePlan[],
  grants: Grants,
  origin: Origin,
): Promise<NewEvent[]> {
  const names = grantNames(grants);
  const events: NewEvent[] = [];
  for (const { account, before, after, password } of plans) {
    const { id, username } = account.user;
    const object = { type: 'user', id: String(id), name: username } as const;
    const differences = differencesBetween(before, after, names);
    if (differences.length > 0) {
      await storeFields(trx, id, before, after);
      events.push({ kind: 'user_changed', origin, object, changes: changesOf(differences) });
    }
    if (password !== null) {
      await setPassword(trx, id, password);
      events.push({ kind: 'password_changed', origin, object });
    }
  }
  return events;
}

function columnsOf({ after, password }: NewPlan): UserColumns {
  return {
    username: after.username,
    password: password ?? unusablePassword(),
    first_name: after.first_name,
    last_name: after.last_name,
    email: after.email,
    is_active: toSqlBoolean(after.is_active),
    is_staff: toSqlBoolean(after.is_staff),
    is_superuser: toSqlBoolean(after.is_superuser),
    last_login: after.last_login,
    date_joined: after.date_joined,
  };
}

async function addGrants(
  trx: Database,
  plans: readonly NewPlan[],
  ids: ReadonlyMap<string, number>,
): Promise<void> {
  const added = plans.flatMap(({ after }) => {
    const user_id = ids.get(after.username);
    return user_id === undefined ? [] : [{ user_id, after }];
  });
  await insertGroups(
    trx,
    added.flatMap(({ user_id, after }) => after.groups.map((group_id) => ({ user_id, group_id }))),
  );
  await insertPermissions(
    trx,
    added.flatMap(({ user_id, after }) =>
      after.user_permissions.map((permission_id) => ({ user_id, permission_id })),
    ),
  );
}
