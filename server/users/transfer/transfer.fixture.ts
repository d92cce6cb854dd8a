import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Database } from '../../../db/statement.ts';
import { settingsOf } from '../../../e2e/settings-of.ts';
import type { FileRecord } from './file-record.ts';
import type { TransferFormat } from './formats.ts';
import type { ImportOptions, ImportRequest } from './import-options.ts';
import type { ImportReport } from './import-report.ts';
import { importUsers } from './import-users.ts';

export const NOW = new Date('2026-03-04T05:06:07.089Z');

/** A hash as Django writes it; nobody has tried what it is of. */
export const HASH = 'pbkdf2_sha256$1000000$saltsaltsalt$j9tjFYgTIrLxhcqvEI+KCuDCuH+sXLgMOgJx5siuVnM=';

export interface Imported {
  report: ImportReport;
  /** `place name: outcome: reason`. */
  problems: string[];
}

export interface How extends Partial<ImportOptions> {
  format?: TransferFormat;
  onRead?: ImportRequest['onRead'];
  signal?: AbortSignal;
}

/** Imports a text as if it were a file. */
export async function importText(db: Database, text: string | Buffer, how: How = {}): Promise<Imported> {
  const folder = mkdtempSync(join(tmpdir(), 'jotgate-transfer-'));
  const path = join(folder, 'users');
  const problems: string[] = [];
  try {
    writeFileSync(path, text);
    const report = await importUsers(db, {
      path,
      format: how.format ?? 'json',
      name: 'users.json',
      options: { update: false, newIds: false, dryRun: false, ...how },
      settings: settingsOf(),
      origin: { via: 'command', actor: { id: null, name: 'zoe' } },
      now: NOW,
      onRead: how.onRead ?? (() => {}),
      onProblem: ({ place, name, outcome, reason }) =>
        problems.push(`${place} ${name}: ${outcome}: ${reason}`),
      signal: how.signal ?? new AbortController().signal,
    });
    return { report, problems };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A record of a user as `dumpdata` writes it. */
export function dumped(username: string, fields: Record<string, unknown> = {}, pk?: unknown) {
  return {
    model: 'auth.user',
    ...(pk !== undefined && { pk }),
    fields: { username, password: HASH, ...fields },
  };
}

/** Every user and group with everything that belongs to them, but for the ids of the links between them. */
export async function contents(db: Database) {
  const users = await db.selectFrom('auth_user').selectAll().orderBy('id').execute();
  const groups = await db.selectFrom('auth_group').selectAll().orderBy('id').execute();
  const links = async (table: string, one: string, other: string) =>
    (
      await sql<object>`select ${sql.ref(one)}, ${sql.ref(other)} from ${sql.table(table)}
        order by ${sql.ref(one)}, ${sql.ref(other)}`.execute(db)
    ).rows;
  return {
    users,
    groups,
    members: await links('auth_user_groups', 'user_id', 'group_id'),
    grants: await links('auth_user_user_permissions', 'user_id', 'permission_id'),
    groupGrants: await links('auth_group_permissions', 'group_id', 'permission_id'),
  };
}

export async function collected(records: AsyncIterable<FileRecord>): Promise<FileRecord[]> {
  const all: FileRecord[] = [];
  for await (const record of records) all.push(record);
  return all;
}

/** A text in pieces of some length. */
export async function* inPieces(text: string, length = text.length || 1): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}
