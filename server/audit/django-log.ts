import type { Database } from '../../db/statement.ts';
import { toSqlTime } from '../../db/values.ts';
import { kindRow } from './kinds.ts';
import type { NewEvent, TimedEvent } from './record.ts';

/** django.contrib.admin.models: ADDITION, CHANGE, DELETION. */
const ACTION_FLAGS = { added: 1, changed: 2, deleted: 3 } as const;

type Action = keyof typeof ACTION_FLAGS;

/** The Django application of each model that an event can be about. */
export const APP_LABELS = {
  user: 'auth',
  group: 'auth',
  outstandingtoken: 'token_blacklist',
  blacklistedtoken: 'token_blacklist',
} as const;

/** An event that Django's admin would have logged. */
interface LoggedEvent {
  actorId: number;
  object: NonNullable<NewEvent['object']>;
  action: Action;
  event: NewEvent;
  at: number;
}

/** What became of a token, which is no change of its own row. Django shows a text that is no JSON as it is. */
const BLACKLIST_MESSAGES: Partial<Record<NewEvent['kind'], string>> = {
  token_blacklisted: 'Added to the blacklist.',
  token_restored: 'Removed from the blacklist.',
};

/** How many rows one statement takes. */
const ROWS_AT_ONCE = 500;

/**
 * Writes what was changed in the admin into Django's own log as well, as `LogEntryManager.log_actions` does, so that
 * Django's admin shows it. Whoever deleted his own account has no log, for there the log goes with the account.
 */
export async function writeDjangoLog(db: Database, events: readonly TimedEvent[]): Promise<void> {
  const logged = events.flatMap(({ event, at }) => loggedEvent(event, at) ?? []);
  if (logged.length === 0) return;
  const contentTypes = await contentTypeIds(db);
  const actors = await existingUsers(db, new Set(logged.map(({ actorId }) => actorId)));
  const rows = logged
    .filter(({ actorId }) => actors.has(actorId))
    .map(({ actorId, object, action, event, at }) => ({
      object_id: object.id,
      object_repr: object.name.slice(0, 200).toWellFormed(),
      action_flag: ACTION_FLAGS[action],
      change_message: changeMessage(action, event),
      content_type_id: contentTypes.get(object.type) ?? null,
      user_id: actorId,
      action_time: toSqlTime(new Date(at * 1000)),
    }));
  for (let done = 0; done < rows.length; done += ROWS_AT_ONCE) {
    await db
      .insertInto('django_admin_log')
      .values(rows.slice(done, done + ROWS_AT_ONCE))
      .execute();
  }
}

function loggedEvent(event: NewEvent, at: number): LoggedEvent | undefined {
  const { kind, origin, object } = event;
  const { action } = kindRow(kind);
  const actorId = origin.actor?.id ?? null;
  if (origin.via !== 'admin' || actorId === null || object === undefined || action === undefined) return;
  // Revoking adds a row to the blacklist; to the token itself it is a change.
  return { actorId, object, action: object.type === 'outstandingtoken' ? 'changed' : action, event, at };
}

/**
 * The message as `django.contrib.admin.utils.construct_change_message` makes it, in the JSON of Python's `json.dumps`.
 * A deletion has none. The field of a new password has a lower-case name there.
 */
function changeMessage(action: Action, { kind, object, changes = [] }: NewEvent): string {
  if (object?.type === 'outstandingtoken') return BLACKLIST_MESSAGES[kind] ?? '[]';
  if (action === 'deleted') return '';
  if (action === 'added') return '[{"added": {}}]';
  const fields = kind === 'password_changed' ? ['password'] : [...new Set(changes.map(({ field }) => field))];
  if (fields.length === 0) return '[]';
  return `[{"changed": {"fields": [${fields.map(asciiJson).join(', ')}]}}]`;
}

/** As `json.dumps`, which escapes whatever is not ASCII. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function contentTypeIds(db: Database): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('django_content_type')
    .select(['id', 'app_label', 'model'])
    .where('app_label', 'in', ['auth', 'token_blacklist'])
    .execute();
  const known: Readonly<Record<string, string>> = APP_LABELS;
  return new Map(
    rows.filter(({ app_label, model }) => known[model] === app_label).map(({ id, model }) => [model, id]),
  );
}

async function existingUsers(db: Database, ids: ReadonlySet<number>): Promise<Set<number>> {
  const rows = await db
    .selectFrom('auth_user')
    .select('id')
    .where('id', 'in', [...ids])
    .execute();
  return new Set(rows.map(({ id }) => id));
}
