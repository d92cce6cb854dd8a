import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import { connect } from '../../db/connect.ts';
import { migrate } from '../../db/migrate.ts';
import type { Database } from '../../db/statement.ts';
import type { UserRow } from '../../db/tables.ts';
import { settingsOf } from '../../e2e/settings-of.ts';
import { checkPassword, hashPassword } from '../users/hashers.ts';
import { createUser, findUserByUsername } from '../users/users.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const LOADER = import.meta.resolve('tsx');
const GOOD = 'Correct-hörse-🔑-9';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const BACKSPACE = '\x7f';

const folder = mkdtempSync(join(tmpdir(), 'jotgate-accounts-'));
const url = `sqlite:${join(folder, 'db.sqlite3')}`;
let db: Database;
let running: Conversation | undefined;

before(async () => {
  db = connect(url);
  await migrate(db);
  await createUser(db, { username: 'taken', passwordHash: '!x' }, new Date());
});
afterEach(() => running?.kill());
after(async () => {
  await db.destroy();
  rmSync(folder, { recursive: true });
});

/** A command at a pseudo-terminal. */
class Conversation {
  readonly exitCode: Promise<number>;
  /** Everything that was on the screen, with plain line ends. */
  screen = '';
  #seen = 0;
  #wake = () => {};
  readonly #terminal: IPty;

