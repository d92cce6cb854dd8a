/**
 * A time as Django writes it: `YYYY-MM-DD HH:MM:SS.ffffff` in UTC. The fraction is absent when it is zero.
 */
export type SqlTime = string;

/** A boolean as SQLite keeps it, and as Django reads it back. */
export type SqlBoolean = 0 | 1;

/** Formats a moment the way Django's SQLite backend does (`str()` of a naive UTC datetime). */
export function toSqlTime(moment: Date): SqlTime {
  const text = moment.toISOString().replace('T', ' ').slice(0, -1);
  return text.endsWith('.000') ? text.slice(0, -4) : `${text}000`;
}

/** Reads a time of the database. Digits below a millisecond are cut, for a Date cannot hold them. */
export function fromSqlTime(text: SqlTime): Date {
  return new Date(`${text.replace(' ', 'T').slice(0, 23)}Z`);
}

/** Formats seconds since the epoch, the unit of a token's `exp` and `iat`. */
export function epochToSqlTime(seconds: number): SqlTime {
  return toSqlTime(new Date(seconds * 1000));
}

export function toSqlBoolean(value: boolean): SqlBoolean {
  return value ? 1 : 0;
}
