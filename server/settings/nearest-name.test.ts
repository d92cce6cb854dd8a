import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from './nearest-name.ts';

const names = ['HOST', 'PORT', 'ISSUER', 'ACCESS_TOKEN_LIFETIME', 'REFRESH_TOKEN_LIFETIME'];

const cases: [mistyped: string, nearest: string | undefined][] = [
  ['HOST', 'HOST'],
  ['HOTS', 'HOST'],
  ['PROT', 'PORT'],
  ['ISUER', 'ISSUER'],
  ['ACCES_TOKEN_LIFETIME', 'ACCESS_TOKEN_LIFETIME'],
  ['REFRESH_LIFETIME', 'REFRESH_TOKEN_LIFETIME'],
  ['VERIFYING', undefined],
  ['', undefined],
];

for (const [mistyped, nearest] of cases) {
  test(`the name nearest to ${JSON.stringify(mistyped)} is ${nearest}`, () => {
    assert.equal(nearestName(mistyped, names), nearest);
  });
}

test('among no names none is nearest', () => assert.equal(nearestName('HOST', []), undefined));
