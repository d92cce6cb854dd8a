import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openProgressLine } from './progress-line.ts';

function outputOf(isTTY: boolean) {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream, written };
}

test('a text is written over the one before, not too often, and cleared at the end', async () => {
  const { stream, written } = outputOf(true);
  const line = openProgressLine(stream);
  line.show('10 %');
  line.show('11 %');
  await pause(120);
  line.show('50 %');
  line.end();
  line.end();
  assert.deepEqual(written, ['\r\x1b[K10 %', '\r\x1b[K50 %', '\r\x1b[K']);
});

test('what never showed anything has nothing to clear', () => {
  const { stream, written } = outputOf(true);
  openProgressLine(stream).end();
  assert.deepEqual(written, []);
});

test('where nobody watches nothing is written', () => {
  const { stream, written } = outputOf(false);
  const line = openProgressLine(stream);
  line.show('10 %');
  line.end();
  assert.deepEqual(written, []);
});
