import { AppError, type Json } from '../errors.ts';
import { CommandError } from './command.ts';

/**
 * What to tell people about an error that a command can be expected to end with; null when the error is a fault of
 * the program. One line, but for wrong settings, which are one line each.
 */
export async function explainFailure(error: unknown): Promise<string | null> {
  if (error instanceof CommandError) return `CommandError: ${error.message}`;
  if (error instanceof AppError) return `Error: ${textsOf(error.body).join('; ')}`;
  if (!(error instanceof Error)) return null;
  // Known by name: their modules take time to load, and a command without a failure does without.
  if (error.name === 'NewerSchemaError' || error.name === 'KeyRingError') return error.message;
  if (error.name === 'SettingsError') return error.message;
  if (error.name === 'DatabaseAwayError') return `${error.message}: see DATABASE_URL`;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  if (typeof code !== 'string') return null;
  if (code.startsWith('SQLITE_') || typeof severity === 'string')
    return `The database cannot be used: ${error.message} (${code})`;
  return /^E[A-Z]+$/.test(code) ? error.message : null;
}

function textsOf(body: Json): string[] {
  if (typeof body === 'string') return [body];
  return body !== null && typeof body === 'object' ? Object.values(body).flatMap(textsOf) : [];
}
