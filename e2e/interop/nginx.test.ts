import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../../db/connect.ts';
import type { Database } from '../../db/statement.ts';
import { type ServerProcess, startServer } from '../server-process.ts';
import { findNginx, type Nginx, startNginx } from './nginx.ts';

const PASSWORD = 'pw-Fixture-123';

/** Where the client is; nginx is at 127.0.0.1. */
const CLIENT = '127.0.0.7';

/** What somebody would send who wants to be taken for somebody else. */
const FORGED = {
  'x-forwarded-for': '6.6.6.6',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
};

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

interface Seen {
  headers: IncomingHttpHeaders;
  body: string;
}

let server: ServerProcess;
let app: Server;
let nginx: Nginx;
let db: Database;
let access: string;
const seenByApp: Seen[] = [];

before(async () => {
  // The README's block is for a proxy on the same machine.
  const settings = {
    TRUST_PROXY: '127.0.0.1',
    WORKERS: '2',
    TOKEN_CLAIMS: `pad=${'x'.repeat(3_000)}`,
    LOG_LEVEL: 'info',
  };
  server = await startServer({ settings });
  await server.createUser({ username: 'ada', password: PASSWORD });
  db = connect(server.databaseUrl, { poolSize: 1 });
  app = createServer((incoming, response) => {
    text(incoming).then((body) => {
      seenByApp.push({ headers: incoming.headers, body });
      response.end('the app');
    });
  }).listen(0, '127.0.0.1');
  await once(app, 'listening');
  nginx = await startNginx(findNginx(), {
    jotgate: new URL(server.url).host,
    app: `127.0.0.1:${(app.address() as AddressInfo).port}`,
  });
  const login = await ask('auth.example.com', '/api/token/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ada', password: PASSWORD }),
  });
  access = JSON.parse(login.body).access;
});
after(async () => {
  await nginx?.stop();
  app?.close();
  await db?.destroy();
  await server?.stop();
});

/** Makes a request over TLS, with the certificate's name checked. */
function ask(host: string, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...{ host: '127.0.0.1', port: nginx.port, servername: host, ca: nginx.certificate, agent: false },
        ...{ localAddress: CLIENT, path, method, headers: { host, ...headers } },
      },
      (incoming) => {
        text(incoming).then((answer) => {
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: answer });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const bearer = (token = access) => ({ authorization: `Bearer ${token}` });

async function asApp(ask: () => Promise<Answer>): Promise<{ answer: Answer; seen: Seen | undefined }> {
  const count = seenByApp.length;
  const answer = await ask();
  return { answer, seen: seenByApp[count] };
}

describe('the end of TLS', () => {
  test('is known to the server: its addresses are https and of the name that was asked for', async () => {
    for (const headers of [{}, FORGED]) {
      const root = await ask('auth.example.com', '/api/', { headers });
      assert.equal(root.status, 200);
      assert.equal(JSON.parse(root.body).token_obtain_pair, 'https://auth.example.com/api/token/');
    }
  });

  test('marks the cookies of the admin as secure, and pages as https only', async () => {
    const page = await ask('auth.example.com', '/admin/login/', { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    assert.match(String(page.headers['set-cookie']), /^__Host-.*; Secure/);
    assert.match(String(page.headers['strict-transport-security']), /max-age=\d+/);
  });
});

test('the address in the history is the client’s, whatever it says of itself', async () => {
  const answer = await ask('auth.example.com', '/api/token/', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...FORGED },
    body: JSON.stringify({ username: 'ada', password: 'wrong' }),
  });
  assert.equal(answer.status, 401);
  const addresses = async () =>
    (
      await db.selectFrom('jotgate_event').select('address').where('kind', '=', 'login_refused').execute()
    ).map(({ address }) => address);
  for (let turn = 0; turn < 100 && (await addresses()).length === 0; turn += 1) await delay(50);
  assert.deepEqual(await addresses(), [CLIENT]);
});

test('no request that comes through nginx is lost while the workers are replaced', async () => {
  const body = JSON.stringify({ token: access });
  const headers = { 'content-type': 'application/json' };
  const answers = new Map<string, number>();
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const answer = await ask('auth.example.com', '/api/token/verify/', {
        method: 'POST',
        headers,
        body,
      }).then(
        ({ status }) => String(status),
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 6 }, client);
  await delay(200);
  process.kill(server.pid, 'SIGHUP');
  for (let turn = 0; turn < 600 && !/Every worker was replaced/.test(server.stderr()); turn += 1)
    await delay(50);
  await delay(300);
  isOver = true;
  await Promise.all(clients);
  assert.match(server.stderr(), /Every worker was replaced/);
  assert.deepEqual([...answers.keys()], ['200']);
});

describe('auth_request', () => {
  test('lets nobody through without a token, and says what is wanted', async () => {
    const { answer, seen } = await asApp(() => ask('app.example.com', '/'));
    assert.deepEqual([answer.status, seen], [401, undefined]);
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="api"');
  });

  test('hands on who it is, and nobody can say it himself', async () => {
    const forged = { 'x-auth-user-id': '99', 'x-auth-username': 'root', 'x-auth-claims': 'e30' };
    const { answer, seen } = await asApp(() =>
      ask('app.example.com', '/', { headers: { ...bearer(), ...forged } }),
    );
    assert.deepEqual([answer.status, answer.body], [200, 'the app']);
    assert.equal(seen?.headers['x-auth-user-id'], '1');
    assert.equal(seen?.headers['x-auth-username'], 'ada');
    const claims = JSON.parse(Buffer.from(String(seen?.headers['x-auth-claims']), 'base64url').toString());
    assert.equal(claims.user_id, '1');
    // Longer than what nginx keeps of an answer's headers by default.
    assert.equal(claims.pad.length, 3_000);
  });

  for (const accept of ['image/avif,image/webp', 'text/html', 'text/css,*/*;q=0.1']) {
    test(`asks for an answer of its own, not for one of ${accept}`, async () => {
      const { answer } = await asApp(() => ask('app.example.com', '/', { headers: { ...bearer(), accept } }));
      assert.equal(answer.status, 200);
    });
  }

  test('leaves body and method to what is behind it', async () => {
    const body = 'y'.repeat(200_000);
    const { answer, seen } = await asApp(() =>
      ask('app.example.com', '/things/', { method: 'POST', headers: bearer(), body }),
    );
    assert.deepEqual([answer.status, seen?.body.length], [200, body.length]);
  });

  test('is not to be called from outside', async () => {
    assert.equal((await ask('app.example.com', '/_jotgate', { headers: bearer() })).status, 404);
  });

  test('refuses at once whoever was switched off', async () => {
    await db.updateTable('auth_user').set({ is_active: 0 }).where('username', '=', 'ada').execute();
    const { answer, seen } = await asApp(() => ask('app.example.com', '/', { headers: bearer() }));
    assert.deepEqual([answer.status, seen], [401, undefined]);
    await db.updateTable('auth_user').set({ is_active: 1 }).where('username', '=', 'ada').execute();
    assert.equal((await ask('app.example.com', '/', { headers: bearer() })).status, 200);
  });

  test('complained of nothing so far', () => assert.equal(nginx.errors(), ''));

  test('lets nobody through while the server is away', async () => {
    await server.stop();
    const { answer, seen } = await asApp(() => ask('app.example.com', '/', { headers: bearer() }));
    assert.deepEqual([answer.status, seen], [500, undefined]);
  });
});