  constructor(...args: string[]) {
    this.#terminal = spawn(process.execPath, ['--import', LOADER, MAIN, ...args], {
      cwd: folder,
      cols: 200,
      env: { PATH: process.env.PATH, DATABASE_URL: url, BCRYPT_ROUNDS: '4', USER: 'Zoë Smith' },
    });
    this.exitCode = new Promise((resolve) => this.#terminal.onExit(({ exitCode }) => resolve(exitCode)));
    this.#terminal.onData((data) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the cursor movements of readline.
      this.screen += data.replace(/\x1b\[[0-9;?]*[A-Za-z]|\r/g, '');
      this.#wake();
    });
    running = this;
  }

  /** Waits for a text that was not waited for before. */
  async expect(text: string): Promise<void> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const at = this.screen.indexOf(text, this.#seen);
      if (at >= 0) {
        this.#seen = at + text.length;
        return;
      }
      assert.ok(Date.now() < deadline, `no ${JSON.stringify(text)} in ${JSON.stringify(this.screen)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async answer(prompt: string, text: string): Promise<void> {
    await this.expect(prompt);
    this.#terminal.write(text);
  }

  kill(): void {
    try {
      this.#terminal.kill();
    } catch {
      // It ended by itself.
    }
  }
}

async function userWith(username: string, password: string): Promise<UserRow> {
  const user = await findUserByUsername(db, username);
  assert.ok(user);
  assert.equal((await checkPassword(password, user.password, settingsOf())).matches, true);
  return user;
}

test('createsuperuser asks for everything, complains like Django and shows no password', async () => {
  const talk = new Conversation('createsuperuser');
  await talk.answer("Username (leave blank to use 'zoesmith'): ", 'a b\r');
  await talk.expect(
    'Error: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_',
  );
  await talk.answer("Username (leave blank to use 'zoesmith'): ", 'taken\r');
  await talk.expect('Error: That username is already taken.');
  await talk.answer("Username (leave blank to use 'zoesmith'): ", '\r');
  await talk.answer('Email address: ', 'nowhere\r');
  await talk.expect('Error: Enter a valid email address.');
  await talk.answer('Email address: ', `zoe@EXAMPLE.comm${BACKSPACE}\r`);
  await talk.answer('Password: ', 'one-password\r');
  await talk.answer('Password (again): ', 'another-password\r');
  await talk.expect("Error: Your passwords didn't match.");
  await talk.answer('Password: ', ' \r');
  await talk.answer('Password (again): ', ' \r');
  await talk.expect("Error: Blank passwords aren't allowed.");
  await talk.answer('Password: ', 'zoesmith\r');
  await talk.answer('Password (again): ', 'zoesmith\r');
  await talk.expect('The password is too similar to the username.');
  await talk.answer('Bypass password validation and create user anyway? [y/N]: ', '\r');
  await talk.answer('Password: ', `${GOOD}x${BACKSPACE}\r`);
  await talk.answer('Password (again): ', `${GOOD}\r`);
  await talk.expect('Superuser created successfully.');
  assert.equal(await talk.exitCode, 0);
  for (const secret of ['one-password', 'another', 'hörse', '🔑']) assert.ok(!talk.screen.includes(secret));
  const user = await userWith('zoesmith', GOOD);
  assert.deepEqual([user.is_superuser, user.is_staff, user.email], [1, 1, 'zoe@example.com']);
});

test('a bad password can be insisted on', async () => {
  const talk = new Conversation('createsuperuser', '--username', 'lazy', '--email', '');
  await talk.answer('Password: ', '12345\r');
  await talk.answer('Password (again): ', '12345\r');
  await talk.expect('This password is too short. It must contain at least 8 characters.');
  await talk.expect('This password is too common.');
  await talk.expect('This password is entirely numeric.');
  await talk.answer('Bypass password validation and create user anyway? [y/N]: ', 'Y\r');
  await talk.expect('Superuser created successfully.');
  assert.equal(await talk.exitCode, 0);
  await userWith('lazy', '12345');
});

test('all answers pasted at once are taken in order, and the passwords stay hidden', async () => {
  const talk = new Conversation('createsuperuser');
  await talk.answer('Username', `pasted\rpasted@example.com\r${GOOD}\r${GOOD}\r`);
  await talk.expect('Superuser created successfully.');
  assert.equal(await talk.exitCode, 0);
  assert.ok(!talk.screen.includes('Correct'), talk.screen);
  assert.equal((await userWith('pasted', GOOD)).email, 'pasted@example.com');
});

test('a name given as a flag is looked at first', async () => {
  const talk = new Conversation('createsuperuser', '--username=taken', '--email=a@b.example');
  await talk.expect('Error: That username is already taken.');
  await talk.answer('Username', 'free\r');
  await talk.answer('Password: ', `${GOOD}\r`);
  await talk.answer('Password (again): ', `${GOOD}\r`);
  assert.equal(await talk.exitCode, 0);
  await userWith('free', GOOD);
});

test('Ctrl-C at any question, and Ctrl-D, end it without an account', async () => {
  for (const [question, key] of [
    ['Username', CTRL_C],
    ['Email address: ', CTRL_D],
    ['Password: ', CTRL_C],
  ] as const) {
    const talk = new Conversation('createsuperuser');
    if (question !== 'Username') await talk.answer('Username', 'given-up\r');
    if (question === 'Password: ') await talk.answer('Email address: ', '\r');
    await talk.answer(question, key);
    await talk.expect('\nOperation cancelled.');
    assert.equal(await talk.exitCode, 1);
  }
  assert.equal(await findUserByUsername(db, 'given-up'), null);
});

test('changepassword asks until the password is good', async () => {
  await createUser(
    db,
    { username: 'jane', passwordHash: await hashPassword('old', settingsOf()) },
    new Date(),
  );
  const talk = new Conversation('changepassword', 'jane');
  await talk.expect("Changing password for user 'jane'");
  await talk.answer('Password: ', 'one\r');
  await talk.answer('Password (again): ', 'two\r');
  await talk.expect('Passwords do not match. Please try again.');
  await talk.answer('Password: ', 'password\r');
  await talk.answer('Password (again): ', 'password\r');
  await talk.expect('This password is too common.');
  await talk.answer('Password: ', `${GOOD}\r`);
  await talk.answer('Password (again): ', `${GOOD}\r`);
  await talk.expect("Password changed successfully for user 'jane'");
  assert.equal(await talk.exitCode, 0);
  await userWith('jane', GOOD);
});

test('changepassword gives up after three attempts, at an empty answer and at Ctrl-C', async () => {
  await createUser(
    db,
    { username: 'joe', passwordHash: await hashPassword('old', settingsOf()) },
    new Date(),
  );
  const thrice = new Conversation('changepassword', 'joe');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await thrice.answer('Password: ', 'password\r');
    await thrice.answer('Password (again): ', 'password\r');
  }
  await thrice.expect("CommandError: Aborting password change for user 'joe' after 3 attempts");
  assert.equal(await thrice.exitCode, 1);
  for (const [key, message] of [
    ['\r', 'CommandError: aborted'],
    [CTRL_C, '\nOperation cancelled.'],
  ] as const) {
    const talk = new Conversation('changepassword', 'joe');
    await talk.answer('Password: ', key);
    await talk.expect(message);
    assert.equal(await talk.exitCode, 1);
  }
  await userWith('joe', 'old');
});
