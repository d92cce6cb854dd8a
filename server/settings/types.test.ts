import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as types from './types.ts';
import { RefusedValue, type SettingType } from './types.ts';

interface Cases {
  type: SettingType<unknown>;
  /** A text, its value, and how that is shown when not as the text was. */
  takes: [text: string, value: unknown, shown?: string][];
  refuses: string[];
}

const anyText = types.text('any text', /./);

const tables: Record<string, Cases> = {
  'a lifetime': {
    type: types.duration(1),
    takes: [
      ['300', 300, '5m'],
      ['301', 301, '301s'],
      ['90s', 90],
      ['5m', 300],
      ['12h', 43_200],
      ['1d', 86_400],
      ['24h', 86_400, '1d'],
      ['36500d', 3_153_600_000],
      ['007', 7, '7s'],
    ],
    refuses: [
      '0',
      '0d',
      '-5',
      '-5m',
      '+5',
      '2.5',
      '2.5m',
      '1e3',
      '5M',
      '5 m',
      'm',
      '5ms',
      '36501d',
      '1w',
      'NaN',
      '9'.repeat(400),
      '٣',
    ],
  },
  'a leeway': {
    type: types.duration(0),
    takes: [
      ['0', 0, '0s'],
      ['0m', 0, '0s'],
      ['3000000000', 3_000_000_000, '50000000m'],
    ],
    refuses: ['-1', '0.5', ''],
  },
  'an integer': {
    type: types.integer(4, 20),
    takes: [
      ['4', 4],
      ['20', 20],
      ['012', 12, '12'],
    ],
    refuses: ['3', '21', '-5', '12.0', '1e1', '0x5', '', 'twelve', '9'.repeat(400)],
  },
  'a boolean': {
    type: types.boolean,
    takes: [
      ['true', true],
      ['false', false],
      ['True', true, 'true'],
      ['False', false, 'false'],
      ['TRUE', true, 'true'],
    ],
    refuses: ['1', '0', 'yes', 'on', 'truefalse', 'none'],
  },
  'a choice': {
    type: types.choice('id', 'username'),
    takes: [
      ['id', 'id'],
      ['username', 'username'],
    ],
    refuses: ['ID', 'i', 'email'],
  },
  'an optional text': {
    type: types.optional(anyText),
    takes: [
      ['', null],
      ['a b', 'a b'],
    ],
    refuses: [],
  },
  'a list': {
    type: types.list(anyText),
    takes: [
      ['a', ['a']],
      [' a , b c ', ['a', 'b c'], 'a,b c'],
    ],
    refuses: ['', ',', 'a,', ',a', 'a,,b', 'a, ,b'],
  },
  'a list that may be empty': {
    type: types.optionalList(anyText),
    takes: [
      ['', []],
      ['a,b', ['a', 'b']],
    ],
    refuses: [',', 'a,'],
  },
  'token classes': {
    type: types.list(types.tokenClass),
    takes: [
      ['AccessToken', ['AccessToken']],
      ['rest_framework_simplejwt.tokens.SlidingToken', ['SlidingToken'], 'SlidingToken'],
      ['AccessToken,x.RefreshToken', ['AccessToken', 'RefreshToken'], 'AccessToken,RefreshToken'],
    ],
    refuses: ['Token', 'tokens.', 'AccessToken.x', 'accesstoken', 'UntypedToken', '__proto__'],
  },
  'a header name': {
    type: types.headerName,
    takes: [
      ['HTTP_AUTHORIZATION', 'HTTP_AUTHORIZATION'],
      ['HTTP_X_ACCESS_TOKEN2', 'HTTP_X_ACCESS_TOKEN2'],
    ],
    refuses: ['Authorization', 'X-Access-Token', 'HTTP_', 'HTTP__X', 'HTTP_x', 'HTTP_X_', 'HTTP_X\n'],
  },
  'header types': {
    type: types.list(types.headerType),
    takes: [['JWT,Token', ['JWT', 'Token']]],
    refuses: ['Bearer Token', 'Bearer:', 'Bär', ''],
  },
  'a host': {
    type: types.host,
    takes: ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost', 'a-b.example'].map((name) => [name, name]),
    refuses: ['http://x', 'x:80', '[::1]', '300.1.1.1', '127.0.0', 'a b', '-x', 'a..b', '.', 'x/y'],
  },
  'a database': {
    type: types.databaseUrl,
    takes: [
      ...['sqlite:./data/x.sqlite3', 'sqlite::memory:', 'sqlite:/abs', 'sqlite:///abs', 'sqlite:x'].map(
        (url): [string, string] => [url, url],
      ),
      ['sqlite:///u:hush@x', 'sqlite:///u:hush@x', 'sqlite:///u:********@x'],
      ['postgres://h/d', 'postgres://h/d'],
      ['postgresql://u@h:5433/d?sslmode=require', 'postgresql://u@h:5433/d?sslmode=require'],
      ['postgres://u:hush@h/d', 'postgres://u:hush@h/d', 'postgres://u:********@h/d'],
      ['postgres://u:hu@sh@h/d', 'postgres://u:hu@sh@h/d', 'postgres://u:********@h/d'],
      [
        'postgres:///d?host=/run/postgresql&password=hush&user=u',
        'postgres:///d?host=/run/postgresql&password=hush&user=u',
        'postgres:///d?host=/run/postgresql&password=********&user=u',
      ],
    ],
    refuses: [
      'sqlite:',
      'sqlite://',
      'sqlite://host/x',
      'sqlite://u:hush@h/x',
      'SQLITE:x',
      './x',
      'mysql://u:hush@h/x',
      'postgres:h/hush',
      'postgres://',
      'postgres://u:hush@h:port/d',
    ],
  },
  'a secret': {
    type: types.secret,
    takes: [
      [' a b ', ' a b ', '******** (5 characters)'],
      ['{"a": 1}', '{"a": 1}', '******** (8 characters)'],
    ],
    refuses: [
      '-----BEGIN PUBLIC KEY-----\nhush',
      '\n-----BEGIN RSA PRIVATE KEY-----\\nhush',
      '{"kty":"oct","k":"hush"}',
      ' {\n"k": "hush", "kty" : "RSA"}',
      '{"keys":[{"kty":"EC"}]}',
    ],
  },
  'a proxy': {
    type: types.proxy,
    takes: [
      ['127.0.0.1', '127.0.0.1'],
      ['10.0.0.0/8', '10.0.0.0/8'],
      ['fd00::/8', 'fd00::/8'],
      ['loopback', 'loopback'],
    ],
    refuses: [
      'true',
      '1',
      '*',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/8/9',
      'proxy.example',
      '300.1.1.1',
      'fd00::/129',
    ],
  },
};

