import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Attack, BODY_DOORS, FORM, PASSWORD, token } from './attack.ts';

let attack: Attack;

before(async () => {
  attack = await Attack.start();
});
after(() => attack.end());

const FORMATS = ['application/json', 'text/html'];
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** Sends a body to every endpoint that takes one, for JSON and for a page, and asks for one of the statuses. */
async function everywhere(type: string, body: string | Uint8Array, ...statuses: number[]): Promise<void> {
  for (const path of BODY_DOORS) {
    for (const accept of FORMATS) {
      const reply = await attack.send(path, { headers: { 'content-type': type, accept }, body });
      assert.ok(
        statuses.includes(reply.status),
        `${path} ${accept} ${type}: ${reply.status} ${reply.body.slice(0, 200)}`,
      );
    }
  }
}

describe('case 25: bodies', () => {
  const bodies: Readonly<Record<string, string | Uint8Array>> = {
    'a list': '[]',
    'a full list': '[{"username": "ada", "password": "x"}]',
    'a boolean': 'true',
    null: 'null',
    'a text': '"text"',
    'a number': '1',
    'a number beyond all numbers': '1e999',
    'fields beyond all numbers': '{"username": 1e999, "password": -1e999, "refresh": 1e999, "token": 1e999}',
    'fields of booleans': '{"username": true, "password": false, "refresh": true, "token": false}',
    'fields of lists': '{"username": [], "password": [1], "refresh": [], "token": ["x"]}',
    'fields of objects': '{"username": {}, "password": {"a": 1}, "refresh": {}, "token": {"toString": 1}}',
    'fields of null': '{"username": null, "password": null, "refresh": null, "token": null}',
    'lone surrogates':
      '{"username": "\\ud800", "password": "\\udfff", "refresh": "\\ud800", "token": "\\ud800"}',
    NULs: '{"username": "\\u0000a", "password": "a\\u0000", "refresh": "a\\u0000b", "token": "a\\u0000b"}',
    '100,000 levels': deep,
    '100,000 levels in a field': `{"username": ${deep}, "password": ${deep}, "refresh": ${deep}, "token": ${deep}}`,
    '100,000 levels of objects': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
    '100,000 levels and no end': '['.repeat(100_000),
    'all inherited': '{"__proto__": {"username": "ada", "password": "x", "refresh": "x", "token": "x"}}',
    'all in a constructor':
      '{"constructor": {"prototype": {"username": "ada", "refresh": "x", "token": "x"}}}',
    'no JSON': 'username=ada',
    'JSON and more': '{} {}',
    NaN: '{"username": NaN}',
    blanks: ' \r\n\t ',
    'invalid UTF-8': Buffer.from([...Buffer.from('{"username": "'), 0xff, 0xfe, ...Buffer.from('"}')]),
    'UTF-16': Buffer.from('{"username": "ada"}', 'utf16le'),
  };
  for (const [name, body] of Object.entries(bodies)) {
    test(`JSON: ${name}`, () => attack.case(25, () => everywhere('application/json', body, 400)));
  }

  const forms: Readonly<Record<string, string | Uint8Array>> = {
    'a percent sign': 'username=%&token=%&refresh=%',
    'percent-encoded invalid UTF-8': 'username=%ff&token=%C3%28&refresh=%ff',
    'percent-encoded surrogates': 'username=%ED%A0%80&token=%ED%A0%80&refresh=%ED%A0%80',
    'invalid UTF-8': Buffer.from([
      ...Buffer.from('username='),
      0xff,
      ...Buffer.from('&token='),
      0xff,
      ...Buffer.from('&refresh='),
      0xff,
    ]),
    NULs: 'username=%00a&password=a%00&token=a%00b&refresh=a%00b',
    prototypes: '__proto__=x&constructor=y&__proto__[token]=x&token[a]=b&refresh[]=x&username[]=x',
    'separators alone': '&&&===&&&',
    '100,000 fields': 'a=b&'.repeat(100_000),
  };
  for (const [name, body] of Object.entries(forms)) {
    test(`a form: ${name}`, () => attack.case(25, () => everywhere(FORM, body, 400)));
  }

  const part = (value: string | Uint8Array) =>
    Buffer.concat(
      ['username', 'password', 'token', 'refresh'].flatMap((field) => [
        Buffer.from(`--b\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n`),
        Buffer.from(value),
        Buffer.from('\r\n'),
      ]),
    );
  const ending = Buffer.from('--b--\r\n');
  const multiparts: Readonly<Record<string, Uint8Array>> = {
    NULs: Buffer.concat([part('a\0b'), ending]),
    'invalid UTF-8': Buffer.concat([part(Buffer.from([0xff, 0xfe])), ending]),
    'no end': part('').subarray(0, 40),
    nothing: ending,
    noise: Buffer.from([0, 255, 254, 13, 10, 45, 45]),
    'a part without a name': Buffer.from('--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n'),
    'a part without headers': Buffer.from('--b\r\n\r\nx\r\n--b--\r\n'),
    'a file': Buffer.from(
      '--b\r\nContent-Disposition: form-data; name="token"; filename="x"\r\n\r\nx\r\n--b--\r\n',
    ),
    'a header of 64 KB': Buffer.from(`--b\r\nX: ${'x'.repeat(65_536)}\r\n\r\nx\r\n--b--\r\n`),
  };
  for (const [name, body] of Object.entries(multiparts)) {
    test(`multipart: ${name}`, () =>
      attack.case(25, () => everywhere('multipart/form-data; boundary=b', body, 400)));
  }
  for (const boundary of [
    '',
    '; boundary=',
    '; boundary=""',
    `; boundary=${'b'.repeat(5_000)}`,
    '; boundary=é',
    '; boundary="',
    '; BOUNDARY=c',
  ]) {
    test(`multipart with ${boundary.slice(0, 20) || 'no boundary'}`, () =>
      attack.case(25, async () => {
        const bytes = Buffer.concat([part('x'), ending]).toString('latin1');
        for (const path of BODY_DOORS) {
          const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data${boundary}\r\n`;
          const { statuses } = await attack.raw(
            Buffer.from(`${head}Content-Length: ${bytes.length}\r\n\r\n${bytes}`, 'latin1'),
          );
          assert.deepEqual(statuses, [400], path);
        }
      }));
  }

  const limit = 1024 * 1024;
  const head = (type: string, length: string) =>
    `POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\n${length}\r\n\r\n`;
  test('of any type, 1 MiB is read and one byte more is not', () =>
    attack.case(25, async () => {
      for (const type of ['application/json', FORM, 'multipart/form-data; boundary=b', 'text/csv']) {
        const { statuses } = await attack.raw(`${head(type, `Content-Length: ${limit + 1}`)}{"username`);
        assert.deepEqual(statuses, [413], type);
      }
      await everywhere('application/json', `"${'x'.repeat(limit - 2)}"`, 400);
    }));
  test('in chunks, without a length, as well', () =>
    attack.case(25, async () => {
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const start = head('application/json', 'Transfer-Encoding: chunked') + chunk.repeat(16);
      assert.deepEqual((await attack.raw(`${start}0\r\n\r\n`)).statuses, [400]);
      assert.deepEqual((await attack.raw(`${start}1\r\nx\r\n`)).statuses, [413]);
    }));
  test('a client that sends all of 4 MiB before it listens is told 413 as well', () =>
    attack.case(25, async () => {
      const answers: unknown[] = [];
      for (let i = 0; i < 20; i += 1) {
        const sent = attack.send('/api/token/', {
          headers: { 'content-type': 'application/json' },
          body: 'x'.repeat(4 * limit),
        });
        answers.push(
          await sent.then(
            ({ status }) => status,
            (error) => error.code,
          ),
        );
      }
      assert.deepEqual([...new Set(answers)], [413]);
    }));
  test('compressed, they are not read', () =>
    attack.case(25, async () => {
      for (const encoding of ['gzip', 'deflate', 'br']) {
        const reply = await attack.send('/api/token/', {
          headers: { 'content-encoding': encoding, 'content-type': 'application/json' },
          body: Buffer.from([31, 139, 8, 0]),
        });
        assert.ok(reply.status === 400 || reply.status === 415, String(reply.status));
      }
    }));

  test('of duplicate keys the last wins, in every type', () =>
    attack.case(25, async () => {
      const good = token();
      const multipart = ['x', good]
        .map((value) => `--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n${value}\r\n`)
        .join('');
      for (const [type, body] of [
        ['application/json', `{"token": "x", "token": "${good}"}`],
        [FORM, `token=x&token=${good}`],
        ['multipart/form-data; boundary=b', `${multipart}--b--\r\n`],
      ] as const) {
        const reply = await attack.send('/api/token/verify/', { headers: { 'content-type': type }, body });
        assert.equal(reply.status, 200, `${type} ${reply.body}`);
      }
    }));

  test('all spellings of one type are validated alike', () =>
    attack.case(25, async () => {
      const spellings = (type: string) => [
        ...[
          type,
          type.toUpperCase(),
          `${type};charset=utf-8`,
          `${type}; charset=UTF-8`,
          `${type} ; charset=utf-8`,
        ],
        ...[
          `${type}\t;charset=utf-8`,
          `${type};`,
          `${type}; charset="utf-8"`,
          `${type}\t`,
          `\t${type}`,
          `${type} `,
        ],
      ];
      for (const [type, bad, empty] of [
        ['application/json', '{"username": [], "password": {}}', '{"username": "", "password": " "}'],
        [FORM, 'username=%00&password=%00', 'username=&password=+'],
      ] as const) {
        for (const accept of FORMATS) {
          for (const body of [bad, empty]) {
            const answers = new Set<string>();
            for (const spelling of spellings(type)) {
              const reply = await attack.send('/api/token/', {
                headers: { 'content-type': spelling, accept: 'application/json' },
                body,
              });
              answers.add(`${reply.status} ${reply.body}`);
              const page = await attack.send('/api/token/', {
                headers: { 'content-type': spelling, accept },
                body,
              });
              assert.equal(page.status, 400, JSON.stringify(spelling));
            }
            assert.equal(answers.size, 1, `${type}: ${[...answers].join('\n')}`);
          }
        }
      }
    }));
});

describe("case 25: what stands for a page's form", () => {
  const submit = (fields: Readonly<Record<string, string>>, path = '/api/token/') =>
    attack.send(path, {
      headers: { 'content-type': FORM, accept: 'text/html' },
      body: new URLSearchParams(fields).toString(),
    });

  for (const [name, content] of [
    ['a list', deep],
    ['a field', `{"username": ${deep}, "password": "x"}`],
    ['a field that is not asked for', `{"username": "ada", "password": "x", "z": ${deep}}`],
  ] as const) {
    test(`raw data of 100,000 levels in ${name}`, () =>
      attack.case(25, async () => {
        for (const path of BODY_DOORS) {
          const { status } = await submit({ _content_type: 'application/json', _content: content }, path);
          assert.ok(status === 400 || status === 401, `${path} ${status}`);
        }
      }));
  }
  test('odd methods, types and tokens', () =>
    attack.case(25, async () => {
      for (const path of [...BODY_DOORS, '/api/', '/api/me/']) {
        for (const fields of [
          { _method: 'TRACE' },
          { _method: '__proto__' },
          { _method: 'constructor' },
          { _method: '\0\r\n' },
          { _method: 'HEAD' },
          { _method: 'x'.repeat(100_000) },
          { _content_type: '', _content: '{}' },
          { _content_type: 'multipart/form-data', _content: '--' },
          { _content_type: 'multipart/form-data; boundary=', _content: '--\r\n' },
          { _content_type: 'application/json', _content: '\ud800' },
          { _content_type: '\0', _content: '\0' },
          { _token: '\0' },
          { _token: 'x'.repeat(100_000) },
          { _token: 'a b c' },
        ]) {
          const { status } = await submit(fields as unknown as Record<string, string>, path);
          assert.ok(status < 500, `${path} ${JSON.stringify(fields).slice(0, 60)}: ${status}`);
        }
      }
    }));
});

const HEAD = 'POST /api/token/verify/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';

describe('case 26: malformed HTTP', () => {
  const body = '{"token": "x"}';
  const rows: readonly (readonly [string, string, number])[] = [
    [
      'Content-Length and Transfer-Encoding',
      `${HEAD}Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two Content-Lengths', `${HEAD}Content-Length: 5\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 400],
    [
      'two equal Content-Lengths',
      `${HEAD}Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      400,
    ],
    ['a Content-Length that is no number', `${HEAD}Content-Length: 1x\r\n\r\n${body}`, 400],
    ['a negative Content-Length', `${HEAD}Content-Length: -1\r\n\r\n${body}`, 400],
    [
      'a chunk size that is no number',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
      400,
    ],
    ['an unknown transfer coding', `${HEAD}Transfer-Encoding: gzip\r\n\r\n${body}`, 400],
    ['a NUL in a header', `${HEAD}X: a\0b\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 400],
    ['a NUL in the path', 'GET /api/\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a bare CR in a header', `${HEAD}X: a\rb\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 400],
    ['a folded header', `${HEAD}X: a\r\n b\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 400],
    ['a blank before the colon', `${HEAD}X : a\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 400],
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['an unknown version', 'GET /api/ HTTP/9.9\r\nHost: a\r\n\r\n', 400],
    ['no Host', 'GET /api/ HTTP/1.1\r\n\r\n', 400],
    ['the start of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
    ['headers over 16 KB', `${HEAD}X: ${'x'.repeat(17 * 1024)}\r\n\r\n`, 431],
    ['a path over 16 KB', `GET /${'x'.repeat(17 * 1024)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    [
      'a thousand headers',
      `${HEAD}${Array.from({ length: 1_000 }, (_, index) => `X-Very-Long-Name-${index}: x\r\n`).join('')}\r\n`,
      431,
    ],
  ];
  for (const [name, bytes, status] of rows) {
    test(`${name}: ${status}`, () =>
      attack.case(26, async () => {
        const { statuses, closed, text } = await attack.raw(Buffer.from(bytes, 'latin1'));
        assert.deepEqual(statuses, [status], text.slice(0, 300));
        assert.ok(closed, 'the connection stays open');
      }));
  }
  test('no second request is smuggled behind a body', () =>
    attack.case(26, async () => {
      const smuggled = 'GET /api/smuggled/ HTTP/1.1\r\nHost: a\r\n\r\n';
      for (const head of [`Content-Length: ${smuggled.length}\r\n`, '']) {
        const { statuses } = await attack.raw(
          `GET /api/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n${head ? smuggled : ''}`,
        );
        assert.deepEqual(statuses, [200]);
      }
    }));
  test('whoever hangs up in the middle is forgotten', () =>
    attack.case(26, async () => {
      for (const bytes of [HEAD, `${HEAD}Content-Length: 100\r\n\r\n{"tok`, 'POST /api', '\r\n']) {
        await attack.raw(bytes, 20);
      }
      const login = JSON.stringify({ username: 'ada', password: PASSWORD });
      await attack.raw(
        `POST /api/token/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${login.length}\r\n\r\n${login}`,
        1,
      );
      await delay(100);
    }));
  test('200 connections that say nothing keep nobody out', () =>
    attack.case(26, async () => {
      const silent = Promise.all(Array.from({ length: 200 }, () => attack.raw(HEAD, 300)));
      await attack.assertServes();
      await silent;
    }));
});

describe('case 27: addresses and methods', () => {
  test('unknown ones in the format that is negotiated', () =>
    attack.case(27, async () => {
      for (const accept of FORMATS) {
        const type = accept === 'text/html' ? /^text\/html/ : /^application\/json$/;
        for (const path of [
          '/nowhere/',
          '/api/nowhere/',
          '/api/token/nowhere/',
          '/api/token/1/',
          '/API/',
          '/static/nowhere.css/',
        ]) {
          const reply = await attack.send(path, { method: 'GET', headers: { accept } });
          assert.equal(reply.status, 404, path);
          assert.match(String(reply.headers['content-type']), type, path);
        }
        for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'LOCK', 'PURGE']) {
          const reply = await attack.send('/api/token/', { method, headers: { accept } });
          assert.equal(reply.status, 405, method);
          assert.equal(reply.headers.allow, 'POST, OPTIONS');
          assert.match(String(reply.headers['content-type']), type, method);
          if (accept === 'text/html') continue;
          assert.deepEqual(JSON.parse(reply.body), { detail: `Method "${method}" not allowed.` });
        }
      }
    }));
  test('a HEAD has the status and headers of its GET, and no body', () =>
    attack.case(27, async () => {
      for (const path of ['/api/', '/api/token/', '/', '/nowhere/', '/static/css/jotgate.css']) {
        const get = await attack.send(path, { method: 'GET' });
        const head = await attack.raw(`HEAD ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        assert.deepEqual(head.statuses, [get.status], path);
        assert.equal(head.text.slice(head.text.indexOf('\r\n\r\n') + 4), '', path);
      }
    }));
  test('addresses of every odd kind', () =>
    attack.case(27, async () => {
      const targets = [
        ...[
          '//',
          '//evil.example/',
          '///',
          '/\\evil.example',
          '/api/token//',
          '/api/./token/',
          '/api/../api/',
          '/api/%2e%2e/',
          '/%',
          '/%zz',
        ],
        ...[
          '/%ff',
          '/%00',
          '/api/token/%00',
          '/;a=b',
          '/api/;',
          '/api/token;/',
          '/?',
          '/?%',
          '/?%ff=%ff',
          '/?format=%ff',
          '/api/?format=json&format=xml',
        ],
        ...[
          '/?__proto__=1&constructor=2',
          '/?format[]=json',
          '/api/?format',
          '*',
          'http://evil.example/',
          'http://evil.example/api/',
          '/é',
          '/static/../package.json',
        ],
        ...[
          '/static/%2e%2e/package.json',
          '/static/..%2fpackage.json',
          '/static/....//package.json',
          '/static/',
          '/static',
          '/static/css',
          '/static/css/',
          '/static/%00',
        ],
        ...['/api/token/?next=//evil.example', `/${'a/'.repeat(5_000)}`, '/api/#fragment', '/api/?a#b'],
      ];
      for (const target of targets) {
        for (const method of ['GET', 'POST', 'OPTIONS', 'HEAD']) {
          const bytes = Buffer.from(
            `${method} ${target} HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nConnection: close\r\n\r\n`,
            'latin1',
          );
          const { statuses, text } = await attack.raw(bytes);
          assert.equal(statuses.length, 1, `${method} ${target}: ${text.slice(0, 100)}`);
          assert.ok(Number(statuses[0]) < 500, `${method} ${target}: ${statuses}`);
          assert.ok(!text.includes('"devDependencies"'), `${target} leads out of the folder`);
          const location = /^location: (.*?)\r$/im.exec(text)?.[1];
          assert.ok(
            location === undefined || /^\/(?![/\\])/.test(location),
            `${method} ${target} leads to ${location}`,
          );
        }
      }
    }));
  test('headers of every odd kind', () =>
    attack.case(27, async () => {
      const odd = [
        '',
        ' ',
        ',',
        ';',
        '"',
        '*/*;;;',
        'a/b;c=d;e="f',
        '\u00ff\u00fe',
        '('.repeat(9_000),
        'text/html;'.repeat(900),
      ];
      for (const name of [
        'Accept',
        'Content-Type',
        'Authorization',
        'Host',
        'Cookie',
        'Origin',
        'X-Forwarded-For',
        'Content-Encoding',
        'Expect',
        'Range',
        'If-None-Match',
        'If-Modified-Since',
      ]) {
        for (const value of odd) {
          const host = name === 'Host' ? '' : 'Host: a\r\n';
          const { statuses } = await attack.raw(
            Buffer.from(
              `POST /api/token/ HTTP/1.1\r\n${host}${name}: ${value}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}`,
              'latin1',
            ),
          );
          assert.ok(Number(statuses[0]) < 500, `${name}: ${value.slice(0, 20)}: ${statuses}`);
        }
      }
    }));
});
