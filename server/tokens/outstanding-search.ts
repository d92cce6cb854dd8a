import { type RawBuilder, sql } from 'kysely';
import { byDialect } from '../../db/by-dialect.ts';
import { type Condition, isLarge, prefixRange } from '../../db/find-page.ts';
import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import type { TokenState } from './outstanding.ts';

/** By what outstanding tokens can be ordered; an index answers each. */
export const OUTSTANDING_ORDERS = {
  jti: sql.ref('jti'),
  user: sql.ref('user_id'),
  created: sql.ref('created_at'),
  expires: sql.ref('expires_at'),
} as const satisfies Record<string, RawBuilder<unknown>>;

/** By what the blacklist can be ordered. */
export const BLACKLISTED_ORDERS = { blacklisted: sql.ref('blacklisted_at') } as const;

/** How words are looked for: where a text begins, by an index, or anywhere in it where there are few. */
interface Reading {
  jti(column: string, word: string): RawBuilder<unknown>;
  username(word: string): RawBuilder<unknown>;
}

/**
 * What is asked of outstanding tokens by a search: for each word that the token's id or its owner's name begins with
 * it, or has it anywhere where there are few to look through, or that it is the owner's id.
 */
export async function searchOutstanding(db: Database, words: readonly string[]): Promise<Condition[]> {
  const { jti, username } = await readingFor(db);
  return words.map((word) => {
    const id = idIn(word);
    const ofId = id === null ? [] : [sql`user_id = ${id}`];
    return {
      anyOf: [
        jti('jti', word),
        {
          through: sql`select id from auth_user where ${username(word)}`,
          // In this order of the tables, for the names are what an index finds.
          ids: (users: RawBuilder<unknown>) => sql`select token.id from (${users}) as owner
            cross join token_blacklist_outstandingtoken as token where token.user_id = owner.id`,
        },
        ...ofId,
      ],
      indexed: true,
      ofOneRow: anyOf([
        jti('jti', word),
        sql`exists (select 1 from auth_user
          where auth_user.id = token_blacklist_outstandingtoken.user_id and ${username(word)})`,
        ...ofId,
      ]),
    };
  });
}

/** As `searchOutstanding`, for entries of the blacklist: by way of the tokens that fit a word. */
export async function searchBlacklisted(db: Database, words: readonly string[]): Promise<Condition[]> {
  const { jti, username } = await readingFor(db);
  return words.map((word) => {
    const id = idIn(word);
    const ways = [
      sql`select id from token_blacklist_outstandingtoken where ${jti('jti', word)}`,
      sql`select token.id from auth_user cross join token_blacklist_outstandingtoken as token
        where token.user_id = auth_user.id and ${username(word)}`,
      ...(id === null ? [] : [sql`select id from token_blacklist_outstandingtoken where user_id = ${id}`]),
    ];
    return {
      anyOf: ways.map((through) => ({ through, ids: entriesOf })),
      indexed: true,
      ofOneRow: sql`exists (select 1 from token_blacklist_outstandingtoken as token
        where token.id = token_blacklist_blacklistedtoken.token_id and ${anyOf([
          jti('token.jti', word),
          sql`exists (select 1 from auth_user where auth_user.id = token.user_id and ${username(word)})`,
          ...(id === null ? [] : [sql`token.user_id = ${id}`]),
        ])})`,
    };
  });
}

/**
 * The ids of the entries that some tokens have on the blacklist, each one at most. Postgres would rather go through all
 * entries, unless each is a query of its own.
 *
 * @param tokens a query of the ids of tokens
 */
export function entriesOf(tokens: RawBuilder<unknown>): RawBuilder<unknown> {
  return byDialect({
    sqlite: sql`select entry.id from (${tokens}) as token
      cross join token_blacklist_blacklistedtoken as entry where entry.token_id = token.id`,
    postgres: sql`select entry.id from (${tokens}) as token
      cross join lateral (select id from token_blacklist_blacklistedtoken where token_id = token.id limit 1) as entry`,
  });
}

/**
 * What is asked of outstanding tokens by their state. Those that are on the blacklist are among the expired ones too.
 * No index knows what is not on the blacklist, so that is a condition of its own.
 */
export function inState(state: TokenState, now: Date): Condition[] {
  const time = toSqlTime(now);
  const byExpiry = { indexed: true, by: sql.ref('expires_at') };
  const onBlacklist = sql`exists (select 1 from token_blacklist_blacklistedtoken
    where token_id = token_blacklist_outstandingtoken.id)`;
  switch (state) {
    case 'alive':
      return [
        { anyOf: [sql`expires_at > ${time}`], ...byExpiry },
        { anyOf: [sql`not ${onBlacklist}`], indexed: false },
      ];
    case 'expired':
      return [{ anyOf: [sql`expires_at <= ${time}`], ...byExpiry }];
    case 'blacklisted':
      return [
        {
          anyOf: [sql`id in (select token_id from token_blacklist_blacklistedtoken)`],
          indexed: true,
          by: sql.ref('id'),
          // Asked of one row, `in` would have Postgres go through the whole blacklist for it, if that is large.
          ofOneRow: onBlacklist,
        },
      ];
  }
}

async function readingFor(db: Database): Promise<Reading> {
  const [manyTokens, manyUsers] = await Promise.all([
    isLarge(db, 'token_blacklist_outstandingtoken'),
    isLarge(db, 'auth_user'),
  ]);
  return {
    jti: (column, word) => (manyTokens ? prefixRange : contains)(sql.ref<string>(column), word),
    username: (word) =>
      (manyUsers ? prefixRange : contains)(sql`lower(auth_user.username)`, asciiLower(word)),
  };
}

function contains(expression: RawBuilder<string>, text: string): RawBuilder<unknown> {
  const pattern = `%${text.toWellFormed().replace(/[\\%_]/g, '\\$&')}%`;
  return sql`lower(${expression}) like lower(${pattern}) escape ${'\\'}`;
}

function anyOf(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`(${sql.join([...conditions], sql` or `)})`;
}

/** The id that a word is; null where it can be none. */
function idIn(word: string): number | null {
  return /^\d{1,15}$/.test(word) ? Number(word) : null;
}

/** In lower case as the database has it, where `lower` knows ASCII alone. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
