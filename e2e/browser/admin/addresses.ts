import assert from 'node:assert/strict';
import SqliteDatabase from 'better-sqlite3';

/** What the id in a path stands for: a query of the row that is shown. The first that a path begins with counts. */
const IDS: readonly (readonly [path: string, query: string])[] = [
  ['/admin/createsuperuser/:id/', "SELECT id FROM auth_user WHERE username = 'ada'"],
  ['/admin/auth/user/:id/', "SELECT id FROM auth_user WHERE username = 'eve'"],
  ['/admin/auth/group/:id/', "SELECT id FROM auth_group WHERE name = 'Editors'"],
  [
    '/admin/token_blacklist/outstandingtoken/:id/',
    'SELECT max(id) AS id FROM token_blacklist_outstandingtoken',
  ],
  [
    '/admin/token_blacklist/blacklistedtoken/:id/',
    'SELECT max(id) AS id FROM token_blacklist_blacklistedtoken',
  ],
  ['/admin/sessions/:id/', 'SELECT max(id) AS id FROM jotgate_session'],
  ['/admin/keys/:id/', 'SELECT max(id) AS id FROM jotgate_signing_key'],
  ['/admin/history/:id/', 'SELECT max(id) AS id FROM jotgate_event'],
];

/**
 * The address of a page about something that is there.
 *
 * @param file the database
 * @throws AssertionError for a path with an id that nobody said how to fill in, or where there is nothing to show
 */
export function addressOf(path: string, file: string): string {
  const [prefix, query] = IDS.find(([start]) => path.startsWith(start)) ?? [];
  if (prefix === undefined || query === undefined) {
    assert.ok(!path.includes(':'), `${path}: which id does it take? Add it to IDS.`);
    return path;
  }
  const database = new SqliteDatabase(file, { readonly: true });
  try {
    const row = database.prepare<[], { id: number | null }>(query).get();
    assert.ok(row?.id, `${path}: nothing is there to be shown`);
    return path.replace(prefix, prefix.replace(':id', String(row.id)));
  } finally {
    database.close();
  }
}
