import pg from 'pg';
import { connect } from '../db/connect.ts';
import { withDatabase } from '../db/database.fixture.ts';
import { migrate } from '../db/migrate.ts';

/** What a migration fills. Whoever changes it spoils a database for the next test. */
const SEEDED = ['django_migrations', 'django_content_type', 'auth_permission', 'jotgate_migration'];

/**
 * Empties a database again, which takes a tenth of the time that making one takes. It refuses where a test changed more
 * than rows: tables, functions, triggers, or what a migration fills.
 */
const RESET = `
  create schema testing;
  create function testing.seeded() returns text[] language sql immutable
    as $$ select array[${SEEDED.map((table) => `'${table}'`).join(', ')}] $$;
  create function testing.fingerprint() returns text language sql as $$
    select concat_ws(' ',
      (select count(*) from pg_class where relnamespace = 'public'::regnamespace),
      (select concat(count(*), ' ', sum(atttypid::bigint)) from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'public'::regnamespace and not attisdropped),
      (select count(*) from pg_proc where pronamespace = 'public'::regnamespace),
      (select count(*) from pg_trigger where not tgisinternal),
      (select string_agg(last_value::text, ',' order by sequencename) from pg_sequences
        where regexp_replace(sequencename, '_id_seq$', '') = any (testing.seeded())),
      ${SEEDED.map((table) => `(select md5(string_agg(t::text, ',' order by t::text)) from public."${table}" t)`).join(',\n')})
  $$;
  create table testing.origin as select testing.fingerprint() as fingerprint;
  create function testing.reset() returns void language plpgsql as $$
    declare name text;
    begin
      if testing.fingerprint() <> (select fingerprint from testing.origin) then
        raise exception 'this database was changed for good';
      end if;
      -- What is deleted is looked for in all that refer to it: of many rows that takes longer than new files do.
      if exists (select from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
        and pg_relation_size(oid) > 262144) then
        execute (select 'truncate ' || string_agg(format('public.%I', tablename), ', ') from pg_tables
          where schemaname = 'public' and tablename <> all (testing.seeded()));
      else
        for name in select tablename from pg_tables
          where schemaname = 'public' and tablename <> all (testing.seeded()) loop
          execute format('delete from public.%I', name);
        end loop;
      end if;
      for name in select sequencename from pg_sequences where schemaname = 'public' and last_value is not null
        and regexp_replace(sequencename, '_id_seq$', '') <> all (testing.seeded()) loop
        perform setval(format('public.%I', name)::regclass, 1, false);
      end loop;
    end $$;`;

/**
 * Makes the migrated database that each test gets a copy of.
 *
 * @param server the URL of the database `postgres` of the server
 * @returns its URL, which goes into TEST_DATABASE
 */
export async function makeTemplate(server: string): Promise<string> {
  await run(
    server,
    'create table idle_database (name text primary key)',
    'create database jotgate_template template template0',
  );
  const url = withDatabase(server, 'jotgate_template');
  const db = connect(url);
  await migrate(db);
  await db.destroy();
  await run(url, RESET);
  return url;
}

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
