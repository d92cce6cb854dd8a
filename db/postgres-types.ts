import type { CustomTypesConfig } from 'pg';

/** The server's numbers of the types whose values are read otherwise than `pg` does: `pg_type.oid`. */
const READERS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => (text === 't' ? 1 : 0),
  20: Number,
  1184: readTime,
  1700: Number,
};

/**
 * How a connection reads values, so that rows are alike in both databases: a boolean is 0 or 1, a bigint and a sum
 * a number, a time a `SqlTime`. Everything else is read as `pg` reads it by default.
 */
export function valueTypes(defaults: CustomTypesConfig): CustomTypesConfig {
  const getTypeParser = (id: number, format?: 'text' | 'binary') =>
    (format === 'binary' ? undefined : READERS[id]) ?? defaults.getTypeParser(id, format);
  return { getTypeParser: getTypeParser as CustomTypesConfig['getTypeParser'] };
}

/** `2026-11-23 15:02:57.16399+00`, of a session in UTC, with six digits of a fraction or none. */
function readTime(text: string): string {
  const [, moment, fraction] = /^([^.+]+?)(?:\.(\d+))?\+00$/.exec(text) ?? [];
  if (moment === undefined) return text;
  return fraction === undefined ? moment : `${moment}.${fraction.padEnd(6, '0')}`;
}

/** The largest number of the type that ids of users have. */
const LARGEST_INTEGER = 2_147_483_647;

/**
 * What is sent for the values of a query. The server tells the type of each from where it stands, and takes none
 * that the type cannot hold. A number too large for an id is therefore sent as a bigint, for which there is merely no
 * such row; a NUL, which no text there can have, as U+FFFD, as halves of surrogate pairs are.
 */
export function toParameters(sql: string, values: readonly unknown[]): { text: string; values: unknown[] } {
  const isLarge = (value: unknown) => typeof value === 'number' && Math.abs(value) > LARGEST_INTEGER;
  return {
    text: values.some(isLarge)
      ? sql.replace(/\$(\d+)/g, (place, number) =>
          isLarge(values[Number(number) - 1]) ? `cast(${place} as bigint)` : place,
        )
      : sql,
    values: values.map((value) =>
      typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value,
    ),
  };
}
