import type { ExportedGroup, ExportedUser } from './exported-users.ts';
import type { TransferFormat } from './formats.ts';
import { joinNames } from './grant-references.ts';
import { sqlTimeToIso } from './times.ts';

/** How a file of a format is written, piece by piece. */
export interface ExportFormat {
  /** What stands before everything, between two records, and behind everything. */
  begin: string;
  between: string;
  end: string;
  /** Null where the format has no room for groups of their own. */
  group: ((group: ExportedGroup) => string) | null;
  user: (user: ExportedUser) => string;
}

/**
 * What `loaddata` takes, a record a line: as `dumpdata --natural-foreign` writes it, but for times, which keep their
 * microseconds.
 */
const DUMP = {
  group: ({ id, name, permissions }: ExportedGroup) =>
    JSON.stringify({
      model: 'auth.group',
      pk: id,
      fields: { name, permissions: permissions.map(naturalKey) },
    }),
  user: ({ user, groups, permissions }: ExportedUser) =>
    JSON.stringify({
      model: 'auth.user',
      pk: user.id,
      fields: {
        password: user.password,
        last_login: user.last_login === null ? null : sqlTimeToIso(user.last_login),
        is_superuser: user.is_superuser === 1,
        username: user.username,
        first_name: user.first_name,
        last_name: user.last_name,
        email: user.email,
        is_staff: user.is_staff === 1,
        is_active: user.is_active === 1,
        date_joined: sqlTimeToIso(user.date_joined),
        groups: groups.map((name) => [name]),
        user_permissions: permissions.map(naturalKey),
      },
    }),
};

type Cell = (user: ExportedUser) => string;

const CSV_COLUMNS: Readonly<Record<string, Cell>> = {
  id: ({ user }) => String(user.id),
  username: ({ user }) => user.username,
  password: ({ user }) => user.password,
  email: ({ user }) => user.email,
  first_name: ({ user }) => user.first_name,
  last_name: ({ user }) => user.last_name,
  is_active: ({ user }) => String(user.is_active === 1),
  is_staff: ({ user }) => String(user.is_staff === 1),
  is_superuser: ({ user }) => String(user.is_superuser === 1),
  date_joined: ({ user }) => sqlTimeToIso(user.date_joined),
  last_login: ({ user }) => (user.last_login === null ? '' : sqlTimeToIso(user.last_login)),
  groups: ({ groups }) => joinNames(groups),
  user_permissions: ({ permissions }) => joinNames(permissions.map(({ key }) => key)),
};

export const EXPORT_FORMATS: Readonly<Record<TransferFormat, ExportFormat>> = {
  json: { begin: '[\n', between: ',\n', end: '\n]\n', ...DUMP },
  jsonl: { begin: '', between: '\n', end: '\n', ...DUMP },
  csv: {
    begin: `${Object.keys(CSV_COLUMNS).join(',')}\r\n`,
    between: '\r\n',
    end: '\r\n',
    group: null,
    user: (user) =>
      Object.values(CSV_COLUMNS)
        .map((cell) => quoted(inert(cell(user))))
        .join(','),
  },
};

/** Django's `Permission.natural_key`. */
function naturalKey({ codename, appLabel, model }: { codename: string; appLabel: string; model: string }) {
  return [codename, appLabel, model];
}

/** A spreadsheet would run what begins like a formula: behind an apostrophe, which the import takes off, it is text. */
function inert(cell: string): string {
  return /^'*[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

function quoted(cell: string): string {
  return /[",;\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
