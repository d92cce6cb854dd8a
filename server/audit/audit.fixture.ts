import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';

export { newDatabase } from '../../db/database.fixture.ts';

/** When every test begins. */
export const NOW = new Date('2026-03-04T05:06:07.250Z');

/** An account that nobody logs in with. Gives its id. */
export async function newAccount(db: Database, username: string): Promise<number> {
  const { id } = await db
    .insertInto('auth_user')
    .values({
      username,
      password: '!',
      email: '',
      first_name: '',
      last_name: '',
      is_active: 1,
      is_staff: 0,
      is_superuser: 0,
      last_login: null,
      date_joined: toSqlTime(NOW),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
