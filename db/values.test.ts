import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochToSqlTime, fromSqlTime, toSqlBoolean, toSqlTime } from './values.ts';

test('a time is written as Django writes it', () => {
  for (const [iso, text] of [
    ['2026-11-23T15:02:53.402Z', '2026-11-23 15:02:53.402000'],
    ['2026-11-23T15:02:53.007Z', '2026-11-23 15:02:53.007000'],
    ['2026-11-23T15:02:53.000Z', '2026-11-23 15:02:53'],
    ['1970-01-01T00:00:00.000Z', '1970-01-01 00:00:00'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31 23:59:59.999000'],
  ] as const) {
    assert.equal(toSqlTime(new Date(iso)), text);
    assert.equal(fromSqlTime(text).toISOString(), iso);
  }
});

test("Django's microseconds are read to the millisecond", () => {
  assert.equal(fromSqlTime('2026-11-23 15:02:50.516807').toISOString(), '2026-11-23T15:02:50.516Z');
});

test("seconds since the epoch, a token's unit, become a time", () => {
  assert.equal(epochToSqlTime(1_795_532_573), '2026-11-24 15:02:53');
  assert.equal(epochToSqlTime(1_795_532_573.25), '2026-11-24 15:02:53.250000');
});

test('times sort as their texts do, with and without a fraction', () => {
  const texts = [0, 1, 500, 999, 1_000, 1_001].map((milliseconds) => toSqlTime(new Date(milliseconds)));
  assert.deepEqual([...texts].sort(), texts);
});

test('a boolean is 0 or 1', () => {
  assert.deepEqual([toSqlBoolean(false), toSqlBoolean(true)], [0, 1]);
});
