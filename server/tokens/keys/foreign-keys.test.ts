import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ForeignKeys } from './foreign-keys.ts';
import { generateMaterial, type PublicJwk, publicJwk } from './key-material.ts';

const MINUTE = 60_000;

let server: Server;
let url: string;
let first: PublicJwk;
let second: PublicJwk;

/** What the other server does, and how often it was asked. */
let answer: (response: ServerResponse, path: string) => void;
let asked = 0;
const errors: unknown[] = [];
let clock = 0;

before(async () => {
  first = publicJwk(await generateMaterial('ES256'), 'first');
  second = publicJwk(await generateMaterial('EdDSA'), 'second');
  server = createServer((request, response) => {
    asked += 1;
    answer(response, request.url ?? '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = 0;
  clock = 0;
  errors.length = 0;
  answerWith(first);
});

function answerWith(...keys: PublicJwk[]): void {
  answer = (response) => response.end(JSON.stringify({ keys }));
}

const open = () =>
  new ForeignKeys({ url, preferred: 'ES256', onError: (error) => errors.push(error), clock: () => clock });

const ES = { alg: 'ES256', kid: 'first' };
const ED = { alg: 'EdDSA', kid: 'second' };

test('a key is fetched once, kept, and then known without waiting', async () => {
  const keys = open();
  assert.equal((await keys.find(ES))?.algorithm, 'ES256');
  const known = keys.find(ES);
  assert.ok(!(known instanceof Promise) && known?.algorithm === 'ES256');
  assert.equal(asked, 1);
});

test('an unknown key is fetched at most once a minute, whatever comes', async () => {
  const keys = open();
  await keys.fetch();
  answerWith(first, second);
  for (const passed of [0, 1_000, 59_999]) {
    clock = passed;
    for (let index = 0; index < 50; index += 1)
      assert.equal(await keys.find({ ...ED, kid: `k${index}` }), undefined);
    assert.equal(await keys.find(ED), undefined);
  }
  assert.equal(asked, 1);
  clock = MINUTE;
  const found = await Promise.all(Array.from({ length: 20 }, () => keys.find(ED)));
  assert.ok(found.every((key) => key?.algorithm === 'EdDSA'));
  assert.equal(asked, 2);
});

test('known keys go on counting while the address is away, for however long', async () => {
  const keys = open();
  await keys.fetch();
  answer = (response) => response.destroy();
  for (let minutes = 1; minutes < 50; minutes += 1) {
    clock = minutes * MINUTE;
    assert.equal((await keys.find(ES))?.algorithm, 'ES256');
    await keys.fetch();
  }
  assert.equal(errors.length, 49);
});

test('after five minutes they are fetched anew, and nobody waits: a key that is gone counts no more', async () => {
  const keys = open();
  await keys.fetch();
  answerWith(second);
  clock = 5 * MINUTE;
  assert.ok(!(keys.find(ES) instanceof Promise));
  await keys.fetch();
  assert.equal(asked, 2);
  assert.equal(await keys.find(ES), undefined);
});

describe('nothing is fetched for a token', () => {
  for (const [what, header] of [
    ['without a kid', { alg: 'ES256' }],
    ['with an empty one', { alg: 'ES256', kid: '' }],
    ['with one that is no text', { alg: 'ES256', kid: 7 }],
    ['with one that is too long', { alg: 'ES256', kid: 'x'.repeat(256) }],
    ['of HMAC', { alg: 'HS256', kid: 'x' }],
    ['without an algorithm', { kid: 'x' }],
    ['whose algorithm is a list', { alg: ['ES256'], kid: 'x' }],
  ] as const) {
    test(what, async () => {
      assert.equal(await open().find(header), undefined);
      assert.equal(asked, 0);
    });
  }
});

test('where a token says its keys are is never asked', async () => {
  const keys = open();
  const paths: string[] = [];
  answer = (response, path) => {
    paths.push(path);
    response.end(JSON.stringify({ keys: [first] }));
  };
  const other = url.replace('/keys', '/evil');
  await keys.find({ alg: 'ES256', kid: 'x', jku: other, x5u: other, jwk: second });
  assert.deepEqual(paths, ['/keys']);
});

describe('an answer that is not taken, and harms nothing that is known:', () => {
  const bad: Readonly<Record<string, (response: ServerResponse) => void>> = {
    'a redirect': (response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    'another status': (response) => response.writeHead(404).end('{"keys":[]}'),
    'no JSON': (response) => response.end('<html>'),
    'no set': (response) => response.end('[]'),
    'too much': (response) => response.end(JSON.stringify({ keys: [], filler: 'x'.repeat(300_000) })),
    'too much, without saying how much': (response) => {
      const more = () => response.write('x'.repeat(10_000), () => setImmediate(more));
      more();
    },
    'a broken connection': (response) => response.destroy(),
  };
  for (const [what, act] of Object.entries(bad)) {
    test(what, async () => {
      const keys = open();
      await keys.fetch();
      answer = act;
      await keys.fetch();
      assert.equal(asked, 2);
      assert.equal(errors.length, 1);
      assert.equal((await keys.find(ES))?.algorithm, 'ES256');
    });
  }
});

test('an answer that never comes is not waited for beyond a deadline', async () => {
  const keys = new ForeignKeys({
    url,
    preferred: 'ES256',
    onError: (error) => errors.push(error),
    deadline: 100,
  });
  answer = () => {};
  const started = performance.now();
  assert.equal(await keys.find(ES), undefined);
  assert.ok(performance.now() - started < 4_000);
  assert.equal(errors.length, 1);
});

test('closing ends what is on its way, without a word', async () => {
  const keys = open();
  answer = () => {};
  const fetching = keys.fetch();
  keys.close();
  await fetching;
  assert.deepEqual(errors, []);
});
