import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { type SampleRequest, samplesOf } from './samples.ts';

const URL_WITH_QUERY = "http://127.0.0.1:8000/api/token/?a=b&c='d'$(id)";

/** Texts that a shell, JavaScript, Python or HTTPie would take for more than text. */
const NASTY: readonly string[] = [
  'plain',
  '',
  ' ',
  "it's",
  "''",
  '"double"',
  '$(touch /tmp/x) `id` $HOME $IFS',
  'a; rm -rf / & | > < ! * ? ~ #',
  'back\\slash \\n \\\\',
  'line\nbreak\r\ttab',
  '-X --data @x',
  'é 😀 \u2028 \u0001',
  "'; echo pwned; '",
  '</code><script>',
  '\'\'\' """ {x} %s',
];

/** Those that HTTPie or curl would read a file for, or take for another kind of item. */
const TRICKY: readonly string[] = ['@/etc/passwd', '=x', '==', ':x', ':=1', ';', '\\'];

function sample(id: string, request: Partial<SampleRequest>): string {
  const code = samplesOf({ method: 'POST', url: URL_WITH_QUERY, headers: [], body: null, ...request });
  return code.find((one) => one.id === id)?.code ?? '';
}

/** The words that a POSIX shell makes of a command: each printed with a NUL behind it. */
function words(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }; http() { curl "$@"; }; ${command}`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1);
}

test('four samples, each with a label', () => {
  const samples = samplesOf({ method: 'GET', url: 'http://a/', headers: [], body: null });
  assert.deepEqual(
    samples.map(({ id }) => id),
    ['curl', 'httpie', 'fetch', 'requests'],
  );
  assert.equal(new Set(samples.map(({ label }) => label)).size, 4);
});

describe('a shell takes every text as it is', () => {
  for (const text of [...NASTY, ...TRICKY]) {
    test(JSON.stringify(text), () => {
      const headers = [['X-Token', `Bearer ${text}`]] as const;
      assert.deepEqual(words(sample('curl', { headers, body: { form: { username: text } } })), [
        ...['-X', 'POST', URL_WITH_QUERY],
        ...['-H', `X-Token: Bearer ${text}`],
        ...['--data-urlencode', `username=${text}`],
      ]);
      assert.deepEqual(words(sample('curl', { body: { json: { username: text } } })), [
        ...['-X', 'POST', URL_WITH_QUERY],
        ...['-H', 'Content-Type: application/json'],
        ...['--data', JSON.stringify({ username: text })],
      ]);
      const [method, url, item] = words(sample('httpie', { body: { json: { username: text } } }));
      assert.deepEqual([method, url], ['POST', URL_WITH_QUERY]);
      assert.equal(item, 'Content-Type:application/json');
      assert.equal(
        words(sample('httpie', { body: { json: { username: text } } })).at(-1),
        JSON.stringify({ username: text }),
      );
    });
  }
  test('an address', () => {
    for (const text of NASTY)
      assert.equal(words(sample('curl', { url: `http://a/${text}` }))[2], `http://a/${text}`);
  });
});

/** The separators of HTTPie's request items and what they make of one, the longest first. */
const SEPARATORS = [':=@', ':@', '=@', ':=', '==', ':', '=', '@', ';'];

/** An item of HTTPie's command line as its `KeyValueArgType` reads it: a backslash takes a separator's meaning away. */
function httpieItem(text: string): { key: string; separator: string; value: string } {
  const pieces: { text: string; escaped: boolean }[] = [{ text: '', escaped: false }];
  const characters = [...text];
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] as string;
    const last = pieces.at(-1) as { text: string };
    const next = characters[index + 1] ?? '';
    if (character !== '\\') last.text += character;
    else if (next !== '' && '@:=;'.includes(next)) {
      pieces.push({ text: next, escaped: true }, { text: '', escaped: false });
      index += 1;
    } else {
      last.text += character + next;
      index += 1;
    }
  }
  for (const [index, piece] of pieces.entries()) {
    if (piece.escaped) continue;
    const found = SEPARATORS.map((separator) => ({ separator, at: piece.text.indexOf(separator) })).filter(
      ({ at }) => at >= 0,
    );
    const first = Math.min(...found.map(({ at }) => at));
    const separator = found.find(({ at }) => at === first)?.separator;
    if (separator === undefined) continue;
    const before = pieces.slice(0, index).map((one) => one.text);
    const behind = pieces.slice(index + 1).map((one) => one.text);
    return {
      key: before.join('') + piece.text.slice(0, first),
      separator,
      value: piece.text.slice(first + separator.length) + behind.join(''),
    };
  }
  throw new Error(`${text} is no item`);
}

