import { sql } from 'kysely';
import type { Database } from '../../db/statement.ts';
import { type HasherName, type HashingSettings, hasherOf } from './hashers/registry.ts';
import { isUsablePassword } from './password-summary.ts';

/** Algorithms of older Djangos that nothing here reads any more. */
const OBSOLETE = ['md5', 'sha1', 'crypt', 'unsalted_md5', 'unsalted_sha1'] as const;

const CURRENT = ['pbkdf2_sha256', 'pbkdf2_sha1', 'argon2', 'bcrypt_sha256', 'bcrypt', 'scrypt'] as const;

const ALGORITHMS = [...CURRENT, ...OBSOLETE];

/** `unusable` is no password at all, `unknown` what begins with no algorithm of Django's. */
export type PasswordFormat = HasherName | (typeof OBSOLETE)[number] | 'unusable' | 'unknown';

/** How a stored password begins, which tells nothing of the password itself. */
export function passwordFormat(stored: string): PasswordFormat {
  if (!isUsablePassword(stored)) return 'unusable';
  return ALGORITHMS.find((algorithm) => stored.startsWith(`${algorithm}$`)) ?? 'unknown';
}

/** Whether somebody with this hash can log in. Not so where it is malformed, or its algorithm is none of the settings'. */
export function isReadable(stored: string, settings: HashingSettings): boolean {
  return (hasherOf(stored, settings)?.hasher.read(stored) ?? null) !== null;
}

/** How many users have which format, those of most users first. One pass over the table. */
export async function countPasswordFormats(
  db: Database,
): Promise<{ format: PasswordFormat; count: number }[]> {
  const cases = ALGORITHMS.map(
    (algorithm) =>
      sql`when substr(password, 1, ${sql.lit(algorithm.length + 1)}) = ${sql.lit(`${algorithm}$`)} then ${sql.lit(algorithm)}`,
  );
  const { rows } = await sql<{ format: PasswordFormat; count: number }>`
    select format, count(*) as count from (
      select case when password = '' or substr(password, 1, 1) = '!' then 'unusable'
        ${sql.join(cases, sql` `)} else 'unknown' end as format
      from auth_user) as formats
    group by format`.execute(db);
  const counts = rows.map(({ format, count }) => ({ format, count: Number(count) }));
  return counts.sort((one, other) => other.count - one.count || (one.format < other.format ? -1 : 1));
}
