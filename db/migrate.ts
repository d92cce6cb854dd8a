import { sql } from 'kysely';
import { isPostgres } from './by-dialect.ts';
import { hasTable } from './has-table.ts';
import { lockName } from './locks.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { withoutDeadline } from './postgres-dialect.ts';
import type { Database } from './statement.ts';

export interface MigrationState {
  name: string;
  applied: boolean;
}

/** The database was migrated by a newer program than this one. */
export class NewerSchemaError extends Error {
  override name = 'NewerSchemaError';
  readonly unknown: readonly string[];

  constructor(unknown: readonly string[]) {
    super(
      `The database has migrations this version of Jotgate does not know (${unknown.join(', ')}): ` +
        'a newer version made them. Start that version, or restore a backup from before.',
    );
    this.unknown = unknown;
  }
}

/**
 * Every migration and whether the database has it. Writes nothing.
 *
 * @throws NewerSchemaError when the database has one that this program does not know
 */
export async function listMigrations(db: Database): Promise<MigrationState[]> {
  const applied = await appliedNames(db);
  const unknown = [...applied].filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0) throw new NewerSchemaError(unknown);
  return Object.keys(MIGRATIONS).map((name) => ({ name, applied: applied.has(name) }));
}

/**
 * Applies what the database lacks, each migration in a transaction of its own. Of two that migrate at once the
 * second waits for the first and finds nothing left to do.
 *
 * @param onApplied is told each name once it is committed
 * @throws NewerSchemaError as `listMigrations`; else what the migration threw, with nothing of it left behind
 */
export async function migrate(db: Database, onApplied: (name: string) => void = () => {}): Promise<void> {
  if ((await listMigrations(db)).every(({ applied }) => applied)) return;
  await withoutDeadline(db, async () => {
    await makeOwnTables(db);
    for (;;) {
      const name = await db.transaction().execute(applyNext);
      if (name === null) return;
      onApplied(name);
    }
  });
}

const MIGRATION_TABLE = 'jotgate_migration';

/** Tables of the migrations themselves: what was applied and when, and on Postgres a row for each lock. */
const OWN_TABLES = {
  sqlite: {
    [MIGRATION_TABLE]: '"name" varchar(255) NOT NULL PRIMARY KEY, "timestamp" varchar(255) NOT NULL',
  },
  postgres: {
    [MIGRATION_TABLE]: '"name" varchar(255) NOT NULL PRIMARY KEY, "timestamp" varchar(255) NOT NULL',
    jotgate_lock: '"name" varchar(40) NOT NULL PRIMARY KEY',
  },
} as const;

async function makeOwnTables(db: Database): Promise<void> {
  for (const [table, columns] of Object.entries(OWN_TABLES[isPostgres(db) ? 'postgres' : 'sqlite'])) {
    try {
      await sql.raw(`CREATE TABLE IF NOT EXISTS "${table}" (${columns})`).execute(db);
    } catch (error) {
      // On Postgres the second of two at the same time may fail all the same.
      if (!(await hasTable(db, table))) throw error;
    }
  }
}

/** Applies one migration, and gives its name; null where there is none left. */
async function applyNext(trx: Database): Promise<string | null> {
  await lockName(trx, 'migrations');
  const next = (await listMigrations(trx)).find(({ applied }) => !applied);
  if (next === undefined) return null;
  await MIGRATIONS[next.name]?.up(trx);
  await sql`insert into ${sql.table(MIGRATION_TABLE)} (name, timestamp)
    values (${next.name}, ${new Date().toISOString()})`.execute(trx);
  return next.name;
}

async function appliedNames(db: Database): Promise<Set<string>> {
  if (!(await hasTable(db, MIGRATION_TABLE))) return new Set();
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`.execute(db);
  return new Set(rows.map((row) => row.name));
}
