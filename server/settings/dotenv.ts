import { parseEnv } from 'node:util';
import { nearestName } from './nearest-name.ts';

/** What can be a name. A longer one is a piece of a value that spreads over several lines without quotes. */
const NAME = /^[A-Za-z_]\w{0,39}$/;

export interface Dotenv {
  values: ReadonlyMap<string, string>;
  problems: string[];
}

/**
 * Reads the text of a `.env` file, of which every name must be a known one: a mistyped setting would silently not be
 * set. A problem never repeats a value, which may be a secret.
 */
export function readDotenv(text: string, known: readonly string[]): Dotenv {
  // Windows' editors begin a file with a byte order mark.
  const file = text.replace(/^\uFEFF/, '');
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(parseEnv(file))) values.set(name, value ?? '');
  const unknown = [...values.keys()].filter((name) => !known.includes(name));
  return {
    values,
    problems: [
      ...findIdleLines(file, known, values),
      ...unknown.filter((name) => NAME.test(name)).map((name) => rejectName(name, known)),
    ],
  };
}

/** Lines that set nothing, as their = or a closing quote is missing. */
function findIdleLines(
  file: string,
  known: readonly string[],
  values: ReadonlyMap<string, string>,
): string[] {
  const lines = [...file.matchAll(/^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*(=?)/gm)];
  const idle = lines.filter(([, name = '']) => known.includes(name) && !values.has(name));
  const explain = ([, name]: readonly string[]) =>
    `${name} stands in the .env file on a line that does not set it: write ${name}=value`;
  const withoutSign = idle.filter(([, , sign]) => sign === '');
  if (withoutSign.length > 0) return withoutSign.map(explain);
  // parseEnv takes such a line for the beginning of the next line's name: the next line is right, and this may be secret.
  if ([...values.keys()].every((name) => NAME.test(name))) return idle.map(explain);
  return ['The .env file has a line that is no NAME=value; it is not shown, as it may be secret'];
}

function rejectName(name: string, known: readonly string[]): string {
  const nearest = nearestName(name.toUpperCase(), known);
  return `${name} in the .env file is no setting${nearest ? `: is ${nearest} meant?` : ''}`;
}
