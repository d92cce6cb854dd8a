import type { Database } from '../../db/statement.ts';
import { fromSqlTime, type SqlTime } from '../../db/values.ts';
import { AppError } from '../errors.ts';
import { type Edit, fieldRefusals } from './account-policy.ts';
import { emailComplaints, nameComplaints, usernameComplaints } from './fields.ts';
import { findUserByUsername, TAKEN } from './users.ts';

const REQUIRED = 'This field is required.';

/** What is wrong with an edit, by field, in the words of Django's forms: ill-formed, or not the actor's to enter. */
export async function complaintsAbout(db: Database, edit: Edit): Promise<Record<string, string[]>> {
  const { after, groups, permissions } = edit;
  const complaints = {
    username: await usernameRefusals(db, edit),
    first_name: nameComplaints(after.first_name),
    last_name: nameComplaints(after.last_name),
    email: emailComplaints(after.email),
    groups: unknownChoices(after.groups, groups),
    user_permissions: unknownChoices(after.user_permissions, permissions),
    last_login: timeComplaints(after.last_login),
    date_joined: timeComplaints(after.date_joined),
  };
  const found = Object.entries(complaints).filter(([, texts]) => texts.length > 0);
  return { ...fieldRefusals(edit), ...Object.fromEntries(found) };
}

/** @throws AppError `invalid` with the complaints by field */
export async function requireGoodFields(db: Database, edit: Edit): Promise<void> {
  const members = await complaintsAbout(db, edit);
  if (Object.keys(members).length > 0) throw new AppError('invalid', { members });
}

async function usernameRefusals(db: Database, { id, after: { username } }: Edit): Promise<string[]> {
  if (username === '') return [REQUIRED];
  const complaints = usernameComplaints(username);
  if (complaints.length > 0) return complaints;
  const namesake = await findUserByUsername(db, username);
  return namesake === null || namesake.id === id ? [] : [TAKEN];
}

function unknownChoices(ids: readonly number[], choices: readonly { id: number }[]): string[] {
  const known = new Set(choices.map(({ id }) => id));
  const unknown = ids.filter((id) => !known.has(id));
  return unknown.map((id) => `Select a valid choice. ${id} is not one of the available choices.`);
}

function timeComplaints(time: SqlTime | null): string[] {
  return time === null || !Number.isNaN(fromSqlTime(time).getTime()) ? [] : ['Enter a valid date/time.'];
}
