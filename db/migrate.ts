import { Migrator } from 'kysely';
import { MIGRATIONS } from './migrations/index.ts';
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
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: `${MIGRATION_TABLE}_lock`,
  });
  while ((await listMigrations(db)).some((migration) => !migration.applied)) {
    const { error, results } = await migrator.migrateUp();
    if (error !== undefined) throw error;
    for (const result of results ?? []) onApplied(result.migrationName);
  }
}

const MIGRATION_TABLE = 'jotgate_migration';

async function appliedNames(db: Database): Promise<Set<string>> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === MIGRATION_TABLE)) return new Set();
  const rows = await db
    .withTables<{ [MIGRATION_TABLE]: { name: string } }>()
    .selectFrom(MIGRATION_TABLE)
    .select('name')
    .execute();
  return new Set(rows.map((row) => row.name));
}
