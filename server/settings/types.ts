import { isIP } from 'node:net';

/** What a setting's text may be, and what it means. */
export interface SettingType<Value> {
  /** What it takes, as the end of a sentence "NAME takes ...". */
  readonly takes: string;
  /** @throws RefusedValue when the text is none of this type */
  parse(text: string): Value;
  /** The value as text that `parse` takes again; passwords in it are masked. */
  show(value: Value): string;
}

/** A text that a setting does not take. Without reasons, what the type takes says all. */
export class RefusedValue extends Error {
  override name = 'RefusedValue';
  readonly reasons: readonly string[];

  constructor(...reasons: string[]) {
    super(reasons.join(' '));
    this.reasons = reasons;
  }
}

const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** A hundred years: every time reckoned with it stays within the years of four digits that the database stores. */
const LONGEST = 36_500 * UNITS.d;

/** A number of seconds, from `least` up to 100 years: `300`, `90s`, `5m`, `12h`, `1d`. Fractions are refused. */
export function duration(least: number): SettingType<number> {
  return {
    takes: `a time from ${showDuration(least)} to 36500d, such as 300 (seconds), 90s, 5m, 12h or 1d`,
    parse(text) {
      const [, digits, unit] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
      const seconds = Number(digits) * UNITS[(unit || 's') as keyof typeof UNITS];
      // A NaN, of a text that does not match, is refused too.
      if (!(seconds >= least && seconds <= LONGEST)) throw new RefusedValue();
      return seconds;
    },
    show: showDuration,
  };
}

function showDuration(seconds: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, length] = units.find(([, unitSeconds]) => seconds > 0 && seconds % unitSeconds === 0) ?? [
    's',
    1,
  ];
  return `${seconds / length}${unit}`;
}

/** A whole number within bounds, both included. */
export function integer(least: number, most: number): SettingType<number> {
  return {
    takes: `a whole number from ${least} to ${most}`,
    parse(text) {
      const value = Number(text);
      if (!/^\d+$/.test(text) || value < least || value > most) throw new RefusedValue();
      return value;
    },
    show: String,
  };
}

/** `true` or `false` in any case, so Python's True and False as well. */
export const boolean: SettingType<boolean> = {
  takes: 'true or false',
  parse(text) {
    const word = text.toLowerCase();
    if (word !== 'true' && word !== 'false') throw new RefusedValue();
    return word === 'true';
  },
  show: String,
};

/** One of some words, as they are written. */
export function choice<const Word extends string>(...words: readonly Word[]): SettingType<Word> {
  return {
    takes: words.length === 1 ? `only ${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new RefusedValue();
      return word;
    },
    show: String,
  };
}

/** Any text that a pattern allows. */
export function text(takes: string, pattern: RegExp): SettingType<string> {
  return {
    takes,
    parse(value) {
      if (!pattern.test(value)) throw new RefusedValue();
      return value;
    },
    show: String,
  };
}

/** What `type` takes, or nothing: then it is null. */
export function optional<Value>(type: SettingType<Value>): SettingType<Value | null> {
  return {
    takes: `${type.takes}, or nothing`,
    parse: (value) => (value === '' ? null : type.parse(value)),
    show: (value) => (value === null ? '' : type.show(value)),
  };
}

/** Comma-separated items, blanks around them dropped. An empty item is refused. */
export function list<Item>(type: SettingType<Item>): SettingType<readonly Item[]> {
  return {
    takes: `a comma-separated list, each item ${type.takes}`,
    parse: (value) => splitAtCommas(value).map((item) => type.parse(item)),
    show: (items) => items.map((item) => type.show(item)).join(','),
  };
}

/** Like `list`, but it may have no items at all. */
export function optionalList<Item>(type: SettingType<Item>): SettingType<readonly Item[]> {
  const items = list(type);
  return {
    ...items,
    takes: `${items.takes}, or nothing`,
    parse: (value) => (value === '' ? [] : items.parse(value)),
  };
}

/** @throws RefusedValue when an item is empty */
export function splitAtCommas(value: string): string[] {
  const items = value.split(',').map((item) => item.trim());
  if (items.includes('')) throw new RefusedValue();
  return items;
}

/** Python's name of a class, of which the last part counts: `rest_framework_simplejwt.tokens.SlidingToken`. */
export const tokenClass = (() => {
  const classes = choice('AccessToken', 'RefreshToken', 'SlidingToken');
  return { ...classes, parse: (path: string) => classes.parse(path.slice(path.lastIndexOf('.') + 1)) };
})();

export type TokenClassName = ReturnType<typeof tokenClass.parse>;

/** A header as Django's `request.META` names it. */
export const headerName = text(
  'a header as Django names it: HTTP_, then capitals, digits and _, such as HTTP_X_ACCESS_TOKEN',
  /^HTTP_[A-Z0-9]+(_[A-Z0-9]+)*$/,
);

/** An authentication scheme: RFC 9110, section 11.1. */
export const headerType = text("a word of letters, digits and !#$%&'*+-.^_`|~", /^[\w!#$%&'*+\-.^`|~]+$/);

/** An address to listen on. */
export const host: SettingType<string> = {
  takes: 'an IP address or a host name, such as 127.0.0.1, 0.0.0.0, :: or localhost',
  parse(value) {
    // Digits and dots alone are a mistyped address, not a name.
    const isName = /^(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(value) && !/^[\d.]+$/.test(value);
    if (!isName && isIP(value) === 0) throw new RefusedValue();
    return value;
  },
  show: String,
};

/** A proxy in front of this server, in the words of proxy-addr, by which Fastify tells them. */
export const proxy: SettingType<string> = {
  takes: 'an IP address, a range such as 10.0.0.0/8, or loopback, linklocal or uniquelocal',
  parse(value) {
    if (['loopback', 'linklocal', 'uniquelocal'].includes(value)) return value;
    const [address = '', bits, ...rest] = value.split('/');
    const version = isIP(address);
    const isRange =
      bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
    if (version === 0 || !isRange || rest.length > 0) throw new RefusedValue();
    return value;
  },
  show: String,
};

/** Where the database is. Its refusals never repeat the text, as a URL may hold a password. */
export const databaseUrl: SettingType<string> = {
  takes:
    'sqlite: and the path of a file, such as sqlite:./data/jotgate.sqlite3, or ' +
    'postgres://user:password@host:5432/database',
  parse(value) {
    const isPostgres = /^postgres(ql)?:\/\/./i.test(value) && URL.canParse(value);
    // As in every URL, a host would stand after two slashes; SQLite has none.
    const isSqlite = /^sqlite:(?!\/\/([^/]|$)).+/.test(value);
    if (!isPostgres && !isSqlite) throw new RefusedValue(`It takes ${databaseUrl.takes}`);
    return value;
  },
  show: (value) =>
    value.replace(/(\/\/[^/@]*:)[^/]*@/, '$1********@').replace(/([?&][a-z]*password=)[^&]*/gi, '$1********'),
};

/** The key of an HMAC: any text but another algorithm's key. It is kept to the byte, blanks and all. */
export const secret: SettingType<string> = {
  takes: 'a random text, best of 64 bytes or more',
  parse(value) {
    if (value.includes('-----BEGIN')) {
      throw new RefusedValue('It takes a random text, and this is a key or certificate in PEM');
    }
    // RFC 7517: only a JSON Web Key, alone or in a set, has "kty".
    if (/^\s*\{[\s\S]*"kty"\s*:/.test(value)) {
      throw new RefusedValue('It takes a random text, and this is a JSON Web Key');
    }
    return value;
  },
  show: (value) => `******** (${value.length} characters)`,
};
