import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { countPasswordFormats, type PasswordFormat } from '../users/password-formats.ts';
import { formatCount, formatTable } from './text-table.ts';

/** How many users have their password in which format, and who of them cannot log in, as a table; nothing where there are no users. */
export async function describePasswords(db: Database, settings: Settings): Promise<string> {
  const counts = await countPasswordFormats(db);
  if (counts.length === 0) return '';
  const rows = counts.map(({ format, count }) => [format, formatCount(count), noteOn(format, settings)]);
  return formatTable([['Password hash', 'Users', ''], ...rows]);
}

function noteOn(format: PasswordFormat, { PASSWORD_HASHERS }: Settings): string {
  const [first] = PASSWORD_HASHERS;
  if (format === 'unusable') return 'no password to log in with';
  if (format === first) return 'as new ones are';
  if ((PASSWORD_HASHERS as readonly string[]).includes(format)) return `becomes ${first} at the next login`;
  return 'refused: not one of PASSWORD_HASHERS';
}
