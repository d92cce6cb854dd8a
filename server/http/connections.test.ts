import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connections, watchConnections } from './connections.ts';

let server: Server;
let connections: Connections;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('slow'), 300);
    else response.end('done');
  });
  connections = watchConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.closeAllConnections();
  server.close();
});

async function open(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function ask(socket: Socket, path = '/'): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  return String(answer);
}

const isRefused = () =>
  open().then(
    () => false,
    () => true,
  );

async function took(promise: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await promise;
  return performance.now() - started;
}

describe('draining', () => {
  test('takes no new connection, and serves those that are open', async () => {
    const socket = await open();
    assert.match(await ask(socket), /\r\nConnection: keep-alive\r\n/i);
    const drained = connections.drain(5_000);
    assert.ok(await isRefused());
    const answer = await ask(socket);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    assert.ok((await took(drained)) < 1_000);
  });

  test('waits for one that was opened and has said nothing yet', async () => {
    const socket = await open();
    const drained = connections.drain(5_000);
    await delay(100);
    assert.match(await ask(socket), /\r\nConnection: close\r\n/i);
    await drained;
  });

  test('ends at once where there is no connection', async () => {
    assert.ok((await took(connections.drain(5_000))) < 200);
  });

  test('ends at its limit where one stays', async () => {
    await ask(await open());
    const time = await took(connections.drain(200));
    assert.ok(time > 150 && time < 1_000, String(time));
  });
});

test('who refuses more serves on, and tells nobody', async () => {
  const socket = await open();
  connections.refuseMore();
  connections.refuseMore();
  assert.ok(await isRefused());
  assert.match(await ask(socket), /\r\nConnection: keep-alive\r\n/i);
});

test('letting go ends idle connections and silent ones, and lets what is in flight be answered', async () => {
  const [idle, silent, busy] = await Promise.all([open(), open(), open()]);
  await ask(idle);
  const answer = ask(busy, '/slow');
  await delay(50);
  const haveGone = connections.letGo();
  await Promise.all([once(idle, 'close'), once(silent, 'close')]);
  assert.match(await answer, /slow$/);
  haveGone();
});
