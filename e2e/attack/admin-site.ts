import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { toSqlTime } from '../../db/values.ts';
import type { AdminPage } from '../../server/admin/page.ts';
import { buildApp } from '../../server/app.ts';
import { hashPassword } from '../../server/users/hashers.ts';
import { createSuperuser, createUser, type NewUser } from '../../server/users/users.ts';
import { settingsOf } from '../settings-of.ts';
import { AdminVisitor } from './admin-visitor.ts';
import { Attack, now, PASSWORD, token } from './attack.ts';

/** Who there is to look at a page, from nobody to everything. */
export const ROLES = ['anonymous', 'plain', 'staff', 'viewer', 'manager', 'superuser'] as const;

export type Role = (typeof ROLES)[number];

/** What pages are about: rows made for one request, so that what is done to them disturbs no other. */
export interface Things {
  user: UserRow;
  superuser: UserRow;
  group: number;
  /** An outstanding token of the user's, alive. */
  token: { id: number; jti: string };
  /** An entry of the blacklist, for another of them. */
  entry: number;
  event: number;
  /** A session of the user's. */
  session: number;
  /** What keeps the user from logging in. */
  lock: number;
  /** A key of the ring that verifies and does not sign any more. */
  key: number;
}

/** Which of the things an id in a path stands for. */
const IDS: readonly (readonly [path: string, id: (things: Things) => number])[] = [
  ['/admin/createsuperuser/:id/', ({ superuser }) => superuser.id],
  ['/admin/auth/user/:id/', ({ user }) => user.id],
  ['/admin/auth/group/:id/', ({ group }) => group],
  ['/admin/token_blacklist/outstandingtoken/:id/', (things) => things.token.id],
  ['/admin/token_blacklist/blacklistedtoken/:id/', ({ entry }) => entry],
  ['/admin/history/:id/', ({ event }) => event],
  ['/admin/sessions/:id/', ({ session }) => session],
  ['/admin/keys/:id/', ({ key }) => key],
];

/** The app's own list of the admin's pages. */
export async function adminRoutes(): Promise<readonly AdminPage[]> {
  const db = connect('sqlite::memory:');
  await migrate(db);
  const app = await buildApp({ db, settings: settingsOf() });
  const { adminPages } = app;
  await app.close();
  await db.destroy();
  return adminPages;
}

/**
 * The address of a page about some things.
 *
 * @throws AssertionError for a path with an id that nobody said how to fill in
 */
export function addressOf(path: string, things: Things): string {
  const [prefix, id] = IDS.find(([start]) => path.startsWith(start)) ?? [];
  const address = prefix && id ? path.replace(prefix, prefix.replace(':id', String(id(things)))) : path;
  assert.ok(!address.includes(':'), `${path}: which id does it take? Add it to IDS.`);
  return address;
}

/** An admin with accounts of every role, on a server of its own. */
export class AdminSite {
  readonly attack: Attack;
  /** The server's own database, to look at and to prepare what no page makes. */
  readonly db: Database;
  /** Of PASSWORD. */
  readonly #passwordHash: string;
  #made = 0;

  private constructor(attack: Attack, passwordHash: string) {
    this.attack = attack;
    this.db = connect(attack.server.databaseUrl);
    this.#passwordHash = passwordHash;
  }

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<AdminSite> {
    const attack = await Attack.start({ LOGIN_FAILURES_PER_ADDRESS: '0', ...settings });
    const site = new AdminSite(attack, await hashPassword(PASSWORD, settingsOf()));
    for (const username of ROLES.slice(1)) {
      const account = { username, is_staff: username !== 'plain', is_superuser: username === 'superuser' };
      await site.account(account);
    }
    await site.grant('viewer', 'view_%');
    await site.grant('manager', '%');
    return site;
  }

  /** Gives an account every permission whose code name is like that. */
  async grant(username: string, codenames: string): Promise<void> {
    await this.db
      .insertInto('auth_user_user_permissions')
      .columns(['user_id', 'permission_id'])
      .expression((eb) =>
        eb
          .selectFrom(['auth_user', 'auth_permission'])
          .select(['auth_user.id', 'auth_permission.id as permission_id'])
          .where('username', '=', username)
          .where('codename', 'like', codenames),
      )
      .execute();
  }

