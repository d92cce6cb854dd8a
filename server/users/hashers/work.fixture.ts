import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';
import argon2 from '@node-rs/argon2';
import bcrypt from 'bcrypt';

/** How much work each algorithm did, in the unit of its parameters. */
export interface Work {
  /** Iterations. */
  pbkdf2: number;
  /** N times r times p. */
  scrypt: number;
  /** KiB times passes. */
  argon2: number;
  /** Rounds as bcrypt counts them, not their logarithm. */
  bcrypt: number;
}

export const NO_WORK: Work = { pbkdf2: 0, scrypt: 0, argon2: 0, bcrypt: 0 };

/** Counts the work of an action instead of doing it: every hash is zeros, and matches nothing. */
export async function countWork(context: TestContext, action: () => Promise<unknown>): Promise<Work> {
  const work = { ...NO_WORK };
  replaceHashing(context, work);
  syncBuiltinESMExports();
  try {
    await action();
  } finally {
    context.mock.restoreAll();
    syncBuiltinESMExports();
  }
  return work;
}

function replaceHashing(context: TestContext, work: Work): void {
  context.mock.method(
    crypto,
    'pbkdf2',
    (_password: string, _salt: string, iterations: number, bytes: number, _digest: string, done: Done) => {
      work.pbkdf2 += iterations;
      setImmediate(done, null, Buffer.alloc(bytes));
    },
  );
  context.mock.method(
    crypto,
    'scrypt',
    (_password: string, _salt: string, bytes: number, cost: Record<'N' | 'r' | 'p', number>, done: Done) => {
      work.scrypt += cost.N * cost.r * cost.p;
      setImmediate(done, null, Buffer.alloc(bytes));
    },
  );
  context.mock.method(
    argon2,
    'hashRaw',
    async (_password: string, options: Record<'memoryCost' | 'timeCost' | 'outputLen', number>) => {
      work.argon2 += options.memoryCost * options.timeCost;
      return Buffer.alloc(options.outputLen);
    },
  );
  context.mock.method(bcrypt, 'hash', async (_password: string, rounds: number) => {
    work.bcrypt += 2 ** rounds;
    return `$2b$${String(rounds).padStart(2, '0')}$${'0'.repeat(53)}`;
  });
  context.mock.method(bcrypt, 'compare', async (_password: string, stored: string) => {
    work.bcrypt += 2 ** bcrypt.getRounds(stored);
    return false;
  });
}

type Done = (error: Error | null, key: Buffer) => void;
