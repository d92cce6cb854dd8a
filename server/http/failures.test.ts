import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { DatabaseAwayError } from '../../db/failures.ts';
import { AppError } from '../errors.ts';
import { toAppError } from './failures.ts';

const failure = (members: object) => Object.assign(new Error('SECRET reason'), members);
const postgres = (code: string) => failure({ severity: 'ERROR', code });
const sqlite = (code: string) => new SqliteDatabase.SqliteError('SECRET reason', code);

describe('what was thrown becomes a refusal', () => {
  const rows: readonly [string, unknown, status: number, retryAfter?: number][] = [
    ['an error', new Error('SECRET reason'), 500],
    ['a type error', new TypeError('SECRET reason'), 500],
    ['a text', 'SECRET reason', 500],
    ['a number', 7, 500],
    ['a locked database', sqlite('SQLITE_BUSY'), 503, 1],
    ['a locked database, in more words', sqlite('SQLITE_BUSY_SNAPSHOT'), 503, 1],
    ['a full disk', sqlite('SQLITE_FULL'), 503, 1],
    ['a Postgres that is away', new DatabaseAwayError(failure({ code: 'ECONNREFUSED' })), 503, 1],
    ['a Postgres that shuts down', postgres('57P01'), 503, 1],
    ['a statement that took too long', postgres('57014'), 503, 1],
    ['two that came in the way of each other', postgres('40P01'), 503, 1],
    ['a full disk of Postgres', postgres('53100'), 503, 1],
    ['a Postgres that may only be read', postgres('25006'), 503, 1],
    ['a breach of a constraint in Postgres', postgres('23505'), 500],
    ['wrong SQL', postgres('42601'), 500],
    ['a broken database', sqlite('SQLITE_CORRUPT'), 500],
    ['a breach of a constraint', sqlite('SQLITE_CONSTRAINT_UNIQUE'), 500],
    ['one that only calls itself locked', failure({ code: 'SQLITE_BUSY' }), 500],
    ['a body that is too large', failure({ code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }), 413],
    ['a media type that is none', failure({ code: 'FST_ERR_CTP_INVALID_MEDIA_TYPE', statusCode: 415 }), 415],
    [
      'a body of another length',
      failure({ code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', statusCode: 400 }),
      400,
    ],
    ['a path that leads out', failure({ statusCode: 403 }), 404],
    ['a status of a server', failure({ statusCode: 502 }), 500],
    ['a status that is none', failure({ statusCode: '400' }), 500],
  ];
  for (const [name, thrown, status, retryAfter] of rows) {
    test(`${name}: ${status}`, () => {
      const refusal = toAppError(thrown);
      assert.equal(refusal.status, status);
      assert.equal(refusal.retryAfter, retryAfter);
      assert.doesNotMatch(JSON.stringify([refusal.body, refusal.advice]), /SECRET/);
      assert.doesNotMatch(JSON.stringify(refusal.body), /[{}]\w+[{}]|\$\{/, 'a placeholder was left');
    });
  }
  test('a refusal stays what it is', () => {
    const refusal = new AppError('token_expired');
    assert.equal(toAppError(refusal), refusal);
  });
});
