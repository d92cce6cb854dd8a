import type { Database } from '../../../db/statement.ts';
import { EXPORT_FORMATS } from './export-formats.ts';
import { exportedGroups, exportedUsers } from './exported-users.ts';
import type { TransferFormat } from './formats.ts';

/** How far an export is. */
export interface ExportProgress {
  users: number;
  groups: number;
}

/**
 * Every group and user, with the hashes of their passwords: pieces of a file that `importUsers` and Django's
 * `loaddata` take.
 *
 * @param onProgress is told before each piece what is in it and in those before
 */
export async function* exportUsers(
  db: Database,
  format: TransferFormat,
  onProgress: (progress: ExportProgress) => void,
): AsyncGenerator<string> {
  const { begin, between, end, group, user } = EXPORT_FORMATS[format];
  let isFirst = true;
  const joined = (records: readonly string[]) => {
    const text = (isFirst ? '' : between) + records.join(between);
    isFirst = false;
    return text;
  };
  const groups = group === null ? [] : await exportedGroups(db);
  const progress = { users: 0, groups: groups.length };
  onProgress(progress);
  yield begin;
  if (group !== null && groups.length > 0) yield joined(groups.map(group));
  for await (const users of exportedUsers(db)) {
    progress.users += users.length;
    onProgress(progress);
    yield joined(users.map(user));
  }
  yield isFirst ? end.trimStart() : end;
}
