import { existsSync } from 'node:fs';
import { sqlitePath } from '../../db/connect.ts';
import { hasTable } from '../../db/has-table.ts';
import type { Database } from '../../db/statement.ts';
import { fromSqlTime } from '../../db/values.ts';
import { findWeaknesses, type Weakness } from '../settings/weaknesses.ts';
import type { CommandContext } from './command.ts';

/** By how much a record may be ahead of the clock before that is worth a word, in seconds. */
const CLOCK_TOLERANCE = 60;

/** What is weak: in the settings, and in the clock, which tokens are measured by. */
export async function findDeployWarnings(context: CommandContext): Promise<Weakness[]> {
  const { settings, origins } = await context.loadSettings();
  const weaknesses = findWeaknesses(settings, origins);
  const isSqlite = settings.DATABASE_URL.startsWith('sqlite:');
  if (isSqlite && !existsSync(sqlitePath(settings.DATABASE_URL))) return weaknesses;
  const ahead = await secondsAhead(await context.openDatabase(), new Date());
  if (ahead <= CLOCK_TOLERANCE) return weaknesses;
  return [
    ...weaknesses,
    {
      id: 'jotgate.W101',
      title: `The newest token was made ${Math.round(ahead)} s in the future: this clock went back, or another is ahead`,
      advice: 'Let the clocks of all servers be kept by NTP: tokens are measured by them.',
    },
  ];
}

/** In the form of Django's `check --deploy`. */
export function deployReport(weaknesses: readonly Weakness[]): string {
  const lines = weaknesses.map(({ id, title, advice }) => `?: (${id}) ${title}.\n\tHINT: ${advice}\n`);
  const issues = weaknesses.length === 1 ? 'issue' : 'issues';
  return (
    `System check identified some issues:\n\nWARNINGS:\n${lines.join('')}\n` +
    `System check identified ${weaknesses.length} ${issues} (0 silenced).\n`
  );
}

/** By how many seconds the token that was recorded last is ahead of the clock. */
async function secondsAhead(db: Database, now: Date): Promise<number> {
  if (!(await hasTable(db, 'token_blacklist_outstandingtoken'))) return 0;
  const row = await db
    .selectFrom('token_blacklist_outstandingtoken')
    .select('created_at')
    .where('created_at', 'is not', null)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row?.created_at) return 0;
  return (fromSqlTime(row.created_at).getTime() - now.getTime()) / 1000;
}
