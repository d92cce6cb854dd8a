import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Attack, PASSWORD } from './attack.ts';

/** How many times shorter the deadlines of this server are than those of others: nobody wants to wait. */
const OVER = 30;

/** The longest that a server may wait for a request, with the time until it looks, in milliseconds. */
const LONGEST = 40_000 / OVER;

/** The least that people on bad connections need. */
const SHORTEST = 20_000 / OVER;

/** How much later an answer may come on a machine that is busy, in milliseconds. */
const MARGIN = 1_500;

const hook = pathToFileURL(fileURLToPath(new URL('short-deadlines.mjs', import.meta.url))).href;

const LATE = '{"detail":"The request took too long to arrive."}';

let attack: Attack;

before(async () => {
  attack = await Attack.start({ NODE_OPTIONS: `--import ${hook}`, DEADLINES_OVER: String(OVER) });
});
after(() => attack.end());

interface Ending {
  /** Everything that came. */
  text: string;
  /** In milliseconds. */
  took: number;
}

/** Sends something and then, again and again, a little more, until the server closes the connection. */
async function linger(beginning: string, more = ''): Promise<Ending> {
  const { hostname, port } = new URL(attack.server.url);
  const started = performance.now();
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  if (beginning !== '') socket.write(beginning);
  const drip = setInterval(() => {
    if (more !== '' && socket.writable) socket.write(more);
  }, 50);
  try {
    await Promise.race([closed, delay(LONGEST + 2 * MARGIN, undefined, { ref: false })]);
    assert.ok(socket.closed, 'the connection stays open');
    return { text: Buffer.concat(chunks).toString('latin1'), took: performance.now() - started };
  } finally {
    clearInterval(drip);
    socket.destroy();
  }
}

function assertLate({ text, took }: Ending): void {
  assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
  assert.match(text, /\r\nConnection: close\r\n/);
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), LATE);
  assert.ok(took >= SHORTEST && took <= LONGEST + MARGIN, `${took} ms`);
}

const head = (path: string, ...lines: string[]) =>
  ['POST ', path, ' HTTP/1.1\r\nHost: a\r\n', ...lines.map((line) => `${line}\r\n`), '\r\n'].join('');

const JSON_TYPE = 'Content-Type: application/json';

describe('case 26: what never arrives', () => {
  const rows: readonly (readonly [name: string, beginning: string, more?: string])[] = [
    ['a body of which nothing comes', head('/api/token/', JSON_TYPE, 'Content-Length: 60')],
    [
      'a body that stops halfway',
      `${head('/api/token/', JSON_TYPE, 'Content-Length: 60')}{"password": "${PASSWORD}`,
    ],
    ['a body that drips', head('/api/token/verify/', JSON_TYPE, 'Content-Length: 9999'), 'x'],
    ['chunks that never end', head('/api/token/', JSON_TYPE, 'Transfer-Encoding: chunked'), '1\r\n{\r\n'],
    ['the body of a form of the admin', head('/admin/login/', 'Content-Length: 60')],
    ['a body for nobody', head('/nowhere/', JSON_TYPE, 'Content-Length: 60')],
    ['headers that never end', 'GET /api/ HTTP/1.1\r\nHost: a\r\n', 'X-More: x\r\n'],
    ['half a line', 'GET /ap'],
    ['a connection on which nothing is said', ''],
  ];

  test('is answered 408 by a deadline, all the while others are served', () =>
    attack.case(26, async () => {
      const lingering = rows.map(async ([name, beginning, more]) => {
        const ending = await linger(beginning, more);
        assert.doesNotThrow(() => assertLate(ending), `${name}: ${JSON.stringify(ending)}`);
      });
      const ended = Promise.all(lingering);
      // What fails there is to be heard of there.
      ended.catch(() => undefined);
      await delay(200);
      await attack.logIn();
      await ended;
    }));

  test('is waited for on a connection that was of use before, and no longer than that', () =>
    attack.case(26, async () => {
      const whole = 'GET /api/ HTTP/1.1\r\nHost: a\r\n\r\n';
      const { text, took } = await linger(`${whole}${head('/api/token/', JSON_TYPE, 'Content-Length: 60')}`);
      const answers = text.split(/(?=HTTP\/1\.1 )/);
      assert.deepEqual(
        answers.map((answer) => answer.slice(9, 12)),
        ['200', '408'],
      );
      assertLate({ text: answers[1] ?? '', took });
    }));

  test('does not reach the log', () => {
    const { server } = attack;
    assert.ok(!`${server.stdout()}${server.stderr()}`.includes(PASSWORD));
    assert.equal(server.stderr(), '');
  });
});

test('case 26: a body that is slow, but there by the deadline, is taken', () =>
  attack.case(26, async () => {
    const body = JSON.stringify({ username: 'ada', password: PASSWORD });
    const { hostname, port } = new URL(attack.server.url);
    const socket = connect(Number(port), hostname);
    try {
      socket.write(head('/api/token/', JSON_TYPE, `Content-Length: ${body.length}`));
      for (let sent = 0; sent < body.length; sent += 10) {
        socket.write(body.slice(sent, sent + 10));
        await delay(SHORTEST / 10);
      }
      const [answer] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
    } finally {
      socket.destroy();
    }
  }));
