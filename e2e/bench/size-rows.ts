import type SqliteDatabase from 'better-sqlite3';
import { epochToSqlTime } from '../../db/values.ts';
import { API_KINDS, type EventKind } from '../../server/audit/kinds.ts';
import { makePerson } from './size-people.ts';

export interface Size {
  users: number;
  tokens: number;
}

export type Connection = SqliteDatabase.Database;

const DAY = 86_400;

/** As many events as users; all of them within this many days. */
const EVENT_DAYS = 90;

/** Every token of the last days was given out for half as long, so that half of them have expired. */
const TOKEN_DAYS = 10;

export function insertUsers(connection: Connection, count: number, now: number, random: () => number): void {
  const insert = connection.prepare(
    `INSERT INTO auth_user (password, last_login, is_superuser, username, last_name, email, is_staff, is_active,
      date_joined, first_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const years = 6 * 365 * DAY;
  for (let number = 1; number <= count; number += 1) {
    const { username, email, firstName, lastName } = makePerson(random, number);
    const isSuperuser = number % Math.ceil(count / 20) === 1;
    const joined = now - years + (years * number) / count;
    const lastLogin = random() < 0.2 ? null : epochToSqlTime(joined + random() * (now - joined));
    insert.run(
      `!${username}`,
      lastLogin,
      isSuperuser ? 1 : 0,
      username,
      lastName,
      email,
      isSuperuser || random() < 0.01 ? 1 : 0,
      isSuperuser || random() >= 0.03 ? 1 : 0,
      epochToSqlTime(joined),
      firstName,
    );
  }
}

/** Groups of every size: the first has half of all users, each that follows half as many. */
export function insertGroups(connection: Connection, users: number, random: () => number): void {
  const names =
    'Customers Readers Writers Editors Reviewers Support Sales Billing Auditors Operators Testers Owners';
  const insertGroup = connection.prepare('INSERT INTO auth_group (name) VALUES (?)');
  for (const name of names.split(' ')) insertGroup.run(name);
  const insertMember = connection.prepare('INSERT INTO auth_user_groups (user_id, group_id) VALUES (?, ?)');
  for (let user = 1; user <= users; user += 1) {
    const group = Math.ceil(-Math.log2(1 - random()));
    if (group <= 12) insertMember.run(user, group);
    if (group > 1 && user % 10 === 0) insertMember.run(user, 1);
  }
}

export function insertTokens(connection: Connection, size: Size, now: number, random: () => number): void {
  const insert = connection.prepare(
    `INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti)
      VALUES (?, ?, ?, ?, ?)`,
  );
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url');
  const hex = () =>
    Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  for (let number = 1; number <= size.tokens; number += 1) {
    const created = Math.floor(now - TOKEN_DAYS * DAY + (TOKEN_DAYS * DAY * number) / size.tokens);
    const expires = created + (TOKEN_DAYS * DAY) / 2;
    const jti = hex() + hex() + hex() + hex();
    // A few log in all the time, one program above all; some tokens are of people who are gone.
    const share = random();
    const user = share < 0.02 ? 1 : share < 0.03 ? null : 1 + Math.floor(random() ** 2 * size.users);
    const payload = `{"token_type":"refresh","exp":${expires},"iat":${created},"jti":"${jti}","user_id":"${user}"}`;
    const token = `${header}.${Buffer.from(payload).toString('base64url')}`;
    insert.run(token, epochToSqlTime(created), epochToSqlTime(expires), user, jti);
  }
}

/** A fifth of the tokens were rotated, an hour after they were given out. */
export function insertBlacklisted(connection: Connection): void {
  connection.exec(
    `INSERT INTO token_blacklist_blacklistedtoken (blacklisted_at, token_id)
      SELECT datetime(created_at, '+1 hour'), id FROM token_blacklist_outstandingtoken
      WHERE id % 5 = 0 AND created_at < datetime('now', '-1 hour') ORDER BY id`,
  );
}

/** A tenth of the tokens are of sessions that are known; a few of these were ended. */
export function insertSessions(connection: Connection): void {
  connection.exec(
    `INSERT INTO jotgate_session (id, sid, user_id, created_at, last_used_at, address, user_agent, ended_at, end_reason)
      SELECT id, jti, user_id, created_at, created_at, '10.' || id % 7 || '.' || id % 251 || '.' || id % 241,
        'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
        CASE WHEN id % 30 = 1 THEN created_at END, CASE WHEN id % 30 = 1 THEN 'logout' ELSE '' END
      FROM token_blacklist_outstandingtoken WHERE id % 10 = 1 AND user_id IS NOT NULL`,
  );
  connection.exec(
    `INSERT INTO jotgate_session_token (jti, session_id, issued_at, expires_at, address, user_agent)
      SELECT jti, id, created_at, expires_at, '', '' FROM token_blacklist_outstandingtoken
      WHERE id % 10 = 1 AND user_id IS NOT NULL`,
  );
}

/** What happens: each kind with how often of a thousand events. */
const EVENT_KINDS: readonly (readonly [kind: EventKind, share: number])[] = [
  ['login', 280],
  ['refreshed', 500],
  ['login_refused', 80],
  ['verify_refused', 60],
  ['refresh_refused', 40],
  ['token_blacklisted', 20],
  ['user_changed', 15],
  ['password_changed', 4],
  ['group_changed', 1],
];

export function insertEvents(connection: Connection, count: number, now: number, random: () => number): void {
  const names = connection.prepare('SELECT username FROM auth_user WHERE id = ?').pluck();
  const insert = connection.prepare(
    `INSERT INTO jotgate_event (at, kind, via, actor_id, actor_name, object_type, object_id, object_name, reason,
      changes, address, user_agent, count) VALUES (?, ?, ?, ?, ?, 'user', ?, ?, '', '[]', ?, 'curl/8.5.0', 1)`,
  );
  const kinds = EVENT_KINDS.flatMap(([kind, share]) => Array<EventKind>(share).fill(kind));
  for (let number = 1; number <= count; number += 1) {
    const at = now - EVENT_DAYS * DAY + (EVENT_DAYS * DAY * number) / count;
    const user = 1 + Math.floor(random() * count);
    const name = names.get(user);
    const byte = () => Math.floor(random() ** 3 * 256);
    const address = `10.${byte()}.${byte()}.${byte()}`;
    const kind = kinds[Math.floor(random() * kinds.length)] as EventKind;
    const via = API_KINDS.includes(kind) ? 'api' : 'admin';
    insert.run(epochToSqlTime(at), kind, via, user, name, String(user), name, address);
  }
  connection.exec(
    `INSERT INTO jotgate_event_day (day, kind, count)
      SELECT substr(at, 1, 10), kind, sum(count) FROM jotgate_event GROUP BY 1, 2`,
  );
}