for (const [what, { type, takes, refuses }] of Object.entries(tables)) {
  for (const [text, value, shown = text] of takes) {
    test(`${what} takes ${JSON.stringify(text)}`, () => {
      assert.deepEqual(type.parse(text), value);
      assert.equal(type.show(value), shown);
      if (!shown.includes('****')) assert.deepEqual(type.parse(shown), value);
    });
  }
  for (const text of refuses) {
    test(`${what} refuses ${JSON.stringify(text.slice(0, 50))}`, () => {
      assert.throws(
        () => type.parse(text),
        (error) => error instanceof RefusedValue && !error.message.includes('hush'),
      );
    });
  }
}

test('every type says what it takes', () => {
  assert.deepEqual(
    Object.values(tables).map(({ type }) => type.takes),
    [
      'a time from 1s to 36500d, such as 300 (seconds), 90s, 5m, 12h or 1d',
      'a time from 0s to 36500d, such as 300 (seconds), 90s, 5m, 12h or 1d',
      'a whole number from 4 to 20',
      'true or false',
      'id or username',
      'any text, or nothing',
      'a comma-separated list, each item any text',
      'a comma-separated list, each item any text, or nothing',
      'a comma-separated list, each item AccessToken, RefreshToken or SlidingToken',
      'a header as Django names it: HTTP_, then capitals, digits and _, such as HTTP_X_ACCESS_TOKEN',
      "a comma-separated list, each item a word of letters, digits and !#$%&'*+-.^_`|~",
      'an IP address or a host name, such as 127.0.0.1, 0.0.0.0, :: or localhost',
      'sqlite: and the path of a file, such as sqlite:./data/jotgate.sqlite3, or postgres://user:password@host:5432/database',
      'a random text, best of 64 bytes or more',
      'an IP address, a range such as 10.0.0.0/8, or loopback, linklocal or uniquelocal',
    ],
  );
});
