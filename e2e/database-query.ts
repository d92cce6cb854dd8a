import { existsSync, readFileSync } from 'node:fs';
import { CompiledQuery } from 'kysely';
import { isPostgres } from '../db/by-dialect.ts';
import { connect, isPostgresUrl, sqlitePath } from '../db/connect.ts';

/**
 * Runs one statement on a database, as another program would, on a connection of its own.
 *
 * @param statement in SQL that both databases know, with a `?` for each value
 */
export async function queryDatabase<Row>(
  url: string,
  statement: string,
  ...values: readonly unknown[]
): Promise<Row[]> {
  const db = connect(url, { poolSize: 2 });
  try {
    let count = 0;
    const numbered = () => {
      count += 1;
      return `$${count}`;
    };
    const text = isPostgres(db) ? statement.replace(/\?/g, numbered) : statement;
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...values]));
    return rows;
  } finally {
    await db.destroy();
  }
}

/** Everything that a database keeps: the bytes of its files, or of Postgres every value of every table, as text. */
export async function storedText(url: string): Promise<string> {
  if (!isPostgresUrl(url)) {
    const files = ['', '-wal', '-shm'].map((end) => sqlitePath(url) + end).filter(existsSync);
    return files.map((file) => readFileSync(file, 'latin1')).join('\n');
  }
  const tables = await queryDatabase<{ name: string }>(
    url,
    "select table_name as name from information_schema.tables where table_schema = 'public'",
  );
  const contents: unknown[] = [];
  for (const { name } of tables) contents.push(await queryDatabase(url, `select * from "${name}"`));
  return JSON.stringify(contents);
}
