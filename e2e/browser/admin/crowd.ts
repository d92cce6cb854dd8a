import { createHash } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';
import { toSqlTime } from '../../../db/values.ts';
import { dayOf } from '../../../server/audit/record.ts';

/** More rows than a page of any list has. */
export const CROWD = 120;
export const TOKENS = 130;
export const EVENTS = 130;

/** The groups there are then, by name, with the code names of what they may. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Auditors: ['view_logentry', 'view_outstandingtoken'],
  Editors: ['view_user', 'change_user', 'view_group'],
  Support: ['view_user', 'view_outstandingtoken', 'view_blacklistedtoken', 'add_blacklistedtoken'],
};

const FIRST_NAMES = 'Maria José Anna Olga Chloé Björn Priya Kwame Zeynep Hiroshi Siobhán Tomasz'.split(' ');
const LAST_NAMES = 'García Novák Okafor Lindqvist Moreau Tanaka Kowalski Mensah Ferrari Haddad'.split(' ');
const HOSTS = ['example.com', 'mail.example.org', 'corp.example'];
const ADDRESSES = ['203.0.113.24', '198.51.100.7', '192.0.2.130', '203.0.113.99'];
const PROGRAMS = [
  'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'python-requests/2.32.3',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1',
];

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

type Connection = SqliteDatabase.Database;

/** Whom number `index` of the crowd is; the same at every run. */
export function personOf(index: number) {
  const firstName = FIRST_NAMES[index % FIRST_NAMES.length] as string;
  const lastName = LAST_NAMES[Math.floor(index / FIRST_NAMES.length) % LAST_NAMES.length] as string;
  const username = `${plain(firstName)}.${plain(lastName)}`;
  return { username, firstName, lastName, email: `${username}@${HOSTS[index % HOSTS.length]}` };
}

/**
 * Puts people into a server's database while it runs: {@link CROWD} users without passwords, three groups,
 * {@link TOKENS} refresh tokens of which some have expired and half are blacklisted, and what happened in two weeks.
 *
 * @param moreGroups how many groups there are to be besides, with nobody in them
 */
export function fillDatabase(file: string, { moreGroups = 0 } = {}): void {
  const connection = new SqliteDatabase(file, { timeout: 5_000 });
  const now = new Date();
  try {
    connection.transaction(() => {
      const groups = insertGroups(connection, moreGroups);
      const users = insertUsers(connection, now, groups);
      insertTokens(connection, now, users);
      insertEvents(connection, now, users);
      insertDays(connection, now);
    })();
  } finally {
    connection.close();
  }
}

/** @returns the ids of those that people are in */
function insertGroups(connection: Connection, more: number): number[] {
  const group = connection.prepare('INSERT INTO auth_group (name) VALUES (?)');
  const permission = connection.prepare(
    `INSERT INTO auth_group_permissions (group_id, permission_id) SELECT ?, id FROM auth_permission WHERE codename = ?`,
  );
  const ids = Object.entries(GROUPS).map(([name, codenames]) => {
    const id = Number(group.run(name).lastInsertRowid);
    for (const codename of codenames) permission.run(id, codename);
    return id;
  });
  for (let number = 1; number <= more; number += 1) group.run(`Team ${String(number).padStart(3, '0')}`);
  return ids;
}

/** Every twentieth is staff, every fifteenth is switched off, and every fourth is in a group. */
function insertUsers(connection: Connection, now: Date, groups: readonly number[]): number[] {
  const user = connection.prepare(
    `INSERT INTO auth_user (password, last_login, is_superuser, username, last_name, email, is_staff, is_active,
      date_joined, first_name) VALUES ('!', ?, 0, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const member = connection.prepare('INSERT INTO auth_user_groups (user_id, group_id) VALUES (?, ?)');
  return Array.from({ length: CROWD }, (_, index) => {
    const { username, firstName, lastName, email } = personOf(index);
    const [isStaff, isActive] = [index % 20 === 0, index % 15 !== 7].map(Number);
    const joined = toSqlTime(new Date(now.getTime() - index * 4 * DAY));
    const lastLogin = index % 3 === 0 ? toSqlTime(new Date(now.getTime() - index * HOUR)) : null;
    const row = [lastLogin, username, lastName, email, isStaff, isActive, joined, firstName];
    const id = Number(user.run(...row).lastInsertRowid);
    if (index % 4 === 0) member.run(id, groups[(index / 4) % groups.length]);
    return id;
  });
}

/** Number n was given out n hours ago for three days, and is blacklisted where n is even. */
function insertTokens(connection: Connection, now: Date, users: readonly number[]): void {
  const token = connection.prepare(
    `INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti) VALUES (?, ?, ?, ?, ?)`,
  );
  const blacklisted = connection.prepare(
    'INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id) VALUES (?, ?)',
  );
  for (let number = TOKENS - 1; number >= 0; number -= 1) {
    const created = new Date(now.getTime() - number * HOUR);
    const expires = new Date(created.getTime() + 3 * DAY);
    const owner = users[number % users.length] as number;
    const jti = createHash('md5').update(String(number)).digest('hex');
    const [iat, exp] = [created, expires].map((time) => Math.floor(time.getTime() / 1_000));
    const claims = { token_type: 'refresh', exp, iat, jti, user_id: String(owner) };
    const text = [{ alg: 'HS256', typ: 'JWT' }, claims].map(encoded).join('.');
    const { lastInsertRowid } = token.run(text, toSqlTime(created), toSqlTime(expires), owner, jti);
    if (number % 2 === 0) blacklisted.run(toSqlTime(created), lastInsertRowid);
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

const KINDS = [
  ['login', ''],
  ['refreshed', ''],
  ['login', ''],
  ['login_refused', 'no_active_account'],
  ['verify_refused', 'token_expired'],
] as const;

/** Over the API, from ten days ago until now. */
function insertEvents(connection: Connection, now: Date, users: readonly number[]): void {
  const event = connection.prepare(
    `INSERT INTO jotgate_event (at, kind, via, actor_id, actor_name, object_type, object_id, object_name, reason, changes,
      address, user_agent, count) VALUES (?, ?, 'api', ?, ?, '', '', '', ?, '[]', ?, ?, 1)`,
  );
  for (let number = 0; number < EVENTS; number += 1) {
    const [kind, reason] = KINDS[number % KINDS.length] as (typeof KINDS)[number];
    const at = toSqlTime(new Date(now.getTime() - ((EVENTS - number) / EVENTS) * 10 * DAY));
    const who = kind.endsWith('refused') ? [null, ''] : [users[number % CROWD], personOf(number).username];
    const [address, program] = [ADDRESSES[number % ADDRESSES.length], PROGRAMS[number % PROGRAMS.length]];
    event.run(at, kind, ...who, reason, address, program);
  }
}

/** Log-ins and refusals of two weeks: fewer on every seventh day, and far more refusals today than before. */
function insertDays(connection: Connection, now: Date): void {
  const count = connection.prepare(
    `INSERT INTO jotgate_event_day (day, kind, count) VALUES (?, ?, ?) ON CONFLICT (day, kind) DO UPDATE
      SET count = count + excluded.count`,
  );
  for (let age = 0; age < 14; age += 1) {
    const day = dayOf(now.getTime() / 1_000 - age * 86_400);
    const logins = age % 7 === 3 ? 41 : 88 + ((age * 37) % 45);
    const refusals = age === 0 ? 63 : 6 + ((age * 5) % 13);
    for (const [kind, number] of [
      ['login', logins],
      ['refreshed', logins * 6],
      ['login_refused', refusals],
    ]) {
      count.run(day, kind, number);
    }
  }
}

function plain(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase();
}
