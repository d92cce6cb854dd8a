import type { Database } from '../../db/statement.ts';
import { inTransaction } from '../../db/transaction.ts';
import { recordEvents } from '../audit/record.ts';
import {
  emailComplaints,
  normalizeUsername,
  passwordComplaints,
  usernameComplaints,
} from '../users/fields.ts';
import { hashPassword, unusablePassword } from '../users/hashers.ts';
import { createSuperuser, findUserByUsername } from '../users/users.ts';
import { type PasswordOwner, validatePassword } from '../users/validators.ts';
import { type Command, type CommandContext, CommandError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { systemUsername } from './system-username.ts';
import { Cancelled, Terminal } from './terminal.ts';

/** What was given as flags. */
interface Given {
  username: string | undefined;
  email: string | undefined;
}

interface Answers {
  username: string;
  email: string;
  /** Null makes an account that cannot log in until it is given a password. */
  password: string | null;
}

const TAKEN = 'Error: That username is already taken.';
const BLANK_PASSWORD = "Error: Blank passwords aren't allowed.";

/** Follows django.contrib.auth's `createsuperuser`, its prompts, messages and environment variables. */
export const createsuperuser: Command = {
  name: 'createsuperuser',
  summary: 'Used to create a superuser.',
  usage: `usage: jotgate createsuperuser [--username USERNAME] [--email EMAIL] [--noinput]

Used to create a superuser. Asks for what is not given.

options:
  --username USERNAME   Specifies the login for the superuser.
  --email EMAIL         Specifies the email for the superuser.
  --noinput, --no-input Tells Jotgate to NOT prompt the user for input of any kind. You must use
                        --username and --email with it, or DJANGO_SUPERUSER_USERNAME and
                        DJANGO_SUPERUSER_EMAIL in the environment. The password is
                        DJANGO_SUPERUSER_PASSWORD; without it the superuser will not be able to
                        log in until given one.${COMMON_FLAGS_HELP}`,
  run,
};

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, verbosity } = parseFlags(args, {
    username: { type: 'string' },
    email: { type: 'string' },
    noinput: { type: 'boolean' },
    'no-input': { type: 'boolean' },
  });
  const given = { username: flags.username, email: flags.email };
  const isInteractive = !(flags.noinput || flags['no-input']);
  if (isInteractive && !context.stdin.isTTY) {
    context.stdout.write(
      'Superuser creation skipped due to not running in a TTY. ' +
        'You can run `jotgate createsuperuser` in your project to create one manually.\n',
    );
    return 0;
  }
  const { settings } = await context.loadSettings();
  const db = await openMigratedDatabase(context);
  const answers = isInteractive
    ? await askForAll(context, db, given)
    : await takeFromEnvironment(context, db, given);
  if (answers === null) return 1;
  const { password, ...names } = answers;
  const passwordHash = password === null ? unusablePassword() : await hashPassword(password, settings);
  await store(context, db, { ...names, passwordHash });
  if (verbosity >= 1) context.stdout.write('Superuser created successfully.\n');
  return 0;
}

function store(
  context: CommandContext,
  db: Database,
  answers: Omit<Answers, 'password'> & { passwordHash: string },
): Promise<void> {
  const now = new Date();
  return inTransaction(db, async (trx) => {
    const { id, username, email } = await createSuperuser(trx, answers, now);
    const object = { type: 'user', id: String(id), name: username } as const;
    const changes = [
      { field: 'Username', before: null, after: username },
      { field: 'Email address', before: null, after: email },
    ];
    const event = { kind: 'superuser_created', origin: commandOrigin(context), object, changes } as const;
    await recordEvents(trx, [event], now);
  });
}

/** @returns null when the person gave up */
async function askForAll(context: CommandContext, db: Database, given: Given): Promise<Answers | null> {
  const terminal = new Terminal(context.stdin, context.stdout);
  const complain = (text: string) => context.stderr.write(`${text}\n`);
  try {
    const username = await askUsername(
      terminal,
      db,
      given.username,
      await defaultUsername(context, db),
      complain,
    );
    const email = await askEmail(terminal, given.email, complain);
    return { username, email, password: await askPassword(terminal, { username, email }, complain) };
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
    complain('\nOperation cancelled.');
    return null;
  } finally {
    terminal.close();
  }
}