  /** Adds an account whose password is PASSWORD. */
  account(account: Omit<NewUser, 'passwordHash'>): Promise<UserRow> {
    return createUser(this.db, { ...account, passwordHash: this.#passwordHash }, new Date());
  }

  user(username: string): Promise<UserRow> {
    return this.db
      .selectFrom('auth_user')
      .selectAll()
      .where('username', '=', username)
      .executeTakeFirstOrThrow();
  }

  /** Somebody of a role with a browser of his own; logged in where that role can be. */
  async visitor(role: Role): Promise<AdminVisitor> {
    const visitor = new AdminVisitor(this.attack);
    if (role === 'anonymous') await visitor.get('/admin/login/');
    else await visitor.logIn(role);
    return visitor;
  }

  /** A fresh user with two tokens, one of them revoked, a fresh group, and a superuser besides. */
  things(): Promise<Things> {
    this.#made += 1;
    const name = `thing${this.#made}`;
    return this.db.transaction().execute(async (trx) => {
      const account = { passwordHash: this.#passwordHash, email: `${name}@a.example` };
      const user = await createUser(trx, { ...account, username: name }, new Date());
      const superuser = await createSuperuser(trx, { ...account, username: `${name}-super` }, new Date());
      const group = await trx
        .insertInto('auth_group')
        .values({ name })
        .returning('id')
        .executeTakeFirstOrThrow();
      const alive = await this.outstanding(user.id, {}, trx);
      const revoked = await this.outstanding(user.id, {}, trx);
      const entry = await trx
        .insertInto('token_blacklist_blacklistedtoken')
        .values({ token_id: revoked.id, blacklisted_at: toSqlTime(new Date()) })
        .returning('id')
        .executeTakeFirstOrThrow();
      return {
        user,
        superuser,
        group: group.id,
        token: alive,
        entry: entry.id,
        event: await insertEvent(trx, user),
        session: await insertSession(trx, user, alive.jti),
        lock: await insertLock(trx, user),
        key: await insertKey(trx, name),
      };
    });
  }

  /** The record of a refresh token that the server could have given a user. */
  async outstanding(
    userId: number,
    claims: object = {},
    db: Database = this.db,
  ): Promise<{ id: number; jti: string }> {
    this.#made += 1;
    const jti = String(this.#made).padStart(32, '0');
    const expires = now() + 3_600;
    const text = token({ token_type: 'refresh', jti, user_id: String(userId), exp: expires, ...claims });
    return db
      .insertInto('token_blacklist_outstandingtoken')
      .values({
        jti,
        token: text.slice(0, text.lastIndexOf('.')),
        user_id: userId,
        created_at: toSqlTime(new Date()),
        expires_at: toSqlTime(new Date(expires * 1_000)),
      })
      .returning(['id', 'jti'])
      .executeTakeFirstOrThrow();
  }

  /** Everything that an admin can change, as a text to compare: accounts, what they may, groups, tokens, keys. */
  async state(): Promise<string> {
    const tables = [
      'auth_user',
      'auth_group',
      'auth_user_groups',
      'auth_group_permissions',
      'auth_user_user_permissions',
      'token_blacklist_outstandingtoken',
      'token_blacklist_blacklistedtoken',
      'jotgate_session',
      'jotgate_login_failure',
      'jotgate_signing_key',
    ] as const;
    const rows = await Promise.all(
      tables.map((table) => this.db.selectFrom(table).selectAll().orderBy('id').execute()),
    );
    return JSON.stringify(rows, (name, value) => (name === 'last_login' ? undefined : value));
  }

  /** Asks that something changes nothing of what an admin can change. */
  async changesNothing(what: string, act: () => Promise<unknown>): Promise<void> {
    const before = await this.state();
    await act();
    assert.ok((await this.state()) === before, `${what} changed something`);
  }

  async end(): Promise<void> {
    await this.db.destroy();
    await this.attack.end();
  }
}

async function insertEvent(db: Database, user: UserRow): Promise<number> {
  const { id } = await db
    .insertInto('jotgate_event')
    .values({
      at: toSqlTime(new Date()),
      kind: 'user_changed',
      via: 'admin',
      actor_id: user.id,
      actor_name: user.username,
      object_type: 'user',
      object_id: String(user.id),
      object_name: user.username,
      reason: '',
      changes: JSON.stringify([{ field: 'First name', before: '', after: 'Ada' }]),
      address: '127.0.0.1',
      user_agent: 'curl/8.5.0',
      count: 1,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function insertSession(db: Database, user: UserRow, jti: string): Promise<number> {
  const [at, until] = [new Date(), new Date(Date.now() + 3_600_000)].map(toSqlTime) as [string, string];
  const place = { address: '127.0.0.1', user_agent: 'curl/8.5.0' };
  const { id } = await db
    .insertInto('jotgate_session')
    .values({
      ...place,
      sid: jti,
      user_id: user.id,
      created_at: at,
      last_used_at: at,
      ended_at: null,
      end_reason: '',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('jotgate_session_token')
    .values({ ...place, jti, session_id: id, issued_at: at, expires_at: until })
    .execute();
  return id;
}

async function insertLock(db: Database, { username }: UserRow): Promise<number> {
  const at = toSqlTime(new Date());
  const { id } = await db
    .insertInto('jotgate_login_failure')
    .values({
      scope: 'account',
      subject_hash: username,
      label: username,
      failures: 1_000,
      since: at,
      last_at: at,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function insertKey(db: Database, kid: string): Promise<number> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [at, until] = [new Date(), new Date(Date.now() + 86_400_000)].map(toSqlTime) as [string, string];
  const { id } = await db
    .insertInto('jotgate_signing_key')
    .values({
      kid,
      algorithm: 'ES256',
      state: 'retiring',
      public_key: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      sealed_key: null,
      token_lifetime: 86_400,
      created_at: at,
      activated_at: at,
      retiring_at: at,
      expires_at: until,
      retired_at: null,
      withdrawn_at: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
