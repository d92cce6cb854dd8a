import pg from 'pg';

/** What a schema is made of, a line each. Of PostgreSQL 18 on, what may not be null is a constraint as well. */
const SCHEMA = `
  select format('column %s.%s %s %s %s default %s', table_name, lpad(ordinal_position::text, 2, '0'), column_name,
    udt_name || coalesce('(' || character_maximum_length || ')', ''),
    case when is_nullable = 'YES' then 'null' else 'not null' end,
    coalesce(column_default, identity_generation || ' as identity', 'none')) as line, table_name
  from information_schema.columns where table_schema = 'public'
  union all
  select format('index %s', indexdef), tablename from pg_indexes where schemaname = 'public'
  union all
  select format('constraint %s on %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid)), conrelid::regclass::text
  from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
  union all
  select format('sequence %s of %s', sequencename, pg_get_serial_sequence(format('public.%I',
    regexp_replace(sequencename, '_id_seq$', '')), 'id')), sequencename from pg_sequences where schemaname = 'public'`;

/** A connection beside the database under test, for a while. */
export async function onConnection<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Everything that Django's part of a schema is made of. Our own indexes on it are left out. */
export function djangoSchemaOf(url: string): Promise<string[]> {
  return onConnection(url, async (client) => {
    const { rows } = await client.query<{ line: string; table_name: string }>(SCHEMA);
    return rows
      .filter(({ line }) => !line.includes('jotgate'))
      .map(({ line }) => line)
      .sort();
  });
}

/** Every row of Django's tables as it is stored, with where on the disk it stands and who wrote it. */
export function djangoRowsOf(url: string): Promise<string> {
  return onConnection(url, async (client) => {
    const { rows: tables } = await client.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public' and tablename not like 'jotgate%' order by 1",
    );
    const contents: unknown[] = [];
    for (const { tablename } of tables) {
      const { rows } = await client.query(`select ctid, xmin, t::text from "${tablename}" t order by ctid`);
      contents.push([tablename, rows]);
    }
    const { rows: sequences } = await client.query(
      "select sequencename, last_value from pg_sequences where sequencename not like 'jotgate%' order by 1",
    );
    return JSON.stringify([contents, sequences]);
  });
}
