import type { Database } from '../../db/statement.ts';
import { fromSqlTime, type SqlTime } from '../../db/values.ts';
import { findListedUsers, groupNamesOfEach, type ListedUser } from './user-list.ts';

type Cell = (user: ListedUser, groups: readonly string[]) => string;

/** The columns of the export. Of a password there is none. */
const COLUMNS: Readonly<Record<string, Cell>> = {
  username: (user) => user.username,
  email: (user) => user.email,
  first_name: (user) => user.first_name,
  last_name: (user) => user.last_name,
  is_staff: (user) => flag(user.is_staff),
  is_superuser: (user) => flag(user.is_superuser),
  is_active: (user) => flag(user.is_active),
  date_joined: (user) => isoTime(user.date_joined),
  last_login: (user) => (user.last_login === null ? '' : isoTime(user.last_login)),
  groups: (_user, groups) => groups.join('; '),
};

/**
 * Users as CSV (RFC 4180): the names of the columns, then a record each. Times are ISO 8601 in UTC.
 *
 * @param batches ids in the order of the records, as many at a time as are read at once
 */
export async function* usersAsCsv(
  db: Database,
  batches: AsyncIterable<readonly number[]>,
): AsyncGenerator<string> {
  yield record(Object.keys(COLUMNS));
  const cells = Object.values(COLUMNS);
  for await (const ids of batches) {
    const users = await findListedUsers(db, ids);
    const groups = await groupNamesOfEach(db, ids);
    yield users.map((user) => record(cells.map((cell) => cell(user, groups.get(user.id) ?? [])))).join('');
  }
}

function record(cells: readonly string[]): string {
  return `${cells.map((cell) => quoted(inert(cell))).join(',')}\r\n`;
}

/** A spreadsheet would run what begins like a formula, and usernames may: behind an apostrophe it is text. */
function inert(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function flag(value: number): string {
  return value === 1 ? 'true' : 'false';
}

/** A time that is none, such as another program may have written, is given as it is. */
function isoTime(time: SqlTime): string {
  const moment = fromSqlTime(time);
  return Number.isNaN(moment.getTime()) ? time : moment.toISOString();
}
