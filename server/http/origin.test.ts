import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requestOf } from './http.fixture.ts';
import { originOf } from './origin.ts';

describe('the address under which the client reached this server', () => {
  for (const host of [
    'jot.example',
    'jot.example:8443',
    '127.0.0.1:8000',
    '[::1]',
    '[::1]:8000',
    'a_b-c.example',
  ]) {
    test(host, () => assert.equal(originOf(requestOf({ host })), `http://${host}`));
  }
  for (const host of [
    '',
    'a b',
    'a/b',
    'evil.example/?',
    'a@b',
    '"><script>',
    'a:b',
    '[::1',
    'a\\b',
    'a#b',
    'é',
    'a:1:2',
    'a,b',
  ]) {
    test(`${JSON.stringify(host)} is no host`, () => {
      assert.equal(originOf(requestOf({ host })), 'http://127.0.0.1:8000');
    });
  }
  test('an address of the other kind stands in brackets', () => {
    const request = requestOf({ host: '' });
    const socket = { localAddress: '::1', localPort: 8000 };
    assert.equal(originOf({ ...request, socket } as unknown as typeof request), 'http://[::1]:8000');
  });
});
