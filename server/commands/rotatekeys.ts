import type { Database } from '../../db/statement.ts';
import type { Settings } from '../settings.ts';
import { type KeyView, listKeys } from '../tokens/keys/key-list.ts';
import { countText, keyName, timeText } from '../tokens/keys/key-words.ts';
import { checkKeyRing } from '../tokens/keys/ring.ts';
import { restoreKey, retireKey, rotateKeys, undoRotation, withdrawKey } from '../tokens/keys/ring-changes.ts';
import { type KeyChange, KeyRefusal } from '../tokens/keys/ring-edit.ts';
import { beginNewRing, prepareRing } from '../tokens/keys/ring-start.ts';
import { type Command, type CommandContext, CommandError, UsageError } from './command.ts';
import { COMMON_FLAGS_HELP, parseFlags } from './flags.ts';
import { openMigratedDatabase } from './migrated-database.ts';
import { commandOrigin } from './origin.ts';
import { Terminal } from './terminal.ts';
import { formatTable } from './text-table.ts';

/** Changes the key that signs, and shows what hangs on which. */
export const rotatekeys: Command = {
  name: 'rotatekeys',
  summary: 'Makes the next signing key sign, and shows all of them.',
  usage: `usage: jotgate rotatekeys [--list | --undo | --retire KID | --restore KID | --withdraw KID | --new-ring]

Makes the standby key the one that signs tokens. The last one goes on verifying until the longest of its
tokens has expired, so that nobody is logged out. Needs KEY_RING; works while the server runs.

options:
  -l, --list            Only shows the keys: how many live tokens hang on each, and when it is safe to retire it.
  --undo                Makes the key that signed before sign again.
  --retire KID          Ends a retiring key, and its tokens, before its time. The key without a kid is "none".
  --restore KID         Brings a key back that was retired before its time.
  --withdraw KID        Ends a key and all of its tokens at once, on every instance. This cannot be undone.
  --new-ring            Withdraws every key and makes new ones, also where SECRET_KEY is another than it was.
  --noinput, --no-input Does not ask before --withdraw and --new-ring.${COMMON_FLAGS_HELP}`,
  run,
};

const FLAGS = {
  list: { type: 'boolean', short: 'l' },
  undo: { type: 'boolean' },
  retire: { type: 'string' },
  restore: { type: 'string' },
  withdraw: { type: 'string' },
  'new-ring': { type: 'boolean' },
  noinput: { type: 'boolean' },
  'no-input': { type: 'boolean' },
} as const;

/** Of these a call has one at most. */
const ACTIONS = ['list', 'undo', 'retire', 'restore', 'withdraw', 'new-ring'] as const;

type Action = (typeof ACTIONS)[number] | 'rotate';

/** What the key without a kid is called here. */
const NO_KID = 'none';

async function run(context: CommandContext, args: string[]): Promise<number> {
  const { flags, verbosity } = parseFlags(args, FLAGS);
  const [action = 'rotate', other]: Action[] = ACTIONS.filter((name) => flags[name] !== undefined);
  if (other !== undefined) throw new UsageError(`argument --${other}: not allowed with argument --${action}`);
  const { settings } = await context.loadSettings();
  if (!settings.KEY_RING) {
    throw new CommandError(
      'There is no key ring: one key signs. Set KEY_RING=true to have keys that can be changed.',
    );
  }
  const db = await openMigratedDatabase(context);
  const change = { origin: commandOrigin(context), now: new Date() };
  if (action !== 'new-ring') {
    await checkKeyRing(db, settings);
    if (action !== 'list') await prepareRing(db, settings, change.now);
  }
  const kid =
    action === 'retire' || action === 'restore' || action === 'withdraw' ? flags[action] : undefined;
  const key = kid === undefined ? undefined : await findByKid(db, kid as string, change.now);
  if (!(flags.noinput || flags['no-input']) && !(await isSure(context, action, key))) {
    throw new CommandError('Nothing was changed.');
  }
  try {
    await act(db, settings, action, key?.id ?? 0, change);
  } catch (error) {
    if (error instanceof KeyRefusal) throw new CommandError(error.message);
    throw error;
  }
  if (verbosity >= 1) context.stdout.write(await keyTable(db, change.now));
  return 0;
}

async function act(
  db: Database,
  settings: Settings,
  action: Action,
  id: number,
  change: KeyChange,
): Promise<void> {
  switch (action) {
    case 'rotate':
      return rotateKeys(db, settings, change);
    case 'undo':
      return undoRotation(db, settings, change);
    case 'retire':
      return retireKey(db, settings, id, change);
    case 'restore':
      return restoreKey(db, settings, id, change);
    case 'withdraw':
      return withdrawKey(db, settings, id, change);
    case 'new-ring':
      return beginNewRing(db, settings, change);
    case 'list':
  }
}

async function findByKid(db: Database, kid: string, now: Date): Promise<KeyView> {
  const keys = (await listKeys(db, now))?.keys ?? [];
  const key = keys.find((one) => (one.kid || NO_KID) === kid);
  if (key === undefined)
    throw new CommandError(`There is no key ${JSON.stringify(kid)}: see \`rotatekeys --list\`.`);
  return key;
}

/** Asks before what cannot be undone, in the manner of Django's `flush`. */
async function isSure(context: CommandContext, action: Action, key: KeyView | undefined): Promise<boolean> {
  if (action !== 'withdraw' && action !== 'new-ring') return true;
  const what =
    key === undefined
      ? 'This will withdraw every signing key: everybody has to log in again.'
      : `This will withdraw ${keyName(key)}: ${countText(key.live)} refresh and sliding tokens die at once, and ` +
        'every access token that it signed.';
  const terminal = new Terminal(context.stdin, context.stdout);
  try {
    const answer = await terminal.ask(
      `${what}\nIt cannot be undone.\n\n    Type 'yes' to continue, or 'no' to cancel: `,
    );
    return answer === 'yes';
  } finally {
    terminal.close();
  }
}

async function keyTable(db: Database, now: Date): Promise<string> {
  const list = await listKeys(db, now);
  if (list === null) return 'There is no key ring yet: the server makes it when it starts.\n';
  const rows = list.keys.map((key) => [
    key.kid || NO_KID,
    key.algorithm,
    key.state,
    timeText(key.createdAt),
    key.state === 'retired' || key.state === 'withdrawn' ? '-' : countText(key.live),
    key.state === 'standby' ? '-' : timeText(key.safeFrom),
  ]);
  return formatTable([
    ['Key', 'Algorithm', 'State', 'Created', 'Live tokens', 'Safe to retire from'],
    ...rows,
  ]);
}
