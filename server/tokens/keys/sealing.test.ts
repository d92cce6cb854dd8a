import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSeal, SealError } from './sealing.ts';

const seal = makeSeal('a secret key');
const CONTENT = '-----BEGIN PRIVATE KEY-----\nsomething secret\n-----END PRIVATE KEY-----\n';

test('what was sealed is opened under the same key and name', () => {
  for (const content of [CONTENT, '', 'é'.repeat(5_000)]) {
    assert.equal(seal.open(seal.close(content, 'kid'), 'kid'), content);
    assert.equal(makeSeal('a secret key').open(seal.close(content, ''), ''), content);
  }
});

test('nothing of it is seen, and twice is never the same', () => {
  const sealed = [seal.close(CONTENT, 'kid'), seal.close(CONTENT, 'kid')];
  assert.notEqual(sealed[0], sealed[1]);
  for (const text of sealed) {
    assert.match(text, /^[\w-]+$/);
    assert.doesNotMatch(Buffer.from(text, 'base64url').toString('latin1'), /secret|BEGIN/);
  }
});

test('under another key, for another name, altered or cut it is not opened', () => {
  const sealed = seal.close(CONTENT, 'kid');
  const bytes = Buffer.from(sealed, 'base64url');
  const altered = Array.from({ length: bytes.length }, (_, index) => {
    const copy = Buffer.from(bytes);
    copy[index] = (copy[index] ?? 0) ^ 1;
    return copy.toString('base64url');
  });
  const bad: readonly (() => string)[] = [
    () => makeSeal('another secret key').open(sealed, 'kid'),
    () => seal.open(sealed, 'other'),
    () => seal.open(sealed, ''),
    ...altered.map((text) => () => seal.open(text, 'kid')),
    ...[0, 1, 12, 27, 28, bytes.length - 1].map(
      (length) => () => seal.open(bytes.subarray(0, length).toString('base64url'), 'kid'),
    ),
    () => seal.open('', 'kid'),
    () => seal.open('no base64url!', 'kid'),
  ];
  for (const open of bad) assert.throws(open, SealError);
});
