import type { SqlTime } from '../../../db/values.ts';
import { toSqlTime } from '../../../db/values.ts';

const ISO =
  /^(?<moment>(?<date>\d{4}-\d\d-\d\d)[T ]\d\d:\d\d(?::\d\d)?)(?:[.,](?<fraction>\d{1,9}))?\s?(?<offset>Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * Reads a time of ISO 8601, down to the microsecond: `2026-03-04T05:06:07.089123+02:00`. Without an offset it is UTC.
 *
 * @returns null for what is no time, or none between the years 1 and 9999
 */
export function isoToSqlTime(text: string): SqlTime | null {
  const { moment, date, fraction = '', offset = 'Z' } = ISO.exec(text)?.groups ?? {};
  if (moment === undefined || date === undefined) return null;
  // An hour of minutes is put behind an offset of hours alone.
  const zone = offset
    .toUpperCase()
    .replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`);
  const time = new Date(`${moment.replace(' ', 'T')}${zone}`);
  if (Number.isNaN(time.getTime()) || !isDate(date)) return null;
  const year = time.getUTCFullYear();
  if (year < 1 || year > 9999) return null;
  const microseconds = fraction.slice(0, 6).padEnd(6, '0');
  return microseconds === '000000' ? toSqlTime(time) : `${toSqlTime(time)}.${microseconds}`;
}

/**
 * A time of the database as Django's serializer writes it, `2026-03-04T05:06:07.089Z`, but with microseconds where
 * there are any. A text that is no time, such as another program may have written, is given as it is.
 */
export function sqlTimeToIso(time: SqlTime): string {
  const [, moment, fraction = ''] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(time) ?? [];
  if (moment === undefined) return time;
  const digits = fraction.padEnd(6, '0').replace(/000$/, '').replace(/^000$/, '');
  return `${moment.replace(' ', 'T')}${digits === '' ? '' : `.${digits}`}Z`;
}

/** JavaScript takes the 30th of February for a day of March. */
function isDate(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
}
