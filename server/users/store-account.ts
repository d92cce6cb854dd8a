import type { Database } from '../../db/statement.ts';
import { toSqlBoolean } from '../../db/values.ts';
import type { AccountFields } from './accounts.ts';

/** Writes an account's fields, of its groups and permissions only those that come or go. */
export async function storeFields(
  trx: Database,
  id: number,
  before: AccountFields,
  after: AccountFields,
): Promise<void> {
  const { groups, user_permissions, is_active, is_staff, is_superuser, ...columns } = after;
  await trx
    .updateTable('auth_user')
    .set({
      ...columns,
      is_active: toSqlBoolean(is_active),
      is_staff: toSqlBoolean(is_staff),
      is_superuser: toSqlBoolean(is_superuser),
    })
    .where('id', '=', id)
    .execute();
  await storeGroups(trx, id, before.groups, groups);
  await storePermissions(trx, id, before.user_permissions, user_permissions);
}

async function storeGroups(trx: Database, id: number, before: readonly number[], after: readonly number[]) {
  const gone = before.filter((group) => !after.includes(group));
  const come = after.filter((group) => !before.includes(group));
  if (gone.length > 0) {
    const links = trx.deleteFrom('auth_user_groups').where('user_id', '=', id);
    await links.where('group_id', 'in', gone).execute();
  }
  const rows = come.map((group_id) => ({ user_id: id, group_id }));
  if (rows.length > 0) await trx.insertInto('auth_user_groups').values(rows).execute();
}

async function storePermissions(
  trx: Database,
  id: number,
  before: readonly number[],
  after: readonly number[],
) {
  const gone = before.filter((permission) => !after.includes(permission));
  const come = after.filter((permission) => !before.includes(permission));
  if (gone.length > 0) {
    const links = trx.deleteFrom('auth_user_user_permissions').where('user_id', '=', id);
    await links.where('permission_id', 'in', gone).execute();
  }
  const rows = come.map((permission_id) => ({ user_id: id, permission_id }));
  if (rows.length > 0) await trx.insertInto('auth_user_user_permissions').values(rows).execute();
}
