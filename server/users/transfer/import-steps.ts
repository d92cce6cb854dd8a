import { entryOf } from './entries.ts';
import type { FileRecord } from './file-record.ts';
import type { ImportOptions } from './import-options.ts';
import type { Problem } from './outcomes.ts';
import { type UserRecord, userRecordOf } from './user-record.ts';

/** How many users are taken together, all or none of them. */
const SIZE = 1_000;

export interface Batch {
  records: readonly UserRecord[];
  isLast: boolean;
}

/** Users in batches; at least one, which may be empty. */
export async function* batchesOf(users: AsyncIterable<UserRecord>): AsyncGenerator<Batch> {
  let waiting: UserRecord[] = [];
  for await (const user of users) {
    if (waiting.length === SIZE) {
      yield { records: waiting, isLast: false };
      waiting = [];
    }
    waiting.push(user);
  }
  yield { records: waiting, isLast: true };
}

/**
 * The users of a file, each name and each id once. The names are kept in memory to tell: some 100 MB for a million.
 *
 * @param refuse is told of each record that cannot be taken
 */
export async function* usersIn(
  records: AsyncIterable<FileRecord>,
  { newIds }: Pick<ImportOptions, 'newIds'>,
  refuse: (problem: Problem) => void,
): AsyncGenerator<UserRecord> {
  const names = new Set<string>();
  const ids = new Set<number>();
  const reject = (place: string, name: string, reason: string) =>
    refuse({ outcome: 'refused', place, name, reason });
  for await (const record of records) {
    const entry = entryOf(record);
    if (entry.type === 'refused') reject(entry.place, '', entry.problem);
    if (entry.type !== 'user') continue;
    const user = userRecordOf(entry);
    if ('problem' in user) {
      reject(user.place, user.name, user.problem);
    } else if (names.has(user.username)) {
      reject(user.place, user.username, 'username: a record before has the same one');
    } else if (!newIds && user.id !== null && ids.has(user.id)) {
      reject(user.place, user.username, 'id: a record before has the same one');
    } else {
      names.add(user.username);
      if (user.id !== null) ids.add(user.id);
      yield user;
    }
  }
}