async function askUsername(
  terminal: Terminal,
  db: Database,
  given: string | undefined,
  offered: string,
  complain: (text: string) => void,
): Promise<string> {
  if (given !== undefined) {
    const username = normalizeUsername(given);
    if (username === '') throw new CommandError('Username cannot be blank.');
    const complaint = await usernameComplaint(db, username);
    if (complaint === null) return username;
    complain(complaint);
  }
  for (;;) {
    const hint = offered ? ` (leave blank to use '${offered}')` : '';
    const username = normalizeUsername((await terminal.ask(`Username${hint}: `)) || offered);
    const complaints = usernameComplaints(username);
    if (complaints.length > 0) complain(`Error: ${complaints.join('; ')}`);
    else if (await findUserByUsername(db, username)) complain(TAKEN);
    else return username;
  }
}

async function askEmail(
  terminal: Terminal,
  given: string | undefined,
  complain: (text: string) => void,
): Promise<string> {
  if (given !== undefined) return checkedEmail(given);
  for (;;) {
    const email = await terminal.ask('Email address: ');
    const complaints = emailComplaints(email);
    if (complaints.length === 0) return email;
    complain(`Error: ${complaints.join('; ')}`);
  }
}

async function askPassword(
  terminal: Terminal,
  owner: PasswordOwner,
  complain: (text: string) => void,
): Promise<string> {
  for (;;) {
    const password = await terminal.askHidden('Password: ');
    const repeated = await terminal.askHidden('Password (again): ');
    const refusal = password === repeated ? passwordRefusal(password) : "Error: Your passwords didn't match.";
    if (refusal !== null) {
      complain(refusal);
      continue;
    }
    const complaints = await validatePassword(password, owner);
    if (complaints.length === 0) return password;
    complain(complaints.join('\n'));
    const answer = await terminal.ask('Bypass password validation and create user anyway? [y/N]: ');
    if (answer.toLowerCase() === 'y') return password;
  }
}

/** Skips the password validators, as Django does. */
async function takeFromEnvironment(context: CommandContext, db: Database, given: Given): Promise<Answers> {
  const { DJANGO_SUPERUSER_USERNAME, DJANGO_SUPERUSER_EMAIL, DJANGO_SUPERUSER_PASSWORD } = context.env;
  const name = given.username ?? DJANGO_SUPERUSER_USERNAME;
  if (name === undefined) throw new CommandError('You must use --username with --noinput.');
  const username = normalizeUsername(name);
  const complaint = await usernameComplaint(db, username);
  if (complaint !== null) throw new CommandError(complaint);
  const email = given.email || DJANGO_SUPERUSER_EMAIL || given.email;
  if (email === undefined) throw new CommandError('You must use --email with --noinput.');
  const password = DJANGO_SUPERUSER_PASSWORD ?? null;
  const refusal = password === null ? null : passwordRefusal(password);
  if (refusal !== null) throw new CommandError(refusal);
  return { username, email: checkedEmail(email), password };
}

async function usernameComplaint(db: Database, username: string): Promise<string | null> {
  if (username === '') return 'Username cannot be blank.';
  if (await findUserByUsername(db, username)) return TAKEN;
  return usernameComplaints(username).join('; ') || null;
}

function checkedEmail(email: string): string {
  const complaints = emailComplaints(email);
  if (complaints.length > 0) throw new CommandError(complaints.join('; '));
  return email;
}

/** Why a password cannot be taken, whatever its quality. */
function passwordRefusal(password: string): string | null {
  if (password.trim() === '') return BLANK_PASSWORD;
  const complaints = passwordComplaints(password);
  return complaints.length > 0 ? `Error: ${complaints.join('; ')}` : null;
}

/** The system user's name in ASCII, where it is a good one and nobody has it: else nothing. */
async function defaultUsername(context: CommandContext, db: Database): Promise<string> {
  const name = systemUsername(context.env)
    .normalize('NFKD')
    .replace(/[^\p{ASCII}]| /gu, '')
    .toLowerCase();
  if (usernameComplaints(name).length > 0 || (await findUserByUsername(db, name))) return '';
  return name;
}
