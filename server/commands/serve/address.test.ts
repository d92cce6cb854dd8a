import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { CommandError, UsageError } from '../command.ts';
import { type Address, addressText, parseAddress, tryAddress, urlOf } from './address.ts';

const FALLBACK: Address = { host: '10.0.0.1', port: 8000 };

describe('an address as runserver takes it', () => {
  const cases: Readonly<Record<string, Address>> = {
    '8080': { host: '10.0.0.1', port: 8080 },
    '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
    'localhost:65535': { host: 'localhost', port: 65_535 },
    '[::1]:80': { host: '::1', port: 80 },
  };
  for (const [text, address] of Object.entries(cases)) {
    test(text, () => {
      assert.deepEqual(parseAddress(text, FALLBACK), address);
      assert.deepEqual(parseAddress(addressText(address), FALLBACK), address, 'there and back');
    });
  }

  test('nothing is what the settings say', () => assert.equal(parseAddress(undefined, FALLBACK), FALLBACK));

  for (const text of ['', 'x', 'host', ':80', '1.2.3.4:', '::1:80', '65536', '-1', '8080 ', 'a/b:80']) {
    test(`refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseAddress(text, FALLBACK), UsageError);
    });
  }
});

test('a person opens it in a browser', () => {
  assert.equal(urlOf({ host: '127.0.0.1', port: 8000 }), 'http://127.0.0.1:8000/');
  assert.equal(urlOf({ host: '0.0.0.0', port: 80 }), 'http://localhost:80/');
  assert.equal(urlOf({ host: '::', port: 80 }), 'http://localhost:80/');
  assert.equal(urlOf({ host: '::1', port: 80 }), 'http://[::1]:80/');
});

test('port 0 is one that is free, and is free afterwards', async () => {
  const { host, port } = await tryAddress({ host: '127.0.0.1', port: 0 });
  assert.equal(host, '127.0.0.1');
  assert.ok(port > 0);
  assert.deepEqual(await tryAddress({ host, port }), { host, port });
});

test('why an address cannot be listened on is one line', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await assert.rejects(tryAddress({ host: '127.0.0.1', port }), (error) => {
    assert.ok(error instanceof CommandError);
    assert.match(
      error.message,
      /^That port is already in use\. \(127\.0\.0\.1:\d+; the settings HOST and PORT/,
    );
    return true;
  });
  server.close();
  await assert.rejects(tryAddress({ host: '192.0.2.1', port: 0 }), /That IP address can't be assigned to\./);
});
