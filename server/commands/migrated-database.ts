import { listMigrations } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import { type CommandContext, CommandError } from './command.ts';

/**
 * The database, for commands that need its tables.
 *
 * @throws CommandError when migrations are to be applied first
 * @throws NewerSchemaError, SettingsError or the driver's error
 */
export async function openMigratedDatabase(context: CommandContext): Promise<Database> {
  const db = await context.openDatabase();
  const missing = (await listMigrations(db)).filter((migration) => !migration.applied);
  if (missing.length === 0) return db;
  const names = missing.map((migration) => migration.name).join(', ');
  throw new CommandError(
    `The database lacks tables this command needs (unapplied: ${names}). Run \`jotgate migrate\` or \`npm run migrate\` first.`,
  );
}
