import type { FastifyInstance } from 'fastify';
import { newDatabase } from '../db/database.fixture.ts';
import type { Database } from '../db/statement.ts';
import type { UserRow } from '../db/tables.ts';
import { settingsOf } from '../e2e/settings-of.ts';
import { buildApp } from './app.ts';
import type { SettingName } from './settings.ts';
import { hashPassword } from './users/hashers.ts';
import { createUser, type NewUser } from './users/users.ts';

export const PASSWORD = 'pw-Fixture-123';

export interface TestSite {
  db: Database;
  app: FastifyInstance;
  /** Seconds since the epoch: what the app takes for now. */
  clock: { now: number };
  /** Adds an account whose password is PASSWORD. */
  addUser(user: Partial<NewUser> & { username: string }): Promise<UserRow>;
  close(): Promise<void>;
}

/** An app on a database of its own, with a clock that stands still until it is set. */
export async function startSite(env: Partial<Record<SettingName, string>> = {}): Promise<TestSite> {
  const db = await newDatabase();
  const clock = { now: Date.UTC(2026, 2, 4, 5, 6, 7) / 1000 };
  const app = await buildApp({ db, settings: settingsOf(env), now: () => clock.now });
  await app.ready();
  const passwordHash = await hashPassword(PASSWORD, settingsOf());
  return {
    db,
    app,
    clock,
    addUser: (user) => createUser(db, { passwordHash, ...user }, new Date(clock.now * 1000)),
    async close() {
      await app.close();
      await db.destroy();
    },
  };
}