describe('HTTPie sends every field as it is, and reads no file', () => {
  for (const text of [...NASTY, ...TRICKY]) {
    test(JSON.stringify(text), () => {
      const [flag, method, url, item = ''] = words(sample('httpie', { body: { form: { username: text } } }));
      assert.deepEqual([flag, method, url], ['--form', 'POST', URL_WITH_QUERY]);
      assert.deepEqual(httpieItem(item), { key: 'username', separator: '=', value: text });
    });
  }
  test('headers are headers', () => {
    const item = words(sample('httpie', { headers: [['Authorization', 'Bearer a.b-c_d']] })).at(-1) as string;
    assert.deepEqual(httpieItem(item), { key: 'Authorization', separator: ':', value: 'Bearer a.b-c_d' });
  });
});

describe('JavaScript', () => {
  async function run(code: string) {
    const calls: { url: string; method?: string; headers?: Record<string, string>; body?: unknown }[] = [];
    const fetch = async (url: string, options: object) => {
      calls.push({ url, ...options });
      return { status: 200, json: async () => ({}) };
    };
    const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
    await new AsyncFunction('fetch', 'console', code)(fetch, { log: () => {} });
    const [call] = calls;
    assert.ok(call);
    return {
      ...call,
      body: call.body instanceof URLSearchParams ? Object.fromEntries(call.body) : call.body,
    };
  }

  test('sends a form', async () => {
    for (const text of [...NASTY, ...TRICKY]) {
      const code = sample('fetch', { headers: [['X', text]], body: { form: { [text]: text } } });
      assert.deepEqual(await run(code), {
        url: URL_WITH_QUERY,
        method: 'POST',
        headers: { X: text },
        body: { [text]: text },
      });
    }
  });
  test('sends JSON', async () => {
    for (const value of [...NASTY, null, true, [1, { a: null }], { 'a\nb': "it's" }]) {
      const call = await run(sample('fetch', { body: { json: value } }));
      assert.deepEqual(call.headers, { 'Content-Type': 'application/json' });
      assert.deepEqual(JSON.parse(call.body as string), value);
    }
  });
  test('sends nothing where there is nothing', async () => {
    assert.deepEqual(await run(sample('fetch', { method: 'GET' })), {
      url: URL_WITH_QUERY,
      method: 'GET',
      body: undefined,
    });
    assert.doesNotMatch(sample('fetch', { method: 'HEAD' }), /json\(\)/);
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;

/** What the sample would have passed to `requests.request`, as Python itself reads it. */
function python(code: string): unknown {
  const script = `
import json, sys, types
calls = []
class Response:
    status_code = 200
    def json(self): return {}
def request(*args, **kwargs):
    kwargs.pop('x', None)
    calls.append([list(args), {k: v.decode() if isinstance(v, bytes) else v for k, v in kwargs.items()}])
    return Response()
sys.modules['requests'] = types.SimpleNamespace(request=request)
source = sys.stdin.buffer.read().decode()
exec(source, {'print': lambda *a: None})
sys.stdout.write(json.dumps(calls[0]))
`;
  return JSON.parse(execFileSync('python3', ['-X', 'utf8', '-c', script], { input: code, encoding: 'utf8' }));
}

describe('Python', () => {
  const bodies = [...NASTY, ...TRICKY].map((text) => ({ form: { [text]: text } }));
  for (const body of bodies) {
    test(`sends a form of ${JSON.stringify(Object.keys(body.form)[0])}`, (context) => {
      if (!hasPython) return context.diagnostic('there is no Python here to read it');
      const code = sample('requests', { headers: [['X', 'y']], body });
      assert.deepEqual(python(code), [['POST', URL_WITH_QUERY], { data: body.form, headers: { X: 'y' } }]);
    });
  }
  test('sends JSON', (context) => {
    if (!hasPython) return context.diagnostic('there is no Python here to read it');
    const value = { a: [null, true, false, -1.5, 1e21, 'é😀'], b: { c: {} }, 'd"': [] };
    assert.deepEqual(python(sample('requests', { body: { json: value } })), [
      ['POST', URL_WITH_QUERY],
      { json: value },
    ]);
    assert.deepEqual(python(sample('requests', { body: { json: [] } })), [
      ['POST', URL_WITH_QUERY],
      { json: [] },
    ]);
  });
  test('its literals are Python’s', () => {
    const code = sample('requests', { body: { json: { a: [null, true, false, 1, 'x'] } } });
    assert.match(code, /json=\{"a": \[None, True, False, 1, "x"\]\}/);
  });
});

test('a HEAD is asked for by --head', () => {
  assert.deepEqual(words(sample('curl', { method: 'HEAD', url: 'http://a/' })), ['--head', 'http://a/']);
});
